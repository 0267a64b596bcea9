"""Code lists: which codes, of which systems, mean a condition or a drug class.

    p4dp.codes("diabète de type 2")                    # by name or label, accents aside
    p4dp.codes.search("diabete")
    p4dp.codes.read("ma_liste.toml")
    p4dp.CodeList(id="…", codes={"cisp2": ("T90",)})   # one's own

A list names its systems: A10 is bleeding in CISP-2 and antidiabetics in ATC. Lists ship with the SDK
(`starter/`), operators share some among all projects, and a project keeps its own in files.
"""

from p4dp_sdk.codelists.difference import Difference
from p4dp_sdk.codelists.errors import CodeListError, CodeListWarning, UnknownCodeListError
from p4dp_sdk.codelists.library import Library, codes
from p4dp_sdk.codelists.model import CodeList

__all__ = [
    "CodeList",
    "CodeListError",
    "CodeListWarning",
    "Difference",
    "Library",
    "UnknownCodeListError",
    "codes",
]
