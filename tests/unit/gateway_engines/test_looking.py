"""How long a copy on an engine elsewhere is believed to be the snapshot's."""

from __future__ import annotations

import pytest

from hub_config.gateway.engines.looking import SECONDS, Looked
from hub_config.warehouse.engines.description import Description
from p4dp_sdk.wire.errors import ErrorCode, Refusal

OURS = Description("ours", {})


class Elsewhere:
    """A clock, and what there is to see."""

    def __init__(self) -> None:
        self.at, self.looks, self.there = 0.0, 0, "ours"

    def look(self) -> Description:
        self.looks += 1
        if self.there != "ours":
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=1)
        return OURS

    def looked(self, seconds: float = SECONDS) -> Looked:
        return Looked(self.look, seconds, lambda: self.at)


def test_one_look_is_enough_for_a_while() -> None:
    there = Elsewhere()
    looked = there.looked()
    for there.at in (0.0, 1.0, SECONDS - 1):
        assert looked.found() is OURS
    assert there.looks == 1


@pytest.mark.parametrize("defended", [False, True], ids=["believed-for-ever", "for-real"])
def test_another_copy_is_refused(defended: bool) -> None:
    there = Elsewhere()
    looked = there.looked(SECONDS if defended else float("inf"))
    looked.found()
    there.at, there.there = SECONDS, "theirs"
    if not defended:
        assert looked.found() is OURS
        return
    for _ in range(2):  # and as long as it is there
        with pytest.raises(Refusal):
            looked.found()
    there.there = "ours"
    assert looked.found() is OURS


def test_after_any_refusal_it_is_looked_again() -> None:
    there = Elsewhere()
    looked = there.looked()
    looked.found()
    with pytest.raises(Refusal), looked.doubting():
        raise Refusal(ErrorCode.WAREHOUSE_UNREACHABLE)
    there.there = "theirs"
    with pytest.raises(Refusal):
        looked.found()
    assert there.looks == 2
