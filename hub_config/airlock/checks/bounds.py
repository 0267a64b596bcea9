"""What one inspection may use. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub_config.airlock.checks.inside.found import Sizes


@dataclass(frozen=True)
class Bounds:
    """`input_bytes`: a larger file isn't read at all. `uid`: who the process is where the airlock runs as
    root. `program`: what it runs, as Python's arguments."""

    memory: int = 2**30
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    output_bytes: int = 48 * 2**20  # a preview, and a file of the largest size written anew, as base64
    input_bytes: int = 64 * 2**20
    processes: int = 1
    uid: int = 69_999
    sizes: Sizes = field(default_factory=Sizes)
    program: tuple[str, ...] = ("-m", "hub_config.airlock.checks.inside.program")
