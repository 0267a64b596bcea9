"""A registered notebook reads the home of a member, where rows that they saw may lie, so that its run carries
them out under the enclave's name.

In the real box of a run. It first succeeds in the box with that defence taken out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub_config.boxes.box import Mount
from tests.attacks.sandbox_range import MODES, SECRET, Range
from tests.attacks.test_report_inputs import box_of, place_of, run_home

LOOKS = """
import os
for top, _, names in os.walk("/"):
    if not top.startswith(("/proc", "/sys", "/usr", "/opt")):
        for name in names:
            if name == "lignes.csv":
                print(open(os.path.join(top, name)).read())
print("fini")
"""


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


def test_no_members_home_is_in_the_box_of_a_run(enclave: Range) -> None:
    box = box_of(place_of(enclave, run_home(enclave)))
    (enclave.home / "lignes.csv").write_text(SECRET)
    (enclave.home / "lignes.csv").chmod(0o644)
    seen = replace(box, mounts=(*box.mounts, Mount(enclave.home, "/home/ines")))
    assert SECRET in enclave.tell(seen, LOOKS), "undefended, the attack succeeds"
    said = enclave.tell(box, LOOKS)
    assert SECRET not in said and "fini" in said
