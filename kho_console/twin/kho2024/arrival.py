"""The incoming side: what a booting kernel of the series of 2024 takes over, page by page.

Everything is read back from memory. The mem cache says what stays reserved; consumers then claim
or return what their nodes list, and what nobody asks for waits, reserved, until the next boot.
That a tracer returns the buffers that it cannot use is read from the postings' intent.
"""

import errno
from enum import StrEnum

from kho_console.abi import fdt, kho2024, kho2024_tree, runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.abi.text import c_string
from kho_console.model.kho2024 import Kho2024, TraceCpu
from kho_console.model.memory import MemoryRange, without
from kho_console.model.preserved import Runs
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.twin.allocator import Allocator
from kho_console.twin.arrival import NotTaken
from kho_console.twin.hardware import Hardware
from kho_console.twin.kho2024 import ftrace
from kho_console.twin.kho2024.carried import Carried2024

_BUDDY, _RESERVED = 1 << 10, 1 << 32
"""Bits of /proc/kpageflags."""

_TRACED = b"/ftrace/"


class Fate(StrEnum):
    """What became of a reservation."""

    CLAIMED = "claimed"
    RETURNED = "returned"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Reservation:
    """A record of a `mem` array, and what became of it."""

    path: bytes
    range: MemoryRange
    fate: Fate


@dataclass(frozen=True, slots=True)
class Arrival2024:
    """A handover that was taken.

    Attributes:
        tree: Where the tree lies.
        scratch: The area that is inherited.
        reservations: Every record of the tree.
        restored: Trace buffers that go on.
        kept: Pages that no allocator gets.
        returned: Pages that it did get.
        lines: What consumers say.
    """

    tree: MemoryRange
    scratch: MemoryRange
    reservations: tuple[Reservation, ...]
    restored: tuple[TraceCpu, ...]
    kept: Runs
    returned: Runs
    lines: tuple[str, ...]

    def page_flags(self, address: int, allocator: Allocator) -> Maybe[int]:
        """What /proc/kpageflags says of a page that came in."""
        page = MemoryRange(address & -allocator.memory.page_size, 1)
        if self.returned.touches(page):
            free = any(item.overlaps(page) for item in allocator.free())
            return _BUDDY if free else 0
        fates = {item.fate for item in self.reservations if self._covers(item, page, allocator)}
        if not fates:
            return Unknown(Cause.NOT_RECORDED, "a twin keeps flags of pages that came in only")
        return 0 if Fate.CLAIMED in fates else _RESERVED

    @staticmethod
    def _covers(item: Reservation, page: MemoryRange, allocator: Allocator) -> bool:
        return kho2024_tree.pages_of((item.range,), allocator.memory.page_size).touches(page)


def take(hardware: Hardware, carried: Carried2024) -> Arrival2024:
    """Take a handover over.

    Raises:
        NotTaken: It is of another version, or damaged.
    """
    at = f"0x{carried.tree.start:x}"
    try:
        tree = fdt.read(hardware.memory.read(carried.tree.start, carried.tree.size))
        data = hardware.memory.read(carried.cache.start, carried.cache.size)
        cache = kho2024_tree.read_mem_cache(data)
    except (FormatError, MissingMemory) as error:
        line = f"KHO: setup: handover DT ({at}) is invalid: -9"
        raise NotTaken(errno.EINVAL, line) from error
    if kho2024_tree.WORD not in (tree.root.value(b"compatible") or b"").split(b"\0"):
        line = f"KHO: setup: handover DT ({at}) is incompatible with 'kho-v1'"
        raise NotTaken(errno.EINVAL, line)
    return _settled(hardware, carried, kho2024.decode(tree, hardware.page_size), tree, cache)


def _settled(
    hardware: Hardware,
    carried: Carried2024,
    found: Kho2024,
    tree: FlatTree,
    cache: tuple[MemoryRange, ...],
) -> Arrival2024:
    restored, lines = ftrace.restorable(found, hardware), _refusals(tree)
    claimed = {piece for cpu in restored for pair in cpu.pages for piece in pair}
    traced = bool(found.arrays)
    reservations = tuple(
        Reservation(mem.path, item, _fate(mem.path, item in claimed, traced))
        for mem in found.mem
        for item in mem.ranges
    )
    page = hardware.page_size
    given = (item.range for item in reservations if item.fate is Fate.RETURNED)
    others = (item.range for item in reservations if item.fate is not Fate.RETURNED)
    # A page that anybody keeps is not returned, whoever else lists it.
    returned = without(
        tuple(kho2024_tree.pages_of(given, page)), tuple(kho2024_tree.pages_of(others, page))
    )
    came = tuple(kho2024_tree.pages_of(cache, page))
    return Arrival2024(
        carried.tree,
        carried.scratch,
        reservations,
        restored,
        _runs(without(came, returned)),
        _runs(returned),
        lines,
    )


def _fate(path: bytes, claimed: bool, traced: bool) -> Fate:
    if claimed:
        return Fate.CLAIMED
    return Fate.RETURNED if traced and path.startswith(_TRACED) else Fate.WAITING


def _refusals(tree: FlatTree) -> tuple[str, ...]:
    """What the tracer says of a node of a version that it does not know."""
    node = tree.root.child(b"ftrace")
    if node is None:
        return ()
    word = c_string(node.value(b"compatible") or b"")
    if word == kho2024_tree.FTRACE:
        return ()
    known = kho2024_tree.FTRACE.decode()
    return (f"ftrace: handover node is {word.decode('latin-1')!a}, this kernel knows {known}",)


def _runs(found: tuple[MemoryRange, ...]) -> Runs:
    return runs.of_ranges((item.start, item.end) for item in found)
