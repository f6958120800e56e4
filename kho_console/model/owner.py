"""Whose memory a preserved range is."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kho_console.model.memory import MemoryRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses


class OwnerKind(StrEnum):
    """What kind of thing preserved memory belongs to."""

    ROOT_TREE = "root tree"
    BLOB = "blob"
    RESERVE_MEM = "reserve_mem"
    MEMFD = "memfd"
    MEMFD_RECORD = "memfd record"
    VMALLOC = "vmalloc"
    LIVE_UPDATE = "live update"
    KHO_TEST = "kho_test"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner of preserved memory.

    Attributes:
        kind: The kind of owner.
        name: Its name as the kernel has it (a region, a blob), for a memfd the physical address
            of its state, empty where there is nothing to tell it by.
        session: For a memfd, the live-update session it belongs to, where that is known.
        size: For a memfd, its file size in bytes.
    """

    kind: OwnerKind
    name: bytes = b""
    session: bytes | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """Contiguous preserved bytes of one owner."""

    range: MemoryRange
    owner: Owner


@dataclass(frozen=True, slots=True, eq=False)
class Ownership:
    """All preserved bytes cut into extents of one owner each, ascending, as arrays.

    Attributes:
        starts: uint64, first byte of each extent.
        ends: uint64, first byte behind each extent.
        owner_of: int32, index into `owners` for each extent.
        owners: The owners; the first one is always the unattributed rest.
        complete: False where the search for owners stopped at its limit.
    """

    starts: "Addresses"
    ends: "Addresses"
    owner_of: "NDArray[np.int32]"
    owners: tuple[Owner, ...]
    complete: bool = True

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> Extent:
        start = int(self.starts[index])
        size = int(self.ends[index]) - start
        return Extent(MemoryRange(start, size), self.owners[int(self.owner_of[index])])

    def __iter__(self) -> Iterator[Extent]:
        return (self[index] for index in range(len(self)))

    def bytes_by_owner(self) -> dict[Owner, int]:
        """Preserved bytes of every owner that has any."""
        totals: dict[Owner, int] = {}
        sizes = self.ends - self.starts
        for index, owner in enumerate(self.owners):
            size = int(sizes[self.owner_of == index].sum())
            if size:
                totals[owner] = totals.get(owner, 0) + size
        return totals
