"""Scratch areas: two text files side by side.

`scratch_phys` and `scratch_len` have one `0x%llx` line an area, in the order of the kernel's
array and not sorted (kernel/liveupdate/kexec_handover_debugfs.c; sysfs in the 2024 series, always
one line).
"""

from kho_console.abi import number_list
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange

_ADDRESS_END = 1 << 64
_MOST_AREAS = 1026
"""A kernel has at most 1,024 nodes, and two areas that are of no node."""


def parse(phys: bytes, length: bytes) -> tuple[MemoryRange, ...]:
    """The areas in the order of the array.

    Args:
        phys: Content of `scratch_phys` (`bootmem_phys` from 7.4).
        length: Content of `scratch_len` (`bootmem_len`).

    Returns:
        Address and bytes of each area. An area of 0 bytes was not reserved, as the global one
        of a machine whose memory all lies below 4 GiB; its address means nothing.

    Raises:
        FormatError: A line that is no number, a different number of lines, or too many of them.
    """
    addresses, sizes = _lines(phys), _lines(length)
    if len(addresses) != len(sizes):
        raise FormatError(
            min(len(phys), len(length)), f"{len(addresses)} addresses but {len(sizes)} lengths"
        )
    return tuple(
        _area(address, size, at) for (at, address), (_, size) in zip(addresses, sizes, strict=True)
    )


def _lines(text: bytes) -> list[tuple[int, int]]:
    """Offset and value of each line."""
    found = []
    offset = 0
    for line in text.splitlines(keepends=True):
        found.append((offset, number_list.prefixed(line, offset)))
        if len(found) > _MOST_AREAS:
            raise FormatError(offset, f"more than {_MOST_AREAS} areas")
        offset += len(line)
    return found


def _area(address: int, size: int, offset: int) -> MemoryRange:
    if address + size > _ADDRESS_END:
        raise FormatError(offset, "scratch area ends behind the last address")
    return MemoryRange(address, size)
