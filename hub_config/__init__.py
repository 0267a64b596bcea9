"""The enclave: trusted, run from the checkout, never installed in a workspace."""

__version__ = "0.1.0"
