"""The steps of a request and of a key as the desk's people take them, and the file as the practice
opens it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from sqlalchemy import select

from hub_config.governance.recontact import models, requests
from hub_config.governance.recontact.facts import Listed
from hub_config.governance.recontact.requests import Asked
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.sealing.envelope import LABEL, WRAPPING, fingerprint_of
from tests.pages import visiting

SOURCE = "preset A"
SOUGHT = {1: 1, 2: 1, 30: 2}  # patients and their GPs
AT = datetime(2026, 1, 5, tzinfo=UTC)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def opened(key: rsa.RSAPrivateKey, document: dict[str, object]) -> set[str]:
    """As the tool of the practice does: the blanks left out."""
    how = OAEP(MGF1(SHA256()), SHA256(), LABEL)
    return {text for text in (key.decrypt(seal, how).decode() for seal in seals_in(key, document)) if text}


def seals_in(key: rsa.RSAPrivateKey, document: dict[str, object]) -> list[bytes]:
    parts = (base64.b64decode(str(document[name])) for name in ("wrapped", "nonce", "sealed"))
    wrapped, nonce, closed = parts
    once = AESGCM(key.decrypt(wrapped, OAEP(MGF1(SHA256()), SHA256(), WRAPPING)))
    shown = ("format", "request", "key", "project", "title", "protocol", "made_on")
    said = json.dumps([document[name] for name in shown], ensure_ascii=False, separators=(",", ":"))
    content = once.decrypt(nonce, closed, said.encode())
    return [content[start : start + len(wrapped)] for start in range(0, len(content), len(wrapped))]


def request(store: Store, at: datetime | None = None, definition: str = "SELECT 1") -> str:
    told = "Bonjour docteur.", 1, SOURCE, True, 30
    asked = Asked("essai", "Essai HTA", *told, definition, ("diagnoses", "patients"))
    people = [Listed(patient, gp) for patient, gp in SOUGHT.items()]
    with store.change() as session:
        moment = at or datetime.now(UTC)
        return requests.ask(session, asked, people, at=moment, audit=store.recorder("lea")).id


def record(app: FastAPI, key: str, who: str = "alix", **said: str) -> httpx.Response:
    form = {"cabinet": "CAB-1", "identifiant": synthetic_id(Kind.PHYSICIAN, 1), "cle": key}
    form |= {"empreinte": fingerprint_of(key), **said}
    return visiting(app, who, Role.AQD).post("/recontact/cles", form)


def confirm(app: FastAPI, store: Store, heard: str, who: str = "dora", gp: str = "") -> httpx.Response:
    with store.session() as session:
        last = session.scalars(select(models.PracticeKey).where(models.PracticeKey.confirmed_by.is_(None)))
        key = last.all()[-1]
    said = {"empreinte": heard, "identifiant": gp or synthetic_id(Kind.PHYSICIAN, key.physician_no)}
    return visiting(app, who, Role.DPO).post(f"/recontact/cles/{key.id}/confirmation", said)


def with_key(app: FastAPI, store: Store, key: rsa.RSAPrivateKey, practice: int = 1) -> str:
    public = pem(key)
    gp = synthetic_id(Kind.PHYSICIAN, practice)
    answer = record(app, public, cabinet=f"CAB-{practice}", identifiant=gp)
    assert answer.status_code == 303, answer.text
    assert confirm(app, store, fingerprint_of(public)).status_code == 303
    with store.session() as session:
        found = select(models.PracticeKey).where(models.PracticeKey.fingerprint == fingerprint_of(public))
        return session.scalars(found).one().id


def step(app: FastAPI, who: str, role: Role, recontact: str, wanted: str, **said: str) -> httpx.Response:
    return visiting(app, who, role).post(f"/recontact/{recontact}", {"etape": wanted, **said})


def announced(app: FastAPI, store: Store) -> str:
    made = request(store)
    assert step(app, "diane", Role.MEDECIN_DIM, made, "approve").status_code == 303
    assert step(app, "alix", Role.AQD, made, "announce").status_code == 303
    return made


def fetch(app: FastAPI, recontact: str, key: str) -> httpx.Response:
    return visiting(app, "alix", Role.AQD).post(f"/recontact/{recontact}/cabinets/{key}")
