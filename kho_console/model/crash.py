"""The crash image and what a dump would contain. Addresses are physical, sizes are bytes."""

from enum import StrEnum

from kho_console.model.event import Event
from kho_console.model.memory import MemoryRange, without
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass


class LoadKind(StrEnum):
    """What a PT_LOAD of an ELF core header describes."""

    TEXT = "text"
    """The kernel's own text; it overlaps a range of memory on purpose."""
    MEMORY = "memory"
    BACKUP = "backup"
    """The low 640 KiB, which kexec-tools (`kexec_load`) copies elsewhere."""


@dataclass(frozen=True, slots=True)
class CoreLoad:
    """A PT_LOAD: memory that goes into a dump.

    Attributes:
        range: The memory.
        virtual: Its virtual address in the kernel that panics.
        kind: What it describes.
        copy: Where its bytes lie when a dump is taken, if not in the range itself; a backup's do.
    """

    range: MemoryRange
    virtual: int
    kind: LoadKind
    copy: int | None = None


@dataclass(frozen=True, slots=True)
class CoreHeader:
    """The ELF core header of a crash image, `elfcorehdr`.

    Attributes:
        machine: `e_machine`.
        little_endian: Its byte order.
        notes: PT_NOTEs in the header's order: one for each possible CPU, then vmcoreinfo.
        loads: PT_LOADs in the header's order.
    """

    machine: int
    little_endian: bool
    notes: tuple[MemoryRange, ...]
    loads: tuple[CoreLoad, ...]

    @property
    def entries(self) -> int:
        """Number of program headers."""
        return len(self.notes) + len(self.loads)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Memory of the machine against memory that the header describes.

    Attributes:
        described: Bytes that the header describes and the machine has.
        expected: Bytes that a complete dump would hold.
        missing: What a dump would lack.
        stale: What the header describes and the machine has no more.
        offline: What is described and lies in blocks that are offline; no fault on x86.
        idle: What is missing and lies in blocks that are offline: nothing is in it.
    """

    described: int
    expected: int
    missing: tuple[MemoryRange, ...]
    stale: tuple[MemoryRange, ...]
    offline: tuple[MemoryRange, ...]
    idle: tuple[MemoryRange, ...] = ()

    @property
    def lost(self) -> tuple[MemoryRange, ...]:
        """What is missing and may have something in it."""
        return without(self.missing, self.idle)


@dataclass(frozen=True, slots=True)
class CpuNotes:
    """CPUs against the notes of the header.

    Attributes:
        noted: CPUs that the header has notes for.
        possible: CPUs that there may ever be.
        without: Present CPUs whose notes are not among them.
        unread: Why that cannot be told; None where it can.
    """

    noted: int
    possible: Maybe[int]
    without: tuple[int, ...]
    unread: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """How full the segment of the header is.

    Attributes:
        used: Bytes of the header now, rounded up to a page as the kernel compares them.
        size: Bytes of the segment.
        ranges: Ranges of memory that it describes.
        most_ranges: How many would fit.
    """

    used: int
    size: int
    ranges: int
    most_ranges: int


class Dump(StrEnum):
    """What a dump taken now would be."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CrashImage:
    """The crash image that memory holds, against the machine as it is.

    Attributes:
        taken: Monotonic seconds of the machine when the header was read.
        armed: Whether a panic would start it, after debouncing.
        address: Where its header lies.
        header: The header, or why it is not to be seen.
        residue: Whether the header is what an unloaded image left behind.
        cpus: Notes of CPUs.
        vmcoreinfo: Whether the note of vmcoreinfo is the kernel's own.
        coverage: What a dump would contain.
        room: How full the segment of the header is.
        causes: The latest event of each memory block that is missing or stale, as far as seen.
        reloads: Files of udev rules that load an image anew at each event, also where the kernel
            updates it.
    """

    taken: float
    armed: Maybe[bool]
    address: Maybe[int]
    header: Maybe[CoreHeader]
    residue: bool
    cpus: Maybe[CpuNotes]
    vmcoreinfo: Maybe[bool]
    coverage: Maybe[Coverage]
    room: Maybe[Room]
    causes: tuple[Event, ...] = ()
    reloads: Maybe[tuple[str, ...]] = ()

    @property
    def dump(self) -> Dump:
        """What a dump taken now would be; unknown as long as anything of it is."""
        coverage, cpus = self.coverage, self.cpus
        if self.armed is False:
            return Dump.NONE
        if isinstance(self.armed, Unknown) or isinstance(coverage, Unknown):
            return Dump.UNKNOWN
        silent = not isinstance(cpus, Unknown) and cpus.without
        if coverage.lost or coverage.stale or silent or self.vmcoreinfo is False:
            return Dump.INCOMPLETE
        noted = not isinstance(cpus, Unknown) and cpus.unread is None
        told = noted and not isinstance(self.vmcoreinfo, Unknown)
        return Dump.COMPLETE if told else Dump.UNKNOWN
