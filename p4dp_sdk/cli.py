"""`p4dp`, a workspace's command, typed in a notebook as `!p4dp whoami`: who am I here, what tables are there,
how are my requests of release.

Speaks the language of `P4DP_LANG` or `LANG`. Exit codes: 0 done, 1 the enclave said no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from p4dp_sdk.errors import P4DPError
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    from p4dp_sdk.releases.listing import Releases
    from p4dp_sdk.releases.request import ReleaseRequest
    from p4dp_sdk.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        _run(asked)
    except P4DPError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="p4dp", description=_("The project of this workspace, in a few lines.")
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar=_("COMMAND"))
    commands.add_parser("whoami", help=_("who you are here, for which project, with which rights"))
    tables = commands.add_parser("tables", help=_("the project's tables, or the columns of one"))
    tables.add_argument("name", nargs="?", help=_("a table's name"))
    release = commands.add_parser("release", help=_("your requests of release"))
    asked = release.add_subparsers(dest="release", required=True, metavar=_("COMMAND"))
    status = asked.add_parser("status", help=_("how they stand, or what was found in one"))
    status.add_argument("id", nargs="?", help=_("a request's number"))
    send = asked.add_parser("send", help=_("hand a draft to the reviewers"))
    send.add_argument("id", help=_("a request's number"))
    return parser


def _run(asked: argparse.Namespace) -> None:
    from p4dp_sdk.workspace import connect

    workspace = connect()
    if asked.command == "whoami":
        print(workspace)
    elif asked.command == "release":
        print(_release(workspace, asked))
    elif asked.name:
        print(workspace.catalogue[asked.name])
    else:
        print(workspace.catalogue)


def _release(workspace: Workspace, asked: argparse.Namespace) -> Releases | ReleaseRequest:
    if asked.release == "send":
        return workspace.releases[asked.id].send()
    return workspace.releases[asked.id] if asked.id else workspace.releases


if __name__ == "__main__":
    sys.exit(main())
