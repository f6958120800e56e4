"""Four-level page tables: /proc/kcore and the direct map lie elsewhere than with five."""

from tests.vm.guest import Guest
from tests.vm.scenes import facts

EXTRA = "no5lvl"


def test_physical_memory_is_read_all_the_same(guest: Guest) -> None:
    assert " la57 " not in f"{guest.read('/proc/cpuinfo')} "
    if guest.kernel.series <= (7, 0):
        guest.run(f"echo 1 > {facts.KHO}/out/finalize")
    status = guest.document("status")
    assert status["handover"]["map_format"] == facts.kind(guest.kernel.series).map_format
    ranges = guest.document("preserved")["ranges"]
    for start, size in facts.reserved(guest).values():
        assert facts.covers(ranges, start, size)
    assert status["outgoing"]["preserved"]["bytes"] == sum(item["size"] for item in ranges)
