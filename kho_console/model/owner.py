"""Whose memory a preserved range is."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from kho_console.model.few import few
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs, view_of
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses, Buffer


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
    TRACE_BUFFER = "trace buffer"
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


class Ownership:
    """All preserved bytes cut into extents of one owner each, ascending, in buffers.

    Attributes:
        owners: The owners; the first one is always the unattributed rest.
        complete: False where the search for owners stopped at its limit.
    """

    __slots__ = ("_extents", "_numbers", "complete", "owners")

    def __init__(
        self,
        starts: "Buffer",
        ends: "Buffer",
        owner_of: "Buffer",
        owners: tuple[Owner, ...],
        complete: bool = True,
    ) -> None:
        """Take three buffers and copy nothing.

        Args:
            starts: u64, first byte of each extent.
            ends: u64, first byte behind each extent.
            owner_of: i32, index into `owners` for each extent.
            owners: See the class.
            complete: See the class.
        """
        self._extents = Runs(starts, ends)
        self._numbers = view_of(owner_of)
        self.owners = owners
        self.complete = complete

    def __len__(self) -> int:
        return len(self._extents)

    def __getitem__(self, index: int) -> Extent:
        return Extent(self._extents[index], self.owners[self._numbers[index]])

    def __iter__(self) -> Iterator[Extent]:
        return (self[index] for index in range(len(self)))

    @property
    def starts(self) -> "Addresses":
        """First byte of each extent: uint64, the same memory."""
        return self._extents.starts

    @property
    def ends(self) -> "Addresses":
        """First byte behind each extent: uint64, the same memory."""
        return self._extents.ends

    @property
    def owner_of(self) -> "NDArray[np.int32]":
        """Index into `owners` for each extent: int32, the same memory."""
        import numpy as np

        return np.frombuffer(self._numbers, np.int32)

    @property
    def buffers(self) -> tuple[memoryview, memoryview, memoryview]:
        """Starts, ends and indexes of owners: the same memory."""
        return *self._extents.buffers, self._numbers

    @property
    def bytes(self) -> int:
        """All preserved bytes."""
        return self._extents.bytes

    def bytes_by_owner(self) -> dict[Owner, int]:
        """Preserved bytes of every owner that has any."""
        totals: dict[Owner, int] = {}
        for owner, size in zip(self.owners, self._sizes(), strict=True):
            if size:
                totals[owner] = totals.get(owner, 0) + size
        return totals

    def _sizes(self) -> list[int]:
        """Preserved bytes of each owner, by its index."""
        if few(len(self)):
            sizes = [0] * len(self.owners)
            for (start, end), number in zip(self._extents.pairs(), self._numbers, strict=True):
                sizes[number] += end - start
            return sizes
        import numpy as np

        found = np.zeros(len(self.owners), np.uint64)
        np.add.at(found, self.owner_of, self.ends - self.starts)
        return [int(size) for size in found]
