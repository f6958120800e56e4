"""Physical memory of the running kernel, through `/proc/kcore`.

`/proc/kcore` (fs/proc/kcore.c) is an ELF core file with one PT_LOAD for each range of kernel
addresses. Since 4.11 those of RAM (the direct map) and of the kernel image carry their physical
address; vmalloc, vmemmap and modules carry all-ones there. Bytes of physical memory lie at
`p_offset + (physical - p_paddr)`. Offsets follow virtual addresses, so they reach 2^47 (4-level
paging) and 2^56 (5-level): they are read with pread, never by seeking.

What the kernel does not tell: pages that are offline, poisoned or not yet accepted read as zeros
(fs/proc/kcore.c, `read_kcore_iter`). Opening needs CAP_SYS_RAWIO, and is refused under
lockdown=confidentiality.
"""

import errno
import os
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from kho_console.abi.elf import (
    HEADER_SIZE,
    PT_LOAD,
    ProgramHeader,
    read_header,
    read_program_headers,
)
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause
from kho_console.model.value import dataclass
from kho_console.source.live.files import DeadlineReader
from kho_console.source.protocol import LARGEST_MEMORY_READ, SourceError

_PATH = "/proc/kcore"
_FRESH = 1.0  # seconds
_CHUNK = 1 << 20
_NO_ADDRESS = (1 << 64) - 1
_ADDRESSES = 1 << 64
_LARGEST_OFFSET = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """Physical memory and where it lies in the file, bytes."""

    range: MemoryRange
    offset: int


class Segments:
    """Which bytes of the file hold which physical memory."""

    def __init__(self, headers: Iterable[ProgramHeader]) -> None:
        """Sort out the segments that carry physical addresses.

        The direct map puts all RAM at one constant distance of virtual and physical addresses;
        only the kernel image has another. Every port maps the image above its direct map, and it
        is one segment, so the direct map is the distance of most segments, and of the lower
        addresses where there is a tie. The image lies in RAM and its segment may be longer than
        what is behind it, so it serves only where no RAM segment does.

        A physical address of 0 is what kernels before 4.11 wrote for everything. One segment may
        truly start there; among several, only those at the distance of one that does not are RAM.
        """
        by_distance = _by_distance(header for header in headers if _has_address(header))
        ram = max(
            by_distance,
            key=lambda distance: (
                len(by_distance[distance]),
                -min(header.virtual for header in by_distance[distance]),
            ),
            default=None,
        )
        image = [
            header
            for distance, group in by_distance.items()
            for header in group
            if distance != ram and header.physical
        ]
        self._ram = _disjoint(by_distance[ram] if ram is not None else [])
        self._image = _disjoint(image)
        self._ram_starts = [segment.range.start for segment in self._ram]
        self._image_starts = [segment.range.start for segment in self._image]

    def find(self, address: int) -> tuple[int, int] | None:
        """File offset of the byte at `address` and how many follow it there, or None."""
        index = bisect_right(self._ram_starts, address)
        if index and address < self._ram[index - 1].range.end:
            return _inside(self._ram[index - 1], address)
        place = bisect_right(self._image_starts, address)
        if not place or address >= self._image[place - 1].range.end:
            return None
        offset, size = _inside(self._image[place - 1], address)
        if index < len(self._ram_starts):
            size = min(size, self._ram_starts[index] - address)
        return offset, size


class KcoreMemory:
    """Physical memory of the machine this program runs on.

    Each read is one call of the deadline reader: `/proc/kcore` takes locks that memory hotplug and
    balloon drivers hold. The hop to its thread costs some 40 microseconds, so thousands of single
    pages still take well under a second.

    The kernel writes the headers anew at each open, and memory may come and go, so the file is
    opened again when its headers are older than a second.
    """

    def __init__(self, place: str, reader: DeadlineReader) -> None:
        """Read the file at `place` through `reader`; it is opened with the first read."""
        self._place = place
        self._reader = reader
        self._lock = threading.Lock()
        self._file: _OpenKcore | None = None

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes; see `PhysicalMemory.read`."""
        if size > LARGEST_MEMORY_READ:
            raise MissingMemory(address, f"{size} bytes at once are too many")
        if size <= 0:
            return b""
        file = self._opened(address)
        pieces = _pieces(file.segments, address, size)
        return b"".join(self._piece(file, *piece) for piece in pieces)

    def reopen(self) -> None:
        """Read the headers anew with the next read, as is due after a memory hotplug event."""
        with self._lock:
            self._file = None

    def _opened(self, address: int) -> "_OpenKcore":
        with self._lock:
            file = self._file
        if file is not None and time.monotonic() - file.opened < _FRESH:
            return file
        try:
            file = self._reader.run(_PATH, lambda: _OpenKcore(self._place))
        except OSError as error:
            self.reopen()
            raise _missing(address, error) from error
        except FormatError as error:
            raise MissingMemory(address, f"{_PATH} is damaged {error}") from error
        with self._lock:
            self._file = file
        return file

    def _piece(self, file: "_OpenKcore", address: int, offset: int, size: int) -> bytes:
        try:
            data = self._reader.run(_PATH, lambda: file.read(offset, size))
        except OSError as error:
            self.reopen()
            raise _missing(address, error) from error
        if len(data) < size:
            raise MissingMemory(address + len(data), f"{_PATH} ends before it")
        return data


class _OpenKcore:
    """An open `/proc/kcore` with its headers.

    It closes with its last user: a call that was given up may still be reading.
    """

    def __init__(self, place: str) -> None:
        self._descriptor = -1
        self.opened = time.monotonic()
        self._descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        header = read_header(self.read(0, HEADER_SIZE))
        table = self.read(header.table_offset, header.table_size)
        self.segments = Segments(read_program_headers(header, table))

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes at `offset`; fewer where the file ends."""
        parts: list[bytes] = []
        while size:
            part = os.pread(self._descriptor, min(size, _CHUNK), offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return b"".join(parts)


def _has_address(header: ProgramHeader) -> bool:
    """Whether a segment carries a physical address that can be read from the file."""
    size = min(header.file_size, header.memory_size)
    return (
        header.type == PT_LOAD
        and size > 0
        and header.physical != _NO_ADDRESS
        and header.physical + size <= _ADDRESSES
        and header.offset + size <= _LARGEST_OFFSET
    )


def _by_distance(headers: Iterable[ProgramHeader]) -> dict[int, list[ProgramHeader]]:
    """Segments by their distance of virtual and physical address."""
    groups: defaultdict[int, list[ProgramHeader]] = defaultdict(list)
    for header in headers:
        groups[(header.virtual - header.physical) % _ADDRESSES].append(header)
    at_zero = [key for key, group in groups.items() if any(not item.physical for item in group)]
    if len(at_zero) > 1:
        for key in at_zero:
            if not any(item.physical for item in groups[key]):
                del groups[key]
    return dict(groups)


def _disjoint(headers: Iterable[ProgramHeader]) -> list[Segment]:
    """Segments by ascending physical address; where two overlap, the lower one keeps the bytes."""
    segments: list[Segment] = []
    end = 0
    for header in sorted(headers, key=lambda item: item.physical):
        start = max(header.physical, end)
        stop = header.physical + min(header.file_size, header.memory_size)
        if start < stop:
            offset = header.offset + (start - header.physical)
            segments.append(Segment(MemoryRange(start, stop - start), offset))
            end = stop
    return segments


def _inside(segment: Segment, address: int) -> tuple[int, int]:
    skip = address - segment.range.start
    return segment.offset + skip, segment.range.size - skip


def _pieces(segments: Segments, address: int, size: int) -> list[tuple[int, int, int]]:
    """Address, file offset and size of the pieces that make up `size` bytes at `address`."""
    pieces: list[tuple[int, int, int]] = []
    end = address + size
    while address < end:
        found = segments.find(address)
        if found is None:
            raise MissingMemory(address, f"no RAM that {_PATH} knows")
        offset, room = found
        pieces.append((address, offset, min(room, end - address)))
        address += pieces[-1][2]
    return pieces


def _missing(address: int, error: OSError) -> MissingMemory:
    if not isinstance(error, SourceError):
        error = SourceError.from_errno(_PATH, error.errno or errno.EIO)
    denied = error.unknown.cause is Cause.NOT_PERMITTED
    return MissingMemory(address, error.unknown.reason, permission=denied)
