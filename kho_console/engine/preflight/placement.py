"""Where the kernel puts the segments of an image: into scratch, area by area.

kernel/kexec_file.c and kho_locate_mem_hole(): with KHO on, each segment goes into the first area
of the table that has room for it, as high or as low in it as its loader wants, page by page around
the segments before it. The table of areas itself comes first, as a segment of 64 KiB; the order of
the rest is that of `bzImage64_load` (arch/x86) and `image_load`, `load_other_segments` (arm64).
"""

from collections.abc import Sequence

from kho_console.model.image import KernelImage
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass

_PAGE = 4096
_SMALL = 32 << 10
"""Purgatory, and the boot parameters with their command line: each takes less."""

_TABLE = 64 << 10
_LEAST_KERNEL, _LEAST_INITRD = 1 << 20, 16 << 20
"""MIN_KERNEL_LOAD_ADDR and MIN_INITRD_LOAD_ADDR of kexec-bzimage64.c."""

_DTB = 2 << 20
"""A device tree on arm64: at most 2 MiB, aligned to as much."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of an image. Bytes; addresses are physical.

    Attributes:
        name: What it is, for an operator.
        size: Memory that it takes.
        alignment: Its address is a multiple of this.
        lowest: Its address is at least this.
        upwards: Whether the lowest place is taken instead of the highest.
    """

    name: str
    size: int
    alignment: int = _PAGE
    lowest: int = 0
    upwards: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment and where it went; None where no area has room."""

    segment: Segment
    place: MemoryRange | None


def segments(image: KernelImage, initrd_size: int, growth: float = 1) -> Maybe[tuple[Segment, ...]]:
    """The segments of a normal image in the order in which they are placed.

    Args:
        image: The kernel.
        initrd_size: Bytes of the initial RAM disk, 0 for none.
        growth: Take kernel and initrd for so many times as large.
    """
    if isinstance(image.memory_size, Unknown):
        return image.memory_size
    alignment = _PAGE if isinstance(image.alignment, Unknown) else image.alignment
    size = int(image.memory_size * growth)
    disk = int(initrd_size * growth)
    found = [Segment("the table of areas", _TABLE, _TABLE)]
    if image.machine == "x86_64":
        found += [Segment("purgatory", _SMALL), Segment("the boot parameters", _SMALL)]
        found.append(Segment("the kernel", size, alignment, _LEAST_KERNEL))
        found.append(Segment("the initrd", disk, _PAGE, _LEAST_INITRD))
    else:
        found.append(Segment("the kernel", size, alignment, upwards=True))
        found.append(Segment("the initrd", disk, _PAGE, upwards=True))
        found.append(Segment("the device tree", _DTB, _DTB))
    return tuple(item for item in found if item.size)


def place(wanted: Sequence[Segment], areas: Sequence[MemoryRange]) -> tuple[Placed, ...]:
    """Where each segment goes; those behind one without room are tried all the same."""
    taken: list[MemoryRange] = []
    found = []
    for segment in wanted:
        spot = next((at for area in areas if (at := _in_area(segment, area, taken))), None)
        if spot is not None:
            taken.append(spot)
        found.append(Placed(segment, spot))
    return tuple(found)


def _in_area(
    segment: Segment, area: MemoryRange, taken: Sequence[MemoryRange]
) -> MemoryRange | None:
    size = -(-segment.size // _PAGE) * _PAGE
    alignment = max(segment.alignment, _PAGE)
    lowest = max(area.start, segment.lowest)
    if segment.upwards:
        start = -(-lowest // alignment) * alignment
    else:
        start = (area.end - size) // alignment * alignment
    while lowest <= start and start + size <= area.end:
        spot = MemoryRange(start, size)
        other = next((item for item in taken if item.overlaps(spot)), None)
        if other is None:
            return spot
        if segment.upwards:
            start = -(-other.end // alignment) * alignment
        else:
            start = (other.start - size) // alignment * alignment
    return None
