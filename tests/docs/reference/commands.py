"""`cli.md`: every command of `p4dp-enclave`, from click's own description of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from hub_config.cli import main

from .page import code, page, table

PROGRAM = "p4dp-enclave"
HOW = f"""
For operators. `{PROGRAM}` is `.venv/enclave/bin/{PROGRAM}` in the checkout; `make setup` makes it. It works
on the enclave of `$P4DP_HOME`, running or not, and takes `-h` and `--help` everywhere.

Exit codes: 0 done; 1 a check found something broken, or `up` could not start; 2 wrong usage, or refused with
the reason; 3 (`status`) not running.
"""


def build() -> str:
    parts = [part for path, command in walk(main, (PROGRAM,)) for part in _command(path, command)]
    return page("Commands", HOW, *parts)


def walk(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below `group`, groups before their members."""
    context = click.Context(group, info_name=path[-1])
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    if isinstance(command, click.Group):
        yield f"## {' '.join(path[1:])}"
        yield _text(command)
        return
    yield f"{'##' if len(path) == 2 else '###'} {' '.join(path[1:])}"
    usage = " ".join([*path, *command.collect_usage_pieces(context)])
    yield f"`{usage}`"
    yield _text(command)
    yield table(["Option", "Means"], _options(command, context))


def _text(command: click.Command) -> str:
    """The help as paragraphs; one that click must not rewrap (`\\b`) is an example."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(_example(p) if p.startswith("\b") else " ".join(p.split()) for p in paragraphs)


def _example(paragraph: str) -> str:
    lines = paragraph.removeprefix("\b").strip("\n")
    return f"```sh\n{lines}\n```"


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            yield code(record[0]), record[1]
