"""What became of incoming memory, range by range."""

from kho_console.engine.arrived import Fates
from kho_console.model.kho2024 import Fate, FateShare
from kho_console.model.memory import MemoryRange


def test_a_range_met_every_fate_of_the_memory_in_it() -> None:
    found = Fates(
        (
            (MemoryRange(0x4000, 0x1000), Fate.RETURNED),
            # A hostile tree lists one range over others.
            (MemoryRange(0x1000, 0x8000), Fate.WAITING),
            (MemoryRange(0x2000, 0x1000), Fate.CLAIMED),
        )
    )
    assert found.within(MemoryRange(0x4000, 0x1000)) == (Fate.RETURNED, Fate.WAITING)
    assert found.within(MemoryRange(0x8000, 0x1000)) == (Fate.WAITING,)
    assert found.within(MemoryRange(0x9000, 0x1000)) == ()
    assert found.within(MemoryRange(0, 0x10000)) == tuple(Fate)
    assert found.shares()[2] == FateShare(Fate.WAITING, 1, 0x8000)
    assert Fates().within(MemoryRange(0, 1)) == () == Fates().shares()
