"""`ws.quality`: how far columns are filled, which rules fired and why, what moved since the version before;
asked as any other question."""

from p4dp_sdk.quality.previous import Previous
from p4dp_sdk.quality.report import Quality

__all__ = ["Previous", "Quality"]
