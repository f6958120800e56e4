"""Where memblock puts a `reserve_mem` region."""

from kho_console.abi.command_line import ReserveMem
from kho_console.model.blob import ReservedRegion
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.twin.hardware import Hardware

_REGION = b"reserve-mem-v1"
_LEAST_ALIGN = 64
"""A cache line: `reserve_mem` aligns to no less."""


def alignment(wanted: ReserveMem) -> int:
    """What the start of a region must be a multiple of."""
    return max(wanted.align, _LEAST_ALIGN)


def place(
    hardware: Hardware, wanted: ReserveMem, taken: tuple[MemoryRange, ...]
) -> ReservedRegion | None:
    """A fresh region: where a recording says it lies, else as high as there is room."""
    free = without(merged(list(hardware.ram)), merged(list(taken)))
    known = hardware.regions.get(wanted.name)
    if known is not None and any(hole.contains(MemoryRange(known, wanted.size)) for hole in free):
        return ReservedRegion(wanted.name, _REGION, known, wanted.size)
    align = alignment(wanted)
    for hole in reversed(free):
        start = (hole.end - wanted.size) // align * align
        if start >= hole.start:
            return ReservedRegion(wanted.name, _REGION, start, wanted.size)
    return None
