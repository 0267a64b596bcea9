"""Files of practice software as Arrow batches of text: CSV, XML and JSON, streamed, none of it believed.

`open_rows` is the way in. A file that can't be read as a whole is a SourceProblem with its name and line and
never a value; a record whose form doesn't fit is noted and left out. Nothing is guessed: no type, no
delimiter, no encoding. Nothing outside the file is ever fetched.
"""

from hub_config.warehouse.loader.readers.problems import SourceProblem
from hub_config.warehouse.loader.readers.rows import (
    FILE,
    LINE,
    RECORD,
    Kind,
    Part,
    TextRows,
    matching,
    one_pass,
    open_kinds,
    open_rows,
)

__all__ = [
    "FILE",
    "LINE",
    "RECORD",
    "Kind",
    "Part",
    "SourceProblem",
    "TextRows",
    "matching",
    "one_pass",
    "open_kinds",
    "open_rows",
]
