"""What sysfs says of memory that concerns a dump.

`/sys/kernel/vmcoreinfo` is `0x<address> <size>`, the size hexadecimal without a prefix
(kernel/ksysfs.c). `crash_cma_ranges`, since 6.19, has `START-END` a line, hexadecimal without a
prefix, END included, and nothing without `crashkernel=...,cma` (kernel/kexec_core.c).
"""

import re

from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange

_VMCOREINFO = re.compile(rb"0x([0-9a-fA-F]{1,16}) ([0-9a-fA-F]{1,16})\n?")
_RANGE = re.compile(rb"([0-9a-fA-F]{1,16})-([0-9a-fA-F]{1,16})")
_ADDRESSES = 1 << 64


def vmcoreinfo(data: bytes) -> MemoryRange:
    """Where the note with vmcoreinfo lies.

    Raises:
        FormatError: The file has another form.
    """
    found = _VMCOREINFO.fullmatch(data)
    if not found:
        raise FormatError(0, "no address with a size")
    note = MemoryRange(int(found[1], 16), int(found[2], 16))
    if note.end > _ADDRESSES:
        raise FormatError(0, "vmcoreinfo ends beyond all addresses")
    return note


def cma_ranges(data: bytes) -> tuple[MemoryRange, ...]:
    """Memory that a crash kernel gets out of CMA, and that no dump holds, in the kernel's order.

    Raises:
        FormatError: A line is no range, or one that ends before it starts.
    """
    ranges: list[MemoryRange] = []
    offset = 0
    for line in data.split(b"\n"):
        if line:
            found = _RANGE.fullmatch(line)
            if not found or int(found[2], 16) < int(found[1], 16):
                raise FormatError(offset, "a line of crash_cma_ranges is no range")
            start = int(found[1], 16)
            ranges.append(MemoryRange(start, int(found[2], 16) - start + 1))
        offset += len(line) + 1
    return tuple(ranges)
