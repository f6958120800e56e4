"""The frames of a machine as PKRAM sees them: free ones, bans, references and preserved pages."""

import errno
from collections.abc import Iterable

from kho_console.abi.pkram.layout import PAGE, SHIFT
from kho_console.model.memory import MemoryRange, merged
from kho_console.model.pkram import PreservedPage
from kho_console.twin.pkram.node import KernelBug
from kho_console.twin.refused import Refused

BAN_SLOTS = 32 + 2 * 64
"""`PKRAM_MAX_BANNED`: 32 and two for each possible NUMA node; more bans are only logged."""

_SLOT = 512


class Frames:
    """Memory as far as PKRAM asks for it.

    Attributes:
        bans: Where images of kexec will go, sorted and merged; nothing ever takes one back.
        parked: Frames that were handed out, lay in a ban, and wait to be given back.
        tracked: The pages that the tracking table has, by frame.
        references: How often pages are held, by frame; 1 where nobody asked.
        contents: What frames hold, where that matters.
        log: What the kernel logs.
        by_head: Whether the table has a folio as the slot of 2 MiB that its head is in (v3).
        held: References of a page that others are moved to: v2 and v3 never drop one of two.
        slots: Such slots, by their first frame.
        copies: Frames that pages were moved to.
        left: How many more frames there are; None for enough.
    """

    def __init__(self, first: int, reserved: Iterable[MemoryRange] = ()) -> None:
        """Hand out frames from `first` on, but for those in `reserved`."""
        self.bans: tuple[MemoryRange, ...] = ()
        self.parked: list[int] = []
        self.tracked: set[int] = set()
        self.references: dict[int, int] = {}
        self.contents: dict[int, bytes] = {}
        self.log: list[str] = []
        self.by_head = False
        self.held = 2
        self.slots: set[int] = set()
        self.copies: set[int] = set()
        self.left: int | None = None
        self._reserved = merged(list(reserved))
        self._given_back: list[int] = []
        self._next = first

    def allocate(self) -> int:
        """A frame outside all bans.

        Raises:
            Refused: ENOMEM.
        """
        while True:
            frame = self._handed_out()
            if not self.banned(frame, 0):
                return frame
            self.parked.append(frame)

    def give_back(self, frame: int) -> None:
        """Take back a frame that was handed out and not used."""
        self._given_back.append(frame)
        if self.left is not None:
            self.left += 1

    def ban(self, segment: MemoryRange) -> None:
        """Ban the destination of a segment, in whole pages."""
        start = segment.start & -PAGE
        wanted = MemoryRange(start, -(-segment.end // PAGE) * PAGE - start)
        bans = merged([*self.bans, wanted])
        if len(bans) > BAN_SLOTS:
            self.log.append("PKRAM: too many banned ranges")
            return
        self.bans = bans

    def banned(self, frame: int, order: int) -> bool:
        """Whether a page overlaps a ban."""
        page = MemoryRange(frame << SHIFT, PAGE << order)
        return any(item.overlaps(page) for item in self.bans)

    def track(self, frame: int, order: int = 0) -> None:
        """Put the frames of a page into the tracking table.

        Raises:
            KernelBug: One is in it.
        """
        if self.by_head and order:
            self._track_slot(frame & -_SLOT)
            return
        frames = range(frame, frame + (1 << order))
        if not self.tracked.isdisjoint(frames):
            raise KernelBug(f"frame 0x{frame:x} is in the tracking table already")
        self.tracked.update(frames)

    def forget(self, frame: int, order: int = 0) -> None:
        """Take the frames of a page out of the tracking table."""
        if self.by_head and order:
            self.slots.discard(frame & -_SLOT)
            return
        self.tracked.difference_update(range(frame, frame + (1 << order)))

    def moved(self, page: PreservedPage) -> list[PreservedPage]:
        """The page, or copies of it on frames outside all bans, each of order 0.

        Raises:
            Refused: ENOMEM.
        """
        frame = page.address >> SHIFT
        if not self.banned(frame, page.order):
            self.references[frame] = self.references.get(frame, 1) + 1
            return [page]
        copies: list[PreservedPage] = []
        for at in range(1 << page.order):
            try:
                copy = self.allocate()
            except Refused:
                self.unmoved(copies)
                raise
            self.contents[copy] = self.contents.get(frame + at, bytes(PAGE))
            self.references[copy] = self.held
            self.copies.add(copy)
            copies.append(PreservedPage(page.index + at, copy << SHIFT, 0, page.flags & ~1))
        return copies

    def unmoved(self, pages: Iterable[PreservedPage]) -> None:
        """Undo `moved` for pages that are not saved after all."""
        for page in pages:
            frame = page.address >> SHIFT
            if frame not in self.copies:
                self.references[frame] -= 1
                continue
            self.copies.remove(frame)
            del self.contents[frame], self.references[frame]
            self.give_back(frame)

    def has(self, first: int, end: int) -> bool:
        """Whether the tracking table has any frame from `first` up to `end`."""
        slots = any(slot < end and slot + _SLOT > first for slot in self.slots)
        return slots or any(frame in self.tracked for frame in range(first, end))

    def preserved(self) -> list[tuple[int, int]]:
        """Start and end of each tracked page."""
        pages = [(frame << SHIFT, (frame + 1) << SHIFT) for frame in sorted(self.tracked)]
        slots = [(frame << SHIFT, (frame + _SLOT) << SHIFT) for frame in sorted(self.slots)]
        return pages + slots

    def _track_slot(self, frame: int) -> None:
        if frame in self.slots:
            raise KernelBug(f"the slot of frame 0x{frame:x} is in the tracking table already")
        self.slots.add(frame)

    def _handed_out(self) -> int:
        if self.left is not None:
            if not self.left:
                raise Refused(errno.ENOMEM, "memory is short")
            self.left -= 1
        if self._given_back:
            return self._given_back.pop()
        for item in self._reserved:
            if item.start <= self._next << SHIFT < item.end:
                self._next = -(-item.end // PAGE)
        self._next += 1
        return self._next - 1
