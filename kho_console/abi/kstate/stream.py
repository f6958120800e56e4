"""The headers of a stream, in bounded memory and many at once.

Nothing tells where a header is but the size in the one before it, so offsets are found one by one;
where sizes repeat, which they do wherever objects of a kind follow each other, a whole run is
checked in one go. The headers are then taken from their offsets together.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from kho_console.abi.reader import Reader
from kho_console.model.kstate import KstateEntry, KstateVersion
from kho_console.model.tree import Fault
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = 0x3B37778C
"""`KSTATE_MAGIC`, before the first entry of v3."""

END = -1
"""`KSTATE_LAST_ID` (v1, v2) or `KS_EOF` (later): these 4 bytes alone end a stream."""

SECTION, SUBSECTION = 2, 1

_WINDOW = 1 << 20
_LONGEST_PERIOD = 24
_WORTH_A_RUN = 16


@dataclass(frozen=True, slots=True, eq=False)
class Headers:
    """Headers that follow each other.

    Attributes:
        offsets: Where each begins in the stream.
        words: Its words, one row for each.
    """

    offsets: "NDArray[np.int64]"
    words: "NDArray[np.int32]"


class Walk:
    """One walk over a stream; it is over when `headers` or `entries` have nothing more.

    Attributes:
        terminated: Whether the walk came to the end mark.
        end: Offset behind the last thing read, the end mark included.
        faults: Why it ended before, and what is odd in between.
    """

    def __init__(self, reader: Reader, version: KstateVersion) -> None:
        """Begin at the start of the stream."""
        self.terminated = False
        self.end = version.start
        self.faults: list[Fault] = []
        self._reader = reader
        self._version = version
        self._sections = False
        self._readable = version is not KstateVersion.V3 or magic(reader) == MAGIC
        if not self._readable:
            self.end = 0
            self._stop(0, f"no magic number 0x{MAGIC:x}: no stream of v3")

    def entries(self) -> Iterator[KstateEntry]:
        """The headers as values, one by one."""
        head, sections = self._version.header, self._version.has_sections
        for found in self.headers():
            for offset, words in zip(found.offsets.tolist(), found.words.tolist(), strict=True):
                section = words[0] if sections else None
                state_id, version_id, instance_id, size = words[-4:]
                data = offset + head
                yield KstateEntry(offset, section, state_id, version_id, instance_id, size, data)

    def headers(self) -> Iterator[Headers]:
        """The headers in order, at most a few ten thousand at once."""
        while self._readable and self._goes_on():
            window = self._reader.read(self.end, _WINDOW)
            here = _offsets(window, self._version)
            if not here:
                self._stop(self.end, "the stream ends in a header, without an end mark")
                return
            found = _gathered(window, here, self.end, self._version)
            good = self._good(found)
            if good:
                first = Headers(found.offsets[:good], found.words[:good])
                last = first.words[-1].tolist()
                self.end = int(first.offsets[-1]) + self._version.header + last[-1]
                yield first
            if good < len(here):
                return

    def _goes_on(self) -> bool:
        """Whether a header follows."""
        mark = self._reader.read(self.end, 4)
        if len(mark) < 4:
            self._stop(self.end, "the stream ends without an end mark")
            return False
        if int.from_bytes(mark, "little", signed=True) == END:
            self.end += 4
            self.terminated = True
            return False
        return True

    def _good(self, found: Headers) -> int:
        """How many headers of these hold, from the first one on."""
        import numpy as np

        sizes = found.words[:, -1].astype(np.int64)
        ends = found.offsets + self._version.header + sizes
        bad = (sizes < 0) | (ends > self._reader.size)
        if self._version.has_sections:
            types, ids = found.words[:, 0], found.words[:, 1]
            bad |= (types != SECTION) & (types != SUBSECTION)
        else:
            ids = found.words[:, 0]
        # v1 has an id 0 that nothing uses; a header of zeros is memory that nobody wrote.
        bad |= ~found.words.any(axis=1) if self._version is KstateVersion.V1 else ids == 0
        if bad.any():
            at = int(np.argmax(bad))
            self._stop(int(found.offsets[at]), self._wrong(found.words[at].tolist()))
        else:
            at = len(bad)
        if at and self._version.has_sections:
            self._first_section(int(found.offsets[0]), int(found.words[0, 0]))
        return at

    def _wrong(self, words: list[int]) -> str:
        size = words[-1]
        if self._version.has_sections and words[0] not in (SECTION, SUBSECTION):
            return f"{words[0]} is no type of a section"
        if not any(words):
            return "zeros in place of a header"
        if words[-4] == 0 and self._version is not KstateVersion.V1:
            return "state id 0, which the kernel takes for damage"
        return f"a size of {size} bytes" + (" runs over the end" if size >= 0 else "")

    def _first_section(self, offset: int, kind: int) -> None:
        if not self._sections and kind == SUBSECTION:
            self.faults.append(Fault(offset, "a subsection without a section before it"))
        self._sections = True

    def _stop(self, offset: int, reason: str) -> None:
        self.faults.append(Fault(offset, reason))


def magic(reader: Reader) -> int | None:
    """The number at the start of a stream, None where there are no 4 bytes."""
    start = reader.read(0, 4)
    return int.from_bytes(start, "little") if len(start) == 4 else None


def pack(entry: KstateEntry) -> bytes:
    """The header of an entry as it stands in the stream."""
    words = (entry.state_id, entry.version_id, entry.instance_id, entry.size)
    section = () if entry.section is None else (entry.section,)
    return struct.pack(f"<{len(section) + 4}i", *section, *words)


END_MARK = END.to_bytes(4, "little", signed=True)


def write(
    version: KstateVersion,
    entries: Iterable[tuple[KstateEntry, bytes]],
    ending: bytes = END_MARK,
    *,
    magic: bool = True,
) -> Iterator[bytes]:
    """A whole stream, piece by piece.

    Args:
        version: The series.
        entries: Headers and the bytes behind them; offsets are not looked at.
        ending: What comes behind the last entry.
        magic: Whether the magic number of v3 comes before the first.
    """
    if magic and version is KstateVersion.V3:
        yield MAGIC.to_bytes(4, "little")
    for entry, data in entries:
        yield pack(entry)
        yield data
    yield ending


def _offsets(window: bytes, version: KstateVersion) -> list[int]:
    """Where headers begin in a window, up to the first that is an end mark or leads nowhere."""
    unpack = struct.Struct(f"<i{version.header - 8}xi").unpack_from
    head = version.header
    last = len(window) - head
    offsets: list[int] = []
    at, try_at, patience = 0, _WORTH_A_RUN, _WORTH_A_RUN
    while at <= last:
        first, size = unpack(window, at)
        if first == END:
            break
        offsets.append(at)
        if size < 0:
            break
        at += head + size
        if len(offsets) >= try_at:
            run = _run(window, offsets, at, head)
            patience = _WORTH_A_RUN if run else min(2 * patience, 1024)
            if run:
                offsets += run
                at = run[-1] + head + unpack(window, run[-1])[1]
            try_at = len(offsets) + patience
    return offsets


def _run(window: bytes, offsets: list[int], at: int, head: int) -> list[int]:
    """Offsets from `at` on, as long as the strides of the last ones repeat."""
    import numpy as np

    recent = [*offsets[-2 * _LONGEST_PERIOD :], at]
    strides = [right - left for left, right in pairwise(recent)]
    for period in range(1, len(strides) // 2 + 1):
        if strides[-period:] == strides[-2 * period : -period]:
            break
    else:
        return []
    pattern = strides[-period:]
    whole = sum(pattern)
    count = (len(window) - head - at) // whole
    if count * period < _WORTH_A_RUN:
        return []
    good = np.ones(count, bool)
    starts = np.concatenate(([0], np.cumsum(pattern)[:-1])) + at
    for start, stride in zip(starts.tolist(), pattern, strict=True):
        firsts = np.ndarray((count,), "<i4", window, start, (whole,))
        sizes = np.ndarray((count,), "<i4", window, start + head - 4, (whole,))
        good &= (sizes == stride - head) & (firsts != END)
    held = count if good.all() else int(np.argmin(good))
    run: list[int] = (starts + whole * np.arange(held)[:, None]).ravel().tolist()
    return run


def _gathered(window: bytes, offsets: list[int], base: int, version: KstateVersion) -> Headers:
    import numpy as np

    head = version.header
    everywhere = np.ndarray((len(window) - head + 1,), f"V{head}", window, 0, (1,))
    here = np.array(offsets, np.int64)
    words = everywhere[here].view("<i4").reshape(-1, head // 4)
    return Headers(here + base, words)
