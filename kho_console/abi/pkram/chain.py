"""Chains of pages that name the next one by its frame, read many at a time.

The pages of a chain mostly follow each other in memory, upwards where they were allocated in
order and downwards where each was put in front of the one before. As long as that holds a whole
stretch is read at once.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.pkram.layout import FRAME_LIMIT, PAGE, SHIFT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORDS = PAGE // 8
_AHEAD = 64
_TOGETHER = 64
_MOST = 1 << 22
"""Pages of one chain, at most: links for 8 TiB in pages of 4 KiB."""


class Frames:
    """The frames that have a role already: none may have two."""

    def __init__(self) -> None:
        """Begin with none."""
        self._roles: dict[int, str] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._roles)

    def take(self, pfn: int, role: str) -> int:
        """Give a frame its role; its address.

        Raises:
            FormatError: It lies beyond all memory, or has a role.
        """
        if not pfn:
            raise FormatError(0, f"{role}: frame 0 stands for none")
        if not 0 < pfn < FRAME_LIMIT:
            raise FormatError(
                (pfn << SHIFT) % (1 << 64), f"{role}: frame 0x{pfn:x} is beyond memory"
            )
        if pfn in self._roles:
            raise FormatError(pfn << SHIFT, f"{role}: the page is {self._roles[pfn]} already")
        self._roles[pfn] = role
        return pfn << SHIFT

    def take_all(self, pfns: range, role: str) -> bool:
        """Give frames their role, or none of them where one has a role."""
        free = self._roles.keys().isdisjoint(pfns)
        if free:
            self._roles.update(dict.fromkeys(pfns, role))
        return free


def pages(
    memory: PhysicalMemory, head: int, frames: Frames, role: str, place: int = 0
) -> Iterator[tuple[list[int], "NDArray[np.uint64]"]]:
    """The pages of a chain, some at once: their frames, and their words in rows.

    Args:
        memory: Where they lie.
        head: The frame of the first one; 0 for an empty chain.
        frames: The frames that are taken.
        role: What they are.
        place: Which word of a page names the next one.

    Raises:
        FormatError: The chain comes to a page that has a role, or has no end; what was read of it
            before is given first.
        MissingMemory: Likewise, a page cannot be had.
    """
    walk = _Chain(memory, frames, role, place)
    yield from walk.pages(head)
    if walk.error is not None:
        raise walk.error


class _Chain:
    def __init__(self, memory: PhysicalMemory, frames: Frames, role: str, place: int) -> None:
        self.error: FormatError | MissingMemory | None = None
        self._memory = memory
        self._frames = frames
        self._role = role
        self._place = place
        self._step = 1
        self._ahead = 1

    def pages(self, pfn: int) -> Iterator[tuple[list[int], "NDArray[np.uint64]"]]:
        import numpy as np

        total = 0
        while pfn and self.error is None:
            taken: list[int] = []
            parts: list[bytes] = []
            try:
                while pfn and len(taken) < _TOGETHER:
                    pfn = self._stretch(pfn, taken, parts)
            except (FormatError, MissingMemory) as error:
                self.error = error
            total += len(taken)
            if total > _MOST:
                self.error = FormatError(pfn << SHIFT, f"{self._role}: more than {_MOST} pages")
            if taken:
                data = parts[0] if len(parts) == 1 else b"".join(parts)
                yield taken, np.frombuffer(data, "<u8").reshape(-1, _WORDS)

    def _stretch(self, pfn: int, taken: list[int], parts: list[bytes]) -> int:
        """Take the page of `pfn`, and those that follow it as foreseen; what the last one names."""
        data = self._foreseen(pfn) if self._ahead > 1 else b""
        count = len(data) >> SHIFT
        if count > 1 and self._frames.take_all(self._frames_of(pfn, count), self._role):
            taken += self._frames_of(pfn, count)
        else:
            count = 1
            address = self._frames.take(pfn, self._role)
            data = self._memory.read(address, PAGE)
            taken.append(pfn)
        parts.append(data)
        at = ((count - 1) << SHIFT) + 8 * self._place
        following = int.from_bytes(data[at : at + 8], "little")
        step = following - taken[-1]
        if step not in (1, -1):
            self._ahead = 1
        elif step != self._step:
            self._step, self._ahead = step, 2
        elif count >= self._ahead:
            self._ahead = min(2 * self._ahead, _AHEAD)
        return following

    def _frames_of(self, pfn: int, count: int) -> range:
        return range(pfn, pfn + self._step * count, self._step)

    def _foreseen(self, pfn: int) -> bytes:
        """The page of `pfn` and those behind it that follow each other, none if that fails."""
        import numpy as np

        ahead = self._ahead if self._step > 0 else min(self._ahead, pfn)
        if not 0 < pfn < FRAME_LIMIT - ahead:
            return b""
        first = pfn if self._step > 0 else pfn - ahead + 1
        try:
            data = self._memory.read(first << SHIFT, ahead << SHIFT)
        except MissingMemory:
            self._ahead = 1
            return b""
        words = np.frombuffer(data, "<u8").reshape(ahead, _WORDS)[:: self._step]
        expected = np.arange(1, ahead, dtype=np.int64) * self._step + pfn
        wrong = words[:-1, self._place] != expected.astype(np.uint64)
        good = int(np.argmax(wrong)) + 1 if wrong.any() else ahead
        if self._step > 0:
            return data if good == ahead else data[: good << SHIFT]
        return words[:good].tobytes()
