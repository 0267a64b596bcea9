"""The names by which the loader reads files; `readers` holds what they mean."""

from hub_config.warehouse.loader.readers import FILE, LINE, SourceProblem, TextRows, matching, open_rows

__all__ = ["FILE", "LINE", "SourceProblem", "TextRows", "matching", "open_rows"]
