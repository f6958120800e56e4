"""The page table of v1: which memory the next kernel reserves, one bit for each page.

Levels are those of x86-64 with four levels (512 slots each, by bits 39, 30 and 21 of the address),
but for the last: a slot there leads to a page whose first 64 bytes are a bit for each 4 KiB.
With 0x80 in such a slot all 2 MiB are preserved, whether or not there is a bitmap beside it. Slots
have no present bit. The table's own pages are in it too, and the super block is not.
A table of five levels is not told from one of four, so it is read as a damaged one.
"""

import struct
from collections.abc import Iterator

from kho_console.abi import runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import PhysicalMemory
from kho_console.abi.pkram.chain import Frames
from kho_console.abi.pkram.layout import PAGE, SHIFT
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs

_WHOLE = 0x80
_ROLE = "page table"
_SHIFTS = (39, 30, 21)
_SLOT = 1 << _SHIFTS[-1]
_SLOTS = struct.Struct("<512Q")
_BITMAP = 64
_REACH = 1 << 48
_MOST = 1 << 16
"""Pages of a table that is written, at most."""


def read(memory: PhysicalMemory, pgd_pfn: int, frames: Frames) -> tuple[MemoryRange, ...]:
    """The memory of a table, ascending and joined.

    Raises:
        FormatError: A page of it has another role, or a slot leads beyond memory.
        MissingMemory: A page of it cannot be had.
    """
    found = runs.of_ranges(_walked(memory, pgd_pfn, frames, 0, 0))
    return tuple(MemoryRange(start, end - start) for start, end in found.pairs())


def write(preserved: Runs, frames: Iterator[int]) -> tuple[int, dict[int, bytes]]:
    """The pages of a table by their frames, and the frame of its root.

    Args:
        preserved: All that is to be in it but for the table itself.
        frames: Frames to take for it.

    Raises:
        ValueError: Something lies above what four levels reach, or it takes too many pages.
    """
    return _Writing(frames).written(preserved)


def _walked(
    memory: PhysicalMemory, pfn: int, frames: Frames, base: int, level: int
) -> Iterator[tuple[int, int]]:
    words = _SLOTS.unpack(memory.read(frames.take(pfn, _ROLE), PAGE))
    for at, word in enumerate(words):
        start = base + (at << _SHIFTS[level])
        if not word:
            continue
        if level + 1 < len(_SHIFTS):
            if word % PAGE:
                raise FormatError((pfn << SHIFT) + 8 * at, f"0x{word:x} is no slot of a page table")
            yield from _walked(memory, word >> SHIFT, frames, start, level + 1)
            continue
        bitmap = b""
        if word & -PAGE:
            bitmap = memory.read(frames.take(word >> SHIFT, _ROLE), PAGE)[:_BITMAP]
        if word & _WHOLE:
            yield start, start + _SLOT
        elif word % PAGE:
            raise FormatError((pfn << SHIFT) + 8 * at, f"0x{word:x} is no slot of a bitmap")
        else:
            yield from _bits(bitmap, start)


def _bits(bitmap: bytes, start: int) -> Iterator[tuple[int, int]]:
    left = int.from_bytes(bitmap, "little")
    for at in range(8 * _BITMAP):
        if left >> at & 1:
            yield start + (at << SHIFT), start + (at + 1 << SHIFT)


class _Writing:
    def __init__(self, frames: Iterator[int]) -> None:
        self._frames = frames
        self._tables: dict[int, list[int]] = {}
        self._bitmaps: dict[int, int] = {}

    def written(self, preserved: Runs) -> tuple[int, dict[int, bytes]]:
        root = self._table()
        for start, end in preserved.pairs():
            self._add(root, start, end)
        done: set[int] = set()
        # Its own pages are in it, which may take further pages.
        while new := (self._tables.keys() | self._bitmaps.keys()) - done:
            done |= new
            for pfn in sorted(new):
                self._add(root, pfn << SHIFT, pfn + 1 << SHIFT)
        pages = {pfn: _SLOTS.pack(*words) for pfn, words in self._tables.items()}
        for pfn, bits in self._bitmaps.items():
            pages[pfn] = bits.to_bytes(_BITMAP, "little").ljust(PAGE, b"\0")
        return root, pages

    def _table(self) -> int:
        if len(self._tables) + len(self._bitmaps) > _MOST:
            raise ValueError(f"a page table of more than {_MOST} pages")
        pfn = next(self._frames)
        self._tables[pfn] = [0] * 512
        return pfn

    def _add(self, root: int, start: int, end: int) -> None:
        if end > _REACH:
            raise ValueError(f"0x{end - 1:x} is above what four levels of a page table reach")
        while start < end:
            pfn = root
            for shift in _SHIFTS[:-1]:
                at = start >> shift & 511
                words = self._tables[pfn]
                if not words[at]:
                    words[at] = self._table() << SHIFT
                pfn = words[at] >> SHIFT
            until = min(end, (start | _SLOT - 1) + 1)
            self._mark(self._tables[pfn], start, until)
            start = until

    def _mark(self, words: list[int], start: int, end: int) -> None:
        at = start >> _SHIFTS[-1] & 511
        if end - start == _SLOT and not words[at]:
            words[at] = _WHOLE
        if words[at] & _WHOLE:
            return
        if not words[at]:
            pfn = next(self._frames)
            self._bitmaps[pfn] = 0
            words[at] = pfn << SHIFT
        pfn = words[at] >> SHIFT
        first, count = (start & _SLOT - 1) >> SHIFT, end - start >> SHIFT
        self._bitmaps[pfn] |= ((1 << count) - 1) << first
        if self._bitmaps[pfn] == (1 << 8 * _BITMAP) - 1:
            words[at] |= _WHOLE
