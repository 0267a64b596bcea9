"""Notices leave encrypted, to the server that the settings name, or not at all."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub_config.airlock.notices.sending import Delivery, Mailer
from hub_config.sections import MailSettings
from tests.services.airlock.domain.postbox import listening, mail_settings

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Authority:
    """A throw-away certificate authority of one test."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def founded(cls, folder: Path) -> Authority:
        folder.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = (
            _unsigned(name("Throw-away authority"), name("Throw-away authority"), key, NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        (folder / "authority.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    def context(self, host: str = "127.0.0.1", ends: datetime = NOW + DAY) -> ssl.SSLContext:
        """A server's, with a certificate for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _unsigned(name("mail"), self.certificate.subject, key, ends)
            .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / "server.pem"
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        path.write_bytes(private + certificate.public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(ends)
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trusted on this machine, as an institution's own is."""
    founded = Authority.founded(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(founded.folder / "authority.pem"))
    return founded


def encrypting(port: int, **changed: Any) -> MailSettings:
    return mail_settings(port, starttls=True, **changed)


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "sas@p4dp.example", "dora@univ.example", "Rappel"
    message.set_content("https://registre.p4dp.example/droits")
    return message


def test_a_letter_travels_encrypted(authority: Authority) -> None:
    with listening(authority.context(), require_starttls=True) as (caught, port):
        assert Mailer(encrypting(port)).send(letter()) is Delivery.SENT
    assert caught.encrypted == [True]


def test_a_server_that_offers_no_encryption_gets_nothing(authority: Authority) -> None:
    """Or a man in the middle who took the offer out."""
    with listening() as (caught, port):
        assert Mailer(encrypting(port, username="p4dp"), "secret").send(letter()) is Delivery.LATER
    assert caught.spoken == [] and caught.letters == []


def test_power_of_a_server_without_encryption() -> None:
    with listening() as (caught, port):
        assert Mailer(mail_settings(port)).send(letter()) is Delivery.SENT
    assert caught.encrypted == [False]


@pytest.mark.parametrize(
    ("host", "ends"),
    [("mail.elsewhere.example", NOW + DAY), ("127.0.0.2", NOW + DAY), ("127.0.0.1", NOW - HOUR)],
    ids=["another name", "another address", "expired"],
)
def test_a_certificate_that_does_not_fit_is_refused(authority: Authority, host: str, ends: datetime) -> None:
    with listening(authority.context(host, ends)) as (caught, port):
        assert Mailer(encrypting(port, username="p4dp"), "secret").send(letter()) is Delivery.LATER
    assert caught.spoken == [] and caught.letters == []


def test_a_certificate_of_nobody_we_know_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority.founded(tmp_path / "stranger")
    with listening(stranger.context()) as (caught, port):
        assert Mailer(encrypting(port)).send(letter()) is Delivery.LATER
    assert caught.spoken == []


def test_power_of_a_certificate_that_nobody_checks(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Authority.founded(tmp_path / "stranger")
    monkeypatch.setattr(ssl, "create_default_context", ssl._create_unverified_context)
    with listening(stranger.context()) as (caught, port):
        assert Mailer(encrypting(port)).send(letter()) is Delivery.SENT
    assert len(caught.letters) == 1


@pytest.mark.parametrize(("known", "expected"), [(True, Delivery.SENT), (False, Delivery.LATER)])
def test_the_password_is_said_after_the_encryption(
    authority: Authority, known: bool, expected: Delivery
) -> None:
    said: list[tuple[bool, bytes]] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        said.append((session.ssl is not None, bytes(data.password)))
        return AuthResult(success=known)

    options = {"authenticator": check, "auth_require_tls": True, "auth_required": True}
    with listening(authority.context(), **options) as (caught, port):
        assert Mailer(encrypting(port, username="p4dp"), "secret").send(letter()) is expected
    assert set(said) == {(True, b"secret")}
    assert len(caught.letters) == known


def test_what_went_wrong_is_logged_by_its_kind_alone(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(authority.context("mail.elsewhere.example")) as (_caught, port):
        Mailer(encrypting(port, username="p4dp"), "secret").send(letter())
    (record,) = (each for each in caplog.records if each.name.startswith("hub_config"))
    assert record.getMessage() == "a notice could not be mailed now: SSLCertVerificationError"
