"""A workload in simulated physical memory, and what is written there on its way."""

from collections.abc import Iterator

from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import PreservedPage
from kho_console.model.unknown import Cause, Unknown
from kho_console.model.value import dataclass
from kho_console.model.workload import Cost, Workload
from kho_console.twin.memory import NoMemory, SimulatedMemory

PAGE = 4096
SHIFT = 12
_BASE = 4 << 30
"""Below lies what kernels allocate for themselves."""

_HUGE = 9
MARK = b"record 00000000"
"""What the first record begins with; where it is found, a copy of it was made."""


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """Memory in pages: a range is one too.

    Attributes:
        name: What it is called.
        order: Order of its pages.
        pages: Its pages in their order.
    """

    name: str
    order: int
    pages: tuple[MemoryRange, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A workload that has its memory.

    Attributes:
        ranges: Memory in one piece.
        objects: Files; scattered or each in one piece.
        records: Records of state by the name of their kind.
        end: First address behind all of it.
    """

    ranges: tuple[tuple[str, MemoryRange], ...]
    objects: tuple[PlacedFile, ...]
    records: tuple[tuple[str, tuple[bytes, ...]], ...]
    end: int

    @property
    def memory(self) -> tuple[MemoryRange, ...]:
        """All its memory, page by page where it is in pages."""
        own = tuple(item for _, item in self.ranges)
        return own + tuple(page for item in self.objects for page in item.pages)

    @property
    def bytes(self) -> int:
        """Bytes of all its memory."""
        return sum(item.size for item in self.memory)

    def files(self) -> Iterator[PlacedFile]:
        """The ranges in pages of 2 MiB where they are large, then the objects."""
        for name, item in self.ranges:
            order = _HUGE if item.size % (PAGE << _HUGE) == 0 else 0
            yield PlacedFile(name, order, tuple(_pages(item.start, item.size, order, 1)))
        yield from self.objects


def place(workload: Workload, *, scattered: bool) -> Placed:
    """Give a workload its memory.

    Args:
        workload: What is to be carried.
        scattered: Whether every page of a file lies apart from the next one.
    """
    at = _BASE
    ranges, objects = [], []
    step = 2 if scattered else 1
    for item in workload.ranges:
        at = _aligned(at, _HUGE)
        ranges.append((item.name, MemoryRange(at, item.size)))
        at += item.size
    for file in workload.objects:
        at = _aligned(at, file.order)
        pages = tuple(_pages(at, file.size, file.order, step))
        objects.append(PlacedFile(file.name, file.order, pages))
        at += file.size * step
    records, number = [], 0
    for kind in workload.records:
        several = range(number, number + kind.count)
        records.append((kind.name, tuple(_record(each, kind.size) for each in several)))
        number += kind.count
    return Placed(tuple(ranges), tuple(objects), tuple(records), _aligned(at, _HUGE))


def preserved_pages(file: PlacedFile) -> Iterator[PreservedPage]:
    """The pages of a file with their places in it."""
    for number, page in enumerate(file.pages):
        yield PreservedPage(number << file.order, page.start, file.order, 0)


class WatchedMemory(SimulatedMemory):
    """Memory that counts how often the first record is written into it.

    Attributes:
        copies: How often it was.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(NoMemory(), PAGE)
        self.copies = 0

    def write(self, address: int, data: bytes) -> None:
        """See `SimulatedMemory.write`."""
        self.copies += data.count(MARK)
        super().write(address, data)


def cost(placed: Placed, metadata: int, reserved: int, copies: int) -> Cost:
    """A cost; `reserved` are bytes, the load not among them."""
    return Cost(metadata, -(-(placed.bytes + reserved) // PAGE), copies)


def refused(words: str) -> Unknown:
    """Why a mechanism does not carry a workload."""
    return Unknown(Cause.UNSUPPORTED, words)


def _pages(start: int, size: int, order: int, step: int) -> Iterator[MemoryRange]:
    block = PAGE << order
    return (MemoryRange(start + at * step, block) for at in range(0, size, block))


def _aligned(address: int, order: int) -> int:
    unit = PAGE << max(order, _HUGE)
    return -(-address // unit) * unit


def _record(number: int, size: int) -> bytes:
    return (b"record %08d" % number).ljust(size, b".")
