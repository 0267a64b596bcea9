"""`ws.quality`: how far columns are filled, which rules fired and why, asked as any other question."""

from p4dp_sdk.quality.report import Quality

__all__ = ["Quality"]
