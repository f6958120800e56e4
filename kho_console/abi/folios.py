"""Folio records of a preserved memfd, and the memory that its folios take.

A record names the first page of a folio and its index in the file, not the folio's size: a 2 MiB
huge folio has one record like a 4 KiB one (mm/memfd_luo.c, 6.19 to 7.3). Two things tell the size.
The map of preserved memory lists a folio as one block of its own order. Where the map is gone,
as it is once the next kernel has booted, a folio is at most as large as the alignment of its
address and of its index allow (both are multiples of its size), and it ends where the next
record's index or the file begins or ends. Since preserving a memfd fills its holes, that bound is
the true size.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from kho_console.abi import runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import ADDRESS_LIMIT
from kho_console.model.few import few
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    from kho_console.model.preserved import Addresses

RECORD_SIZE = 16
_RECORD = struct.Struct("<QQ")
_FRAME_BITS = 52
_FRAME = (1 << _FRAME_BITS) - 1
_KNOWN_FLAGS = 3
"""1 dirty, 2 uptodate."""


def read(
    pieces: Iterable[bytes], file_pages: int, page_size: int, preserved: PreservedMap | None
) -> Runs:
    """The runs of physical memory that the folios of a file take.

    A folio of the map is taken whole, also where it reaches beyond the end of the file.

    Args:
        pieces: The records in order, each piece a whole number of them; there may be 2^28
            records, so a piece is turned into runs before the next one is asked for.
        file_pages: Base pages of the file, the last one counted whole.
        page_size: Bytes of a base page.
        preserved: The map that gives the sizes, or None.

    Raises:
        FormatError: Unknown flags, an address beyond physical memory, indexes that do not
            ascend or lie behind the end, folios that overlap in memory or in the file, or a
            folio that is not in the map. The offset is the record's place in the array.
    """
    blocks = None if preserved is None else tuple(sorted(preserved.by_order.items()))
    file = _File(file_pages, page_size, blocks)
    found: list[Runs] = []
    total = done = 0
    waiting = b""
    for piece in chain(pieces, (b"",)):
        # A folio ends at the latest where the next record's begins, which may be a piece later.
        if waiting:
            following = int.from_bytes(piece[8:16], "little") if piece else None
            part = _extents(_Batch(waiting, done, following), file)
            total += part.bytes
            found.append(runs.joined([part]))
            done += len(waiting) // RECORD_SIZE
        waiting = piece
    content = runs.joined(found)
    if content.bytes != total:
        raise FormatError(0, "folios of a memfd overlap in memory")
    return content


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """What is known of a file beside its records.

    Attributes:
        pages: Its base pages.
        page_size: Bytes of a base page.
        blocks: What is preserved by order, ascending; None where that is not known.
    """

    pages: int
    page_size: int
    blocks: tuple[tuple[int, Runs], ...] | None

    @property
    def frames(self) -> int:
        """Where physical memory ends."""
        return ADDRESS_LIMIT // self.page_size


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some records in a row.

    Attributes:
        data: The records.
        first: Number of the first one in the array.
        following: Index in the file of the record behind the last one; None at the end.
    """

    data: bytes
    first: int
    following: int | None

    def limit(self, file: _File) -> int:
        """Where in the file the last folio ends at the latest."""
        return file.pages if self.following is None else self.following


def _extents(batch: _Batch, file: _File) -> Runs:
    """The memory of the folios in the order of the records, those that follow each other together.

    Whatever is wrong is found by going through the records one by one.
    """
    if not few(len(batch.data) // RECORD_SIZE):
        found = _at_once(batch, file)
        if found is not None:
            return found
    starts, ends = array("Q"), array("Q")
    for frame, pages in _one_by_one(batch, file):
        start, end = frame * file.page_size, (frame + pages) * file.page_size
        if ends and ends[-1] == start:
            ends[-1] = end
        else:
            starts.append(start)
            ends.append(end)
    return Runs(starts, ends)


def _one_by_one(batch: _Batch, file: _File) -> Iterator[tuple[int, int]]:
    """First frame and number of base pages of each folio.

    Raises:
        FormatError: A record is one that no kernel writes.
    """
    frames = file.frames
    records = list(_RECORD.iter_unpack(batch.data))
    limits = chain((index for _, index in records[1:]), (batch.limit(file),))
    at_end = len(records) - 1 if batch.following is None else -1
    for number, ((word, index), limit) in enumerate(zip(records, limits, strict=True)):
        frame = word & _FRAME
        pages = _pages_of(frame, index, limit, file)
        if word >> _FRAME_BITS > _KNOWN_FLAGS:
            reason = "unknown folio flags"
        elif frame >= frames:
            reason = "folio beyond physical memory"
        elif index >= file.pages:
            reason = "folio behind the end of the file"
        elif index >= limit:
            reason = "folio indexes do not ascend"
        # The kernel's own reader passes over a record without a frame.
        elif not frame:
            continue
        elif not pages:
            reason = "folio is not preserved"
        elif (frame | index) & (pages - 1):
            reason = "folio is not aligned"
        elif pages > limit - index and number != at_end:
            reason = "folios overlap in the file"
        else:
            yield frame, pages
            continue
        raise FormatError((batch.first + number) * RECORD_SIZE, reason)


def _pages_of(frame: int, index: int, limit: int, file: _File) -> int:
    """Base pages of a folio: those of its block in the map, 0 where it is in none."""
    if file.blocks is None:
        places = frame | index
        return min(places & -places, limit - index)
    # From low to high, so that memory listed under two orders counts as the smaller block.
    for order, blocks in file.blocks:
        if blocks.end_of_run_at(frame * file.page_size) is not None:
            return 1 << order
    return 0


def _at_once(batch: _Batch, file: _File) -> Runs | None:
    """What one by one gives, each folio for itself; None where it raises."""
    import numpy as np

    words, indexes = np.frombuffer(batch.data, "<u8").reshape(-1, 2).astype(np.uint64).T
    frames = words & np.uint64(_FRAME)
    limits = np.append(indexes[1:], np.uint64(batch.limit(file)))
    wrong = words >> np.uint64(_FRAME_BITS) > _KNOWN_FLAGS
    wrong |= (frames >= file.frames) | (indexes >= np.minimum(limits, np.uint64(file.pages)))
    if wrong.any():
        return None
    real = frames != 0
    places, room = frames | indexes, limits - indexes
    unit = np.uint64(file.page_size)
    if file.blocks is None:
        pages = np.minimum(places & (~places + np.uint64(1)), room)
    else:
        pages = _pages_in_map(frames * unit, file.blocks)
        over = pages > room
        if batch.following is None:
            over[-1] = False
        # Where a folio is not preserved, pages - 1 wraps around and has all bits of its places.
        if (real & (over | (places & (pages - np.uint64(1)) != 0))).any():
            return None
    starts = frames[real] * unit
    return Runs(starts, starts + pages[real] * unit)


def _pages_in_map(addresses: "Addresses", by_order: Sequence[tuple[int, Runs]]) -> "Addresses":
    """Base pages of the block that holds each address; 0 where nothing is preserved."""
    import numpy as np

    pages = np.zeros(len(addresses), np.uint64)
    # From high to low, so that memory listed under two orders counts as the smaller block.
    for order, blocks in reversed(by_order):
        if len(blocks):
            at = blocks.starts.searchsorted(addresses, side="right")
            inside = (at > 0) & (addresses < blocks.ends[np.maximum(at, 1) - 1])
            pages[inside] = 1 << order
    return pages
