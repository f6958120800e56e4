"""Finalize of 6.19 and 7.0: it can be repeated, and not taken back."""

from tests.vm.guest import Guest
from tests.vm.scenes import facts
from tests.vm.scenes.facts import KHO

FILE = f"{KHO}/out/finalize"


def APPLIES(series: tuple[int, int]) -> bool:  # noqa: N802
    return (6, 19) <= series <= (7, 0)


def test_finalize_latches(guest: Guest) -> None:
    assert "Invalid argument" in guest.try_run(f"/bin/echo 0 > {FILE}").err
    assert guest.document("status")["handover"]["state"] == "open"
    guest.run(f"echo 1 > {FILE}; echo 1 > {FILE}")
    assert "Invalid argument" in guest.try_run(f"/bin/echo 0 > {FILE}").err
    assert guest.read(FILE) == "1"
    status = guest.document("status")
    assert status["handover"]["state"] == "finalized"
    assert status["handover"]["finalize"] == "latching"
    assert status["handover"]["map_format"] == "chunks-page"


def test_what_is_preserved_can_be_read_once_finalized(guest: Guest) -> None:
    ranges = guest.document("preserved")["ranges"]
    for start, size in facts.reserved(guest).values():
        assert facts.covers(ranges, start, size)
