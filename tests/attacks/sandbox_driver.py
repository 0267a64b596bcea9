"""Starts one program in a box as the launcher does, or without any box as the box's user would: see
`sandbox_range`."""

import json
import subprocess
import sys
from pathlib import Path

from hub_config.boxes.box import Box, Mount, ScratchSpace
from hub_config.boxes.confinement import become, open_the_way
from hub_config.boxes.entrance import enter


def boxed(fields: dict) -> Box:
    fields["mounts"] = tuple(Mount(Path(m["source"]), m["target"], m["writable"]) for m in fields["mounts"])
    fields["scratch"] = tuple(ScratchSpace(**space) for space in fields["scratch"])
    return Box(**fields)


def bare(uid: int | None) -> None:
    if uid is not None:
        open_the_way([Path(sys.base_prefix), Path(sys.prefix)])
        become(uid)


order = json.loads(sys.argv[1])
if order["box"] is None:
    sys.exit(subprocess.call(order["command"], preexec_fn=lambda: bare(order["uid"])))
entrance = enter(boxed(order["box"]), order["command"], uid=order["uid"])
sys.exit(
    subprocess.call(
        entrance.command,
        pass_fds=entrance.keep_open,
        preexec_fn=entrance.before_exec,
        env=entrance.environment,
    )
)
