"""The root of everything the warehouse foresees: its message is written for operators and carries no data
value."""

from __future__ import annotations


class WarehouseProblem(Exception):
    """Something foreseen: the message says what, why and what to do next. Nothing half-made was kept."""
