"""`p4dp-enclave publication-key`: what verifies the tables that this enclave publishes. For anybody."""

from __future__ import annotations

import click


@click.command("publication-key")
def publication_key() -> None:
    """Print the public key that verifies published tables (PEM). Give it to whoever wants to verify one.

    Its fingerprint, which signatures name, goes to standard error: `> key.pem` keeps the key alone.
    """
    from hub_config.gateway.publication.signing import Signer
    from hub_config.settings import load_settings

    signer = Signer.ensure(load_settings().keys_dir)
    click.echo(signer.public_key, nl=False)
    click.echo(f"fingerprint {signer.name}", err=True)
