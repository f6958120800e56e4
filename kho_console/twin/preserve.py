"""Preserving memory: how a range becomes blocks, and what a kernel refuses."""

import errno
from collections.abc import Iterator

from kho_console.model.memory import MemoryRange
from kho_console.twin.allocator import Allocator
from kho_console.twin.refused import Refused
from kho_console.twin.tracker import Tracker


class Preserver:
    """The in-kernel calls of one kernel: kho_preserve_folio, kho_preserve_pages and back.

    Attributes:
        shut: Whether it is finalized on a release that preserves nothing then (6.16 to 6.18).
    """

    def __init__(
        self,
        allocator: Allocator,
        tracker: Tracker,
        scratch: tuple[MemoryRange, ...],
        *,
        within_nodes: bool,
    ) -> None:
        """Record in `tracker`; from 7.1 on no block is of two nodes (`within_nodes`)."""
        self._allocator = allocator
        self._page_size = allocator.memory.page_size
        self._scratch = scratch
        self._within_nodes = within_nodes
        self.tracker = tracker
        self.shut = False

    def folio(self, address: int, order: int) -> None:
        """Preserve one block of its own order.

        Raises:
            Refused: EINVAL where it is not aligned or lies in scratch, EBUSY, ENOMEM.
        """
        self._check(MemoryRange(address, self._page_size << order), self._page_size << order)
        self.tracker.mark(address, 1, order, True)

    def folios(self, address: int, count: int, order: int = 0) -> None:
        """Preserve `count` blocks of one order in a row.

        Raises:
            Refused: As for `folio`.
        """
        block = self._page_size << order
        self._check(MemoryRange(address, count * block), block)
        self.tracker.mark(address, count, order, True)

    def range(self, wanted: MemoryRange) -> None:
        """Preserve whole pages, split into blocks.

        Raises:
            Refused: As for `folio`.
        """
        self._check(wanted, self._page_size)
        for address, order in self.split(wanted):
            self.tracker.mark(address, 1, order, True)

    def forget_folios(self, address: int, count: int, order: int = 0) -> None:
        """Take `folios` back.

        Raises:
            Refused: EBUSY.
        """
        self._check_open()
        self.tracker.mark(address, count, order, False)

    def forget(self, wanted: MemoryRange) -> None:
        """Take `range` back.

        Raises:
            Refused: EBUSY.
        """
        self._check_open()
        for address, order in self.split(wanted):
            self.tracker.mark(address, 1, order, False)

    def split(self, wanted: MemoryRange) -> Iterator[tuple[int, int]]:
        """Address and order of the largest aligned blocks, first to last."""
        frame, end = wanted.start // self._page_size, wanted.end // self._page_size
        while frame < end:
            aligned = (frame & -frame).bit_length() - 1 if frame else 63
            order = min(aligned, (end - frame).bit_length() - 1)
            while self._within_nodes and order and self._straddles(frame, order):
                order -= 1
            yield frame * self._page_size, order
            frame += 1 << order

    def _straddles(self, frame: int, order: int) -> bool:
        last = frame + (1 << order) - 1
        node_of = self._allocator.node_of
        return node_of(frame * self._page_size) != node_of(last * self._page_size)

    def _check(self, wanted: MemoryRange, align: int) -> None:
        self._check_open()
        if wanted.start % align or wanted.size % self._page_size or not wanted.size:
            raise Refused(errno.EINVAL, f"0x{wanted.start:x} is no block")
        if any(area.size and wanted.overlaps(area) for area in self._scratch):
            raise Refused(errno.EINVAL, f"0x{wanted.start:x} lies in scratch")

    def _check_open(self) -> None:
        if self.shut:
            raise Refused(errno.EBUSY, "the handover is finalized")
