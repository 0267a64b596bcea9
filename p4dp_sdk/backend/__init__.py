"""The Ibis backend `p4dp` (entry point group `ibis.backends`): an expression goes to the gateway, a protected
answer returns."""

from p4dp_sdk.backend.ibis_interface import Backend

__all__ = ["Backend"]
