"""Templates of the pages, and their words."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from hub_config.warehouse.pages.language import Words


def rendered(template: str, words: Words, **values: object) -> str:
    loader = PackageLoader("hub_config.warehouse.pages", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(_=words, words=words, **values) + "\n"
