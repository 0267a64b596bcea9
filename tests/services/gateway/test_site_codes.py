"""A site's own table of codes: the gateway serves it, and closes its keys with it."""

from __future__ import annotations

from pathlib import Path

from hub_config.codelists.in_force import site_catalogue
from tests.services.gateway.peer_enclave import Enclave, Workspace, table


def by_code() -> object:
    d = table("diagnoses")
    return d.group_by("cisp2").agg(n=d.patient_id.nunique())


async def test_a_loaded_code_is_served_and_is_a_row_of_its_own(
    enclave: Enclave, ines: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "cisp2.csv").write_text(
        "code,label_fr,label_en,parent\nT88,Code du site,Site's code,T\nT90,DNID,T2DM,X\n", encoding="utf-8"
    )
    richer = enclave.with_gateway(catalogue=site_catalogue(tmp_path)).workspace("ines", "these-ines")
    document = (await richer.get("/v1/catalogue")).json()
    (system,) = (one for one in document["code_systems"] if one["name"] == "cisp2")
    served = {code["code"]: (code["label_fr"], code["parent"]) for code in system["codes"]}
    assert served["T88"] == ("Code du site", "T")
    assert served["T90"] == ("DNID", "T"), "a better label under the same chapter"

    plain, _ = await ines.answer(by_code())
    extended, _ = await richer.answer(by_code())
    assert set(extended["cisp2"].to_pylist()) - set(plain["cisp2"].to_pylist()) == {"T88"}
    shown = dict(zip(*(extended[name].to_pylist() for name in ("cisp2", "n")), strict=True))
    assert shown["T88"] is None, "nobody has it, which looks like few"


async def test_without_tables_the_answer_is_the_same_to_the_byte(
    enclave: Enclave, ines: Workspace, tmp_path: Path
) -> None:
    same = enclave.with_gateway(catalogue=site_catalogue(tmp_path)).workspace("ines", "these-ines")
    one = (await ines.get("/v1/catalogue")).json()
    other = (await same.get("/v1/catalogue")).json()
    assert {**one, "request_id": ""} == {**other, "request_id": ""}
