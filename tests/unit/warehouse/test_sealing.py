"""What a practice calls its patients is kept sealed for it alone, with who is landed, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub_config.warehouse.landing import Landing
from hub_config.warehouse.landing.leaving_out import leave_out
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.sealing import landed
from hub_config.warehouse.sealing.envelope import LABEL, LONGEST, BadKey, fingerprint_of, public_key
from hub_config.warehouse.sealing.landed import Sealed, SealingKey, has_seals, seal_landed, seals_of
from p4dp_sdk.catalogue.load import load_catalogue

from .conftest import MAPPING, PEOPLE, Vendor

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def private() -> dict[str, rsa.RSAPrivateKey]:
    return {gp: rsa.generate_private_key(65537, 3072) for gp in ("GPA", "GPB", "new")}


def number(vendor: Vendor, kind: Kind, identifier: str) -> int:
    (found,) = Pseudonyms.open(vendor.home / "keys").known(kind, "vendor", [identifier])
    assert found is not None
    return found


def key_of(vendor: Vendor, gp: str, private: rsa.RSAPrivateKey) -> SealingKey:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SealingKey(number(vendor, Kind.PHYSICIAN, gp), fingerprint_of(pem), pem)


def landing(vendor: Vendor) -> Landing:
    return Landing.of(vendor.home / "landing", "vendor")


def seal(vendor: Vendor, *keys: SealingKey) -> Sealed:
    pseudonyms = Pseudonyms.open(vendor.home / "keys")
    files = vendor.read(MAPPING), vendor.directory
    return seal_landed(*files, landing(vendor), pseudonyms, keys, CATALOGUE)


def opened(vendor: Vendor, key: SealingKey, private: rsa.RSAPrivateKey) -> dict[int, str]:
    found = seals_of(vendor.home / "landing", "mapping vendor", key, range(100))
    how = OAEP(MGF1(SHA256()), SHA256(), LABEL)
    return {patient: private.decrypt(seal, how).decode() for patient, seal in found.items()}


def called(vendor: Vendor, *identifiers: str) -> dict[int, str]:
    return {number(vendor, Kind.PATIENT, identifier): identifier for identifier in identifiers}


def files_of(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and path.name != "vendor.toml"]


def test_each_patient_is_sealed_for_their_own_practice(
    vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]
) -> None:
    vendor.land()
    one, two = key_of(vendor, "GPA", private["GPA"]), key_of(vendor, "GPB", private["GPB"])
    assert seal(vendor, one, two) == Sealed(fresh=5)
    assert opened(vendor, one, private["GPA"]) == called(vendor, "ZQX-1", "ZQX-2", "ZQX-6")
    assert opened(vendor, two, private["GPB"]) == called(vendor, "ZQX-3", "ZQX-5")
    with pytest.raises(ValueError, match="ecryption failed"):
        opened(vendor, one, private["GPB"])


def test_only_who_is_new_is_sealed(vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]) -> None:
    """A load of the same files seals for a key that was recorded since."""
    vendor.land()
    one, two = key_of(vendor, "GPA", private["GPA"]), key_of(vendor, "GPB", private["GPB"])
    assert not has_seals(vendor.home / "landing", "mapping vendor", one)
    assert [seal(vendor, one).fresh, seal(vendor, one).fresh, seal(vendor, one, two).fresh] == [3, 0, 2]
    assert has_seals(vendor.home / "landing", "mapping vendor", two)
    vendor.write("people.csv", PEOPLE + "ZQX-7,f,1960-01-01,,GPA,one\n")
    vendor.land()
    assert seal(vendor, one, two).fresh == 1


def test_a_new_key_is_sealed_for_anew(vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]) -> None:
    vendor.land()
    old, new = key_of(vendor, "GPA", private["GPA"]), key_of(vendor, "GPA", private["new"])
    seal(vendor, old)
    assert seal(vendor, new).fresh == 3
    assert opened(vendor, new, private["new"]) == called(vendor, "ZQX-1", "ZQX-2", "ZQX-6")
    assert opened(vendor, old, private["GPA"]) == {}


def test_seals_of_the_last_key_go_when_it_ends(vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]) -> None:
    """Nobody has a key any more, and what was sealed stays not."""
    vendor.land()
    one = key_of(vendor, "GPA", private["GPA"])
    assert seal(vendor) == Sealed() and seal(vendor, one).fresh == 3
    assert seal(vendor) == Sealed()
    assert not has_seals(vendor.home / "landing", "mapping vendor", one)


def test_seals_of_an_objector_are_purged(vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]) -> None:
    vendor.land()
    one = key_of(vendor, "GPA", private["GPA"])
    seal(vendor, one)
    objector = Objector(Kind.PATIENT, number(vendor, Kind.PATIENT, "ZQX-2"))
    leave_out([landing(vendor)], [objector], CATALOGUE)
    assert opened(vendor, one, private["GPA"]) == called(vendor, "ZQX-1", "ZQX-6")
    assert seal(vendor, one).fresh == 0, "who is not landed is not sealed again"


def test_who_is_in_the_landing_only_is_in_no_snapshot(
    vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]
) -> None:
    vendor.land()
    seal(vendor, key_of(vendor, "GPA", private["GPA"]))
    vendor.write("events.csv", "id,on,code\nZQX-1,2001-02-03,K86\n")
    snapshot = vendor.load().snapshot
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert "seals" not in tables and not list(snapshot.directory.rglob("*seal*"))


@pytest.mark.parametrize("careless", [False, True], ids=["sealed", "in the clear"])
def test_a_planted_identifier_is_found_nowhere(
    vendor: Vendor,
    private: dict[str, rsa.RSAPrivateKey],
    monkeypatch: pytest.MonkeyPatch,
    careless: bool,
) -> None:
    """With the seal taken out, the search finds them: so it would find what leaks."""
    if careless:
        monkeypatch.setattr(landed, "sealed", lambda _key, identifier: identifier.encode())
    vendor.load()
    seal(vendor, key_of(vendor, "GPA", private["GPA"]))
    leaking = [path.name for path in files_of(vendor.home) if b"ZQX-" in path.read_bytes()]
    assert bool(leaking) is careless, leaking


def test_what_is_too_long_is_told_and_not_cut(vendor: Vendor, private: dict[str, rsa.RSAPrivateKey]) -> None:
    vendor.write("people.csv", PEOPLE.replace("ZQX-6", "Z" * (LONGEST + 1)))
    vendor.land()
    assert seal(vendor, key_of(vendor, "GPA", private["GPA"])) == Sealed(fresh=2, too_long=1)


@pytest.mark.parametrize(
    "text",
    ["", "MIIB", "-----BEGIN PUBLIC KEY-----\n????\n-----END PUBLIC KEY-----", "é" * 50, "x" * 5000],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        public_key(text)


def test_weak_and_private_keys_are_refused() -> None:
    weak = rsa.generate_private_key(65537, 2048).public_key()
    with pytest.raises(BadKey):
        public_key(weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
