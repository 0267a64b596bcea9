"""SDK of the P4DP enclave: `import p4dp_sdk as p4dp; ws = p4dp.connect()`, then ordinary Ibis on `ws.tables`.

Lazy (PEP 562): importing it loads nothing, neither for a notebook that starts nor for the enclave, which
takes the wire format and the catalogue from the same package. What a name stands for is imported when it is
first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p4dp_sdk import indicators, plots
    from p4dp_sdk.classes import age_bands, desc, value_bands
    from p4dp_sdk.codelists import CodeList, codes
    from p4dp_sdk.cohorts import Cohort
    from p4dp_sdk.distributions import histogram, quantiles
    from p4dp_sdk.errors import EnclaveError, NotGenuineError, P4DPError, UnknownCodeWarning, WithheldWarning
    from p4dp_sdk.locale import language
    from p4dp_sdk.tables.safe import SafeTable
    from p4dp_sdk.wire.errors import ErrorCode
    from p4dp_sdk.wire.protocol import Disclosure
    from p4dp_sdk.workspace import Workspace, connect

__version__ = "0.1.0"

_HOMES = {
    "connect": "workspace",
    "Workspace": "workspace",
    "age_bands": "classes",
    "value_bands": "classes",
    "desc": "classes",
    "Cohort": "cohorts",
    "codes": "codelists",
    "CodeList": "codelists",
    "histogram": "distributions",
    "quantiles": "distributions",
    "language": "locale",
    "EnclaveError": "errors",
    "P4DPError": "errors",
    "UnknownCodeWarning": "errors",
    "WithheldWarning": "errors",
    "ErrorCode": "wire.errors",
    "NotGenuineError": "errors",
    "SafeTable": "tables.safe",
    "Disclosure": "wire.protocol",
}

__all__ = [
    "CodeList",
    "Cohort",
    "Disclosure",
    "EnclaveError",
    "ErrorCode",
    "NotGenuineError",
    "P4DPError",
    "SafeTable",
    "UnknownCodeWarning",
    "WithheldWarning",
    "Workspace",
    "__version__",
    "age_bands",
    "codes",
    "connect",
    "desc",
    "histogram",
    "indicators",
    "language",
    "plots",
    "quantiles",
    "value_bands",
]


def __getattr__(name: str) -> Any:
    if name in ("indicators", "plots"):
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
