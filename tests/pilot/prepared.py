"""A console on a machine of any size: a recording with made-up memory."""

from dataclasses import replace

import numpy as np

from kho_console.abi import runs
from kho_console.engine import strip
from kho_console.engine.observer import Look, Observer, View
from kho_console.model.memory import MemoryRange, Node
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.unknown import Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.tui.app import KhoConsole
from tests.recordings import folder

GIB = 1 << 30
PAGE = 4096
_OWNERS = (
    Owner(OwnerKind.UNATTRIBUTED),
    Owner(OwnerKind.MEMFD, b"0x1000", b"vm-web", 2 << 20),
    Owner(OwnerKind.RESERVE_MEM, b"oops"),
)


class _Prepared(Observer):
    """Looks at a recording, and shows it with other memory."""

    def __init__(self, extents: int, homes: tuple[Node, ...], **memory: object) -> None:
        super().__init__(FixtureSource(folder("linux-7.3.4/ready")))
        self._extents = extents
        self._memory = {"nodes": homes, "blocks": (), "crash_regions": (), **memory}

    def look(self, wanted: Look = Look.FULL) -> View:
        view = super().look(wanted)
        inventory = view.snapshot.inventory
        if self._extents:
            found, ownership = preserved(self._extents)
            inventory = replace(inventory, preserved=found, ownership=ownership)
        memory = replace(view.snapshot.memory, **self._memory)  # type: ignore[arg-type]
        snapshot = replace(view.snapshot, inventory=inventory, memory=memory)
        return replace(view, snapshot=snapshot, strip=strip.strip_map(snapshot))


def preserved(extents: int) -> tuple[PreservedMap, Ownership]:
    """Every second page preserved; of eight extents in a row two belong to a memfd, one to oops."""
    starts = np.arange(extents, dtype=np.uint64) * np.uint64(2 * PAGE)
    ends = starts + np.uint64(PAGE)
    owner_of = np.array([0, 0, 1, 1, 0, 2, 0, 0], np.int32)[np.arange(extents) % 8]
    found = recorded_map()
    whole = Runs(starts, ends)
    return (
        replace(found, by_order={0: whole}, ranges=whole, structure=runs.empty()),
        Ownership(starts, ends, owner_of, _OWNERS),
    )


def recorded_map() -> PreservedMap:
    found = Observer(FixtureSource(folder("linux-7.3.4/ready"))).look().snapshot.inventory.preserved
    assert not isinstance(found, Unknown)
    return found


def prepared(extents: int = 0, nodes: int = 1, size: int = GIB, **memory: object) -> KhoConsole:
    """A console on a recording with so many nodes in a row, each of so many bytes.

    Args:
        extents: How many there are; 0 for those of the recording.
        nodes: How many nodes there are.
        size: Bytes of each.
        memory: Other fields of the memory layout.
    """
    homes = tuple(Node(at, (MemoryRange(at * size, size),)) for at in range(nodes))
    memory.setdefault("ram", (MemoryRange(0, nodes * size),))
    return KhoConsole(_Prepared(extents, homes, **memory))
