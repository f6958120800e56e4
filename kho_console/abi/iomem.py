"""`/proc/iomem`: the map of physical memory as text.

A line is `START-END : NAME`, hexadecimal without a prefix, END included; each level of nesting
indents by two spaces (kernel/resource.c). Without CAP_SYS_ADMIN every address reads as zero.
"""

import re

from kho_console.abi.error import FormatError
from kho_console.model.memory import IomemEntry, MemoryRange

_LINE = re.compile(rb"((?:  )*)([0-9a-fA-F]{1,16})-([0-9a-fA-F]{1,16}) : (.*)")
_SYSTEM_RAM = "System RAM"


def parse(text: bytes) -> tuple[IomemEntry, ...]:
    """All lines in their order. Bytes of a name that are no UTF-8 become surrogates.

    Raises:
        FormatError: A line of another form, one that ends before it starts, or one that is
            nested deeper than the line before allows.
    """
    entries: list[IomemEntry] = []
    offset = 0
    for line in text.split(b"\n"):
        if line:
            entry = _entry(line, offset)
            if entry.depth > (entries[-1].depth + 1 if entries else 0):
                raise FormatError(offset, "iomem line is nested below nothing")
            entries.append(entry)
        offset += len(line) + 1
    return tuple(entries)


def masked(entries: tuple[IomemEntry, ...]) -> bool:
    """Whether the kernel hid the addresses, as it does from the unprivileged."""
    return bool(entries) and all(entry.range == MemoryRange(0, 1) for entry in entries)


def system_ram(entries: tuple[IomemEntry, ...]) -> tuple[MemoryRange, ...]:
    """Ranges of memory, in order.

    Besides `System RAM` this is what a driver added as `System RAM (NAME)`, which stands below
    the device it came from (`dax0.0`), not at the top.
    """
    return tuple(
        entry.range
        for entry in entries
        if entry.name == _SYSTEM_RAM or entry.name.startswith(_SYSTEM_RAM + " (")
    )


def named(entries: tuple[IomemEntry, ...], name: str) -> tuple[MemoryRange, ...]:
    """Ranges of all lines called `name`, at any depth, for example `Crash kernel`."""
    return tuple(entry.range for entry in entries if entry.name == name)


def _entry(line: bytes, offset: int) -> IomemEntry:
    found = _LINE.fullmatch(line)
    if not found:
        raise FormatError(offset, "iomem line is no range with a name")
    start, end = int(found[2], 16), int(found[3], 16)
    if end < start:
        raise FormatError(offset, "iomem range ends before it starts")
    name = found[4].decode("utf-8", "surrogateescape")
    return IomemEntry(MemoryRange(start, end - start + 1), name, len(found[1]) // 2)
