"""A crash image: its segments in the crash region, with real bytes."""

from enum import StrEnum

from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass


class Part(StrEnum):
    """What a segment of a crash image is."""

    HEADER = "elfcorehdr"
    PURGATORY = "purgatory"
    PARAMETERS = "boot parameters"
    KERNEL = "kernel"
    INITRD = "initrd"
    BACKUP = "backup"
    """Where the low 640 KiB are copied to, for an image of kexec-tools on x86."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A `struct kexec_segment`.

    Attributes:
        part: What it is.
        range: Where it lies, all `memsz` bytes of it.
        size: Bytes of it that are content; zeros fill the rest.
    """

    part: Part
    range: MemoryRange
    size: int


@dataclass(frozen=True, slots=True)
class Registers:
    """Registers that purgatory enters the crash kernel with, as it was told at the load."""

    rbx: int
    rsi: int
    rip: int
    rsp: int


@dataclass
class Image:
    """A `struct kimage` of type crash.

    Attributes:
        file_mode: Loaded by `kexec_file_load`.
        updatable: Whether the kernel may update its header.
        segments: In the order in which they were placed.
        registers: See `Registers`.
        header_index: Which segment the header is, as the load noted it; None where it did not.
        purgatory_index: Likewise.
        digested_header: All bytes of the header's segment that went into the digest; None where the
            digest leaves the header out.
        updated: Whether an event was answered since the load, well or badly.
    """

    file_mode: bool
    updatable: bool
    segments: tuple[Segment, ...]
    registers: Registers
    header_index: int | None
    purgatory_index: int | None
    digested_header: bytes | None = None
    updated: bool = False

    def segment(self, part: Part) -> Segment:
        """The segment of a part that the image has."""
        return next(item for item in self.segments if item.part is part)
