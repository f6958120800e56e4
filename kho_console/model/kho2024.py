"""The root tree of the series of 2024: state stands in it, with no blobs beside it."""

from enum import StrEnum

from kho_console.model.memory import MemoryRange
from kho_console.model.tree import Fault
from kho_console.model.value import dataclass


class Fate(StrEnum):
    """What became of a range that came in."""

    CLAIMED = "claimed"
    RETURNED = "returned"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class FateShare:
    """How many ranges and bytes met one fate."""

    fate: Fate
    ranges: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PreservedMem:
    """The `mem` array of a node: what it preserves, in the order of the wire."""

    path: bytes
    ranges: tuple[MemoryRange, ...]


@dataclass(frozen=True, slots=True)
class TraceCpu:
    """The buffer of one CPU in a trace array.

    Attributes:
        cpu: Its number.
        pages: Pairs of a `struct buffer_page` and the page of data that it describes.
    """

    cpu: int
    pages: tuple[tuple[MemoryRange, MemoryRange], ...]


@dataclass(frozen=True, slots=True)
class TraceArray:
    """A trace array: its option bitmap and the buffers of its CPUs."""

    name: bytes
    flags: int | None
    cpus: tuple[TraceCpu, ...]


@dataclass(frozen=True, slots=True)
class Kho2024:
    """What a tree holds.

    Attributes:
        mem: The `mem` arrays in the order of the wire.
        events: Fingerprints of trace events and the types that they had.
        arrays: Trace arrays.
        faults: What breaks a binding; offsets are those of the tree.
        fates: Of a node that came in, what became of each range, as far as that is seen.
    """

    mem: tuple[PreservedMem, ...]
    events: tuple[tuple[int, int], ...]
    arrays: tuple[TraceArray, ...]
    faults: tuple[Fault, ...]
    fates: tuple[tuple[MemoryRange, Fate], ...] = ()

    @property
    def waiting(self) -> tuple[MemoryRange, ...]:
        """What nobody has claimed or returned so far, as far as that is seen."""
        return tuple(item for item, fate in self.fates if fate is Fate.WAITING)
