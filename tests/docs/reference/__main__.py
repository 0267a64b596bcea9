"""`make docs`: write the generated pages of docs/reference. A test checks that they are current."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from . import catalogue, commands, errors, indicators, lifecycle, lives, quality, settings

DIRECTORY = Path(__file__).parents[3] / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings.build,
    "cli.md": commands.build,
    "catalogue.md": catalogue.build,
    "errors.md": errors.build,
    "indicators.md": indicators.build,
    "quality-rules.md": quality.build,
    "project-status.md": lifecycle.build,
    "airlock-states.md": lives.airlock,
    "states.md": lives.others,
}


def main() -> None:
    for name, build in PAGES.items():
        (DIRECTORY / name).write_text(build(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
