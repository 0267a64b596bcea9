"""Code lists as data: what a list file may hold, and which codes of a system its patterns name.

Pure (floor 0): text in, values out. The workspace reads lists with it (`p4dp_sdk.codelists`), and the
enclave checks with it what an operator adds.
"""

from p4dp_sdk.catalogue.code_lists.document import ListDocument, parse_document, write_document
from p4dp_sdk.catalogue.code_lists.flaws import BadCodeList, Flaw, Place, explain_flaw
from p4dp_sdk.catalogue.code_lists.patterns import Codebooks, Patterns, checked, resolved

__all__ = [
    "BadCodeList",
    "Codebooks",
    "Flaw",
    "ListDocument",
    "Patterns",
    "Place",
    "checked",
    "explain_flaw",
    "parse_document",
    "resolved",
    "write_document",
]
