"""Folio records of a preserved memfd, and the memory that its folios take.

A record names the first page of a folio and its index in the file, not the folio's size: a 2 MiB
huge folio has one record like a 4 KiB one (mm/memfd_luo.c, 6.19 to 7.3). Two things tell the size.
The map of preserved memory lists a folio as one block of its own order. Where the map is gone,
as it is once the next kernel has booted, a folio is at most as large as the alignment of its
address and of its index allow (both are multiples of its size), and it ends where the next
record's index or the file begins or ends. Since preserving a memfd fills its holes, that bound is
the true size.
"""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from kho_console.abi import runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import ADDRESS_LIMIT
from kho_console.model.preserved import PreservedMap, Runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses

RECORD_SIZE = 16
_FRAME_BITS = 52
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
    import numpy as np

    unit = np.uint64(page_size)
    starts: list[Addresses] = []
    ends: list[Addresses] = []
    total = done = 0
    waiting = b""
    for piece in chain(pieces, (b"",)):
        # A folio ends at the latest where the next record's begins, which may be a piece later.
        if waiting:
            following = int.from_bytes(piece[8:16], "little") if piece else None
            batch = _Batch(waiting, done, following)
            batch.check(file_pages, page_size)
            frames, pages = batch.extents(file_pages, page_size, preserved)
            run = runs.joined([frames * unit], [(frames + pages) * unit])
            starts.append(run.starts)
            ends.append(run.ends)
            total += int(pages.sum()) * page_size
            done += len(waiting) // RECORD_SIZE
        waiting = piece
    content = runs.joined(starts, ends)
    if content.bytes != total:
        raise FormatError(0, "folios of a memfd overlap in memory")
    return content


class _Batch:
    """Some records in a row.

    Args:
        data: The records.
        first: Number of the first one in the array.
        following: Index in the file of the record behind the last one; None at the end.
    """

    def __init__(self, data: bytes, first: int, following: int | None) -> None:
        import numpy as np

        records = np.frombuffer(data, "<u8").reshape(-1, 2).astype(np.uint64)
        self.first = first
        self.frames: Addresses = records[:, 0] & np.uint64((1 << _FRAME_BITS) - 1)
        self.flags: Addresses = records[:, 0] >> np.uint64(_FRAME_BITS)
        self.indexes: Addresses = records[:, 1]
        self.following = following

    def check(self, file_pages: int, page_size: int) -> None:
        """Refuse what no kernel writes."""
        self._refuse(self.flags > _KNOWN_FLAGS, "unknown folio flags")
        self._refuse(self.frames >= ADDRESS_LIMIT // page_size, "folio beyond physical memory")
        self._refuse(self.indexes >= file_pages, "folio behind the end of the file")
        self._refuse(self._limits(file_pages) <= self.indexes, "folio indexes do not ascend")

    def extents(
        self, file_pages: int, page_size: int, preserved: PreservedMap | None
    ) -> "tuple[Addresses, Addresses]":
        """First frame and number of base pages of every folio."""
        import numpy as np

        room = self._limits(file_pages) - self.indexes
        places = self.frames | self.indexes
        # The kernel's own reader passes over a record without a frame.
        real = self.frames != 0
        if preserved is None:
            pages = np.minimum(places & (~places + np.uint64(1)), room)
        else:
            pages = _pages_in_map(self.frames * np.uint64(page_size), preserved)
            self._refuse(real & (pages == 0), "folio is not preserved")
            self._refuse(real & (places & (pages - np.uint64(1)) != 0), "folio is not aligned")
            over = real & (pages > room)
            if self.following is None:
                over[-1] = False
            self._refuse(over, "folios overlap in the file")
        return self.frames[real], pages[real]

    def _limits(self, file_pages: int) -> "Addresses":
        """Where in the file each folio ends at the latest."""
        import numpy as np

        last = file_pages if self.following is None else self.following
        return np.concatenate((self.indexes[1:], np.array([last], np.uint64)))

    def _refuse(self, wrong: "NDArray[np.bool_]", reason: str) -> None:
        """Raise for the first record that is `wrong`."""
        import numpy as np

        found = np.flatnonzero(wrong)
        if len(found):
            raise FormatError((self.first + int(found[0])) * RECORD_SIZE, reason)


def _pages_in_map(addresses: "Addresses", preserved: PreservedMap) -> "Addresses":
    """Base pages of the block that holds each address; 0 where nothing is preserved."""
    import numpy as np

    pages = np.zeros(len(addresses), np.uint64)
    # From high to low, so that memory listed under two orders counts as the smaller block.
    for order, blocks in sorted(preserved.by_order.items(), reverse=True):
        if len(blocks):
            at = blocks.starts.searchsorted(addresses, side="right")
            inside = (at > 0) & (addresses < blocks.ends[np.maximum(at, 1) - 1])
            pages[inside] = 1 << order
    return pages
