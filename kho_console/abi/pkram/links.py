"""The links of an object: which pages it has, counted many at a time.

A link has the file index of its first entry; the others follow from the orders before them. An
entry of 0 ends a link.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.pkram.chain import Frames, pages
from kho_console.abi.pkram.layout import LARGEST_ORDER, LINK_ENTRIES, PAGE, SHIFT
from kho_console.abi.pkram.touched import Touched
from kho_console.model.pkram import LinkPage, PreservedPage
from kho_console.model.tree import Fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOW = PAGE - 1
_ORDER = 31


class Links:
    """What the links of one object add up to.

    Attributes:
        blocks: Pages by order.
        flags: Flags that entries have.
        huge_without_flag: Whether a page of more than 4 KiB is not flagged as huge.
        count: How many links there are.
        tail: The frame of the last one; 0 without links.
        first_index: Index of the first page of 4 KiB in the file; None without pages.
        last_index: Index of the last one.
        faults: What is wrong.
        by_link: Each link in the order of the chain, where they are to be listed.
    """

    def __init__(
        self,
        memory: PhysicalMemory,
        head: int,
        frames: Frames,
        touched: Touched,
        role: str,
        *,
        most: int | None = None,
    ) -> None:
        """Walk the chain of links that begins at frame `head`.

        Args:
            memory: Where it lies.
            head: 0 for no links.
            frames: The frames that are taken.
            touched: Told which memory the pages are.
            role: What the links are.
            most: How many pages are kept one by one, at most; None where none is.
        """
        self.blocks: dict[int, int] = {}
        self.flags: set[int] = set()
        self.huge_without_flag = False
        self.count = 0
        self.tail = 0
        self.first_index: int | None = None
        self.last_index: int | None = None
        self.faults: list[Fault] = []
        self.by_link: list[LinkPage] = []
        self._odd: set[int] = set()
        self._misaligned = False
        self._touched = touched
        self._most = most
        try:
            for found, words in pages(memory, head, frames, role):
                self._take(found, words)
        except FormatError as error:
            self.faults.append(Fault(error.offset, error.reason))
        except MissingMemory as error:
            self.faults.append(Fault(error.address, error.reason))

    def _take(self, found: list[int], words: "NDArray[np.uint64]") -> None:
        self.count += len(found)
        self.tail = found[-1]
        used = _used(words[0])
        alike = used == LINK_ENTRIES or not words[:, 2 + used].any()
        entries = words[:, 2 : 2 + used]
        if alike and used and _one_run_each(entries):
            self._take_runs(entries, words[:, 1])
        elif alike and entries.all():
            self._take_alike(entries, words[:, 1])
        else:
            for number, rows in _alike(words):
                self._take_alike(words[rows, 2 : 2 + number], words[rows, 1])
        if self._most is None:
            return
        if self.count * LINK_ENTRIES > self._most:
            raise FormatError(self.tail << SHIFT, "more pages than can be listed")
        self.by_link += map(_listed, found, words.tolist())

    def _take_runs(self, entries: "NDArray[np.uint64]", index: "NDArray[np.uint64]") -> None:
        """Take rows of pages of 4 KiB without flags, each row one run."""
        import numpy as np

        self._take_small(entries, index)
        self._touched.take(entries[:, 0], entries[:, -1] + np.uint64(PAGE))

    def _take_small(self, entries: "NDArray[np.uint64]", index: "NDArray[np.uint64]") -> None:
        import numpy as np

        self.flags.add(0)
        self.blocks[0] = self.blocks.get(0, 0) + entries.size
        self._take_indexes(index, np.full(len(entries), entries.shape[1], np.uint64))

    def _take_alike(self, entries: "NDArray[np.uint64]", index: "NDArray[np.uint64]") -> None:
        """Take rows with the same number of entries."""
        import numpy as np

        if not entries.size:
            return
        if int(np.bitwise_or.reduce(entries, axis=None)) & _LOW:
            low = entries & np.uint64(_LOW)
            spans = self._take_orders(low)
            starts = (entries - low).ravel()
            ends = starts + (spans.ravel() << np.uint64(SHIFT))
            self._check_alignment(starts, ends)
            self._take_indexes(index, spans.sum(axis=1))
        else:
            self._take_small(entries, index)
            if not self._touched.curious:
                return
            starts = entries.ravel()
            ends = starts + np.uint64(PAGE)
        cut = np.flatnonzero(starts[1:] != ends[:-1])
        heads = np.concatenate(([0], cut + 1))
        tails = np.concatenate((cut, [len(starts) - 1]))
        self._touched.take(starts[heads], ends[tails])

    def _take_orders(self, low: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
        """Count orders and flags; for each entry how many pages of 4 KiB it has."""
        import numpy as np

        counts = np.bincount(low.ravel().view(np.int64), minlength=PAGE)
        for value in np.flatnonzero(counts).tolist():
            order, flags = value & _ORDER, value >> 5
            self.blocks[order] = self.blocks.get(order, 0) + int(counts[value])
            self.flags.add(flags)
            self.huge_without_flag |= bool(order) and not flags & 1
            if order > LARGEST_ORDER and order not in self._odd:
                self._odd.add(order)
                self.faults.append(Fault(self.tail << SHIFT, f"a page of order {order}"))
        spans: NDArray[np.uint64] = np.left_shift(np.uint64(1), low & np.uint64(_ORDER))
        return spans

    def _check_alignment(self, starts: "NDArray[np.uint64]", ends: "NDArray[np.uint64]") -> None:
        import numpy as np

        odd = (starts & (ends - starts - np.uint64(1))) != 0
        if odd.any() and not self._misaligned:
            self._misaligned = True
            at = int(starts[int(np.argmax(odd))])
            self.faults.append(Fault(at, "a page is not aligned to its order"))

    def _take_indexes(self, index: "NDArray[np.uint64]", lengths: "NDArray[np.uint64]") -> None:
        ends = index + lengths
        if (ends < index).any():
            self.faults.append(Fault(self.tail << SHIFT, "an index runs over 64 bits"))
            return
        first, last = int(index.min()), int(ends.max()) - 1
        self.first_index = first if self.first_index is None else min(first, self.first_index)
        self.last_index = last if self.last_index is None else max(last, self.last_index)


def _used(words: "NDArray[np.uint64]") -> int:
    """How many entries one link has."""
    zero = words[2:] == 0
    return int(zero.argmax()) if zero.any() else LINK_ENTRIES


def _alike(words: "NDArray[np.uint64]") -> Iterator[tuple[int, "NDArray[np.bool_] | slice"]]:
    """Rows by how many entries they have."""
    import numpy as np

    zero = words[:, 2:] == 0
    used = np.where(zero.any(axis=1), zero.argmax(axis=1), LINK_ENTRIES)
    for number in np.unique(used).tolist():
        alike = used == number
        yield number, slice(None) if alike.all() else alike


def _one_run_each(entries: "NDArray[np.uint64]") -> bool:
    """Whether each row is one run of pages of 4 KiB without flags, as most rows are."""
    import numpy as np

    if (entries[:, 0] & np.uint64(_LOW)).any() or not entries[:, 0].all():
        return False
    # Where the first row is none, the others need not be looked at.
    if not (entries[0, 1:] - entries[0, :-1] == PAGE).all():
        return False
    return bool((entries[:, 1:] - entries[:, :-1] == PAGE).all())


def _listed(pfn: int, words: list[int]) -> LinkPage:
    found: list[PreservedPage] = []
    index = words[1]
    for word in words[2:]:
        if not word:
            break
        order = word & _ORDER
        found.append(PreservedPage(index, word & ~_LOW, order, (word & _LOW) >> 5))
        index += 1 << order
    return LinkPage(pfn, tuple(found))
