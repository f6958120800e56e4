"""The ELF core header of a crash image, `elfcorehdr`: what a dump would contain.

A file header, a PT_NOTE for each possible CPU, one for vmcoreinfo, a PT_LOAD for the kernel's text
where the architecture wants one, and a PT_LOAD for each range of memory. Offsets are physical
addresses. Source: `crash_prepare_elf64_headers` in kernel/crash_core.c, the same in 6.16 to 7.3;
kexec-tools on x86 writes one PT_LOAD more, for the low 640 KiB, whose copy lies elsewhere; powerpc
has its lowest 64 KiB copied.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from kho_console.abi import elf
from kho_console.abi.error import FormatError
from kho_console.abi.memory import ADDRESS_LIMIT
from kho_console.model.crash import CoreHeader, CoreLoad, LoadKind
from kho_console.model.few import few
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs, array_of, view_of
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    from kho_console.model.preserved import Buffer

ALIGN = 4096
"""The kernel rounds the header up to so many bytes, whatever the size of its pages."""

MOST_ENTRIES = 0xFFFE
"""`e_phnum` has 16 bits, and its last value means that the number is written elsewhere."""

_CORE = 4
_NOTE = 4
_ALL_RIGHTS = 7
_PHYSICAL = 24
_ADDRESSES = (1 << 64) - 1
_PROGRAM_HEADER = "IIQQQQQQ"


class _Load(NamedTuple):
    """A PT_LOAD; its order is that of memory, and what holds others comes before them."""

    physical: int
    minus_size: int
    minus_at: int
    offset: int
    virtual: int

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.physical - self.minus_size

    @property
    def map(self) -> int:
        """What is added to a physical address to make a virtual one."""
        return (self.virtual - self.physical) & _ADDRESSES


def read(data: bytes) -> CoreHeader:
    """The header at the start of `data`; what lies behind it is not looked at.

    Text is told from memory by its virtual address, which is not that of the direct map as most
    ranges have it, or by lying inside a range that is mapped elsewhere. In doubt it is memory.

    Raises:
        FormatError: It is no core header, or parts of it are not as kernel and kexec-tools write.
    """
    found, faults = salvage(data)
    if faults:
        raise faults[0]
    return found


def salvage(data: bytes) -> tuple[CoreHeader, tuple[FormatError, ...]]:
    """The entries of a damaged header that are as they should be, and what is wrong with it.

    Raises:
        FormatError: It is no core header.
    """
    header = elf.read_header(data)
    if header.type != _CORE:
        raise FormatError(16, f"ELF type {header.type}, not a core file")
    faults: list[FormatError] = []
    notes: list[MemoryRange] = []
    loads: list[_Load] = []
    rows = enumerate(_rows(header, data, faults))
    for index, (kind, _, offset, virtual, physical, in_file, size, _) in rows:
        at = header.table_offset + index * elf.PROGRAM_HEADER_SIZE
        try:
            _check(at, kind, offset, physical, in_file, size)
        except FormatError as error:
            faults.append(error)
            continue
        if kind == _NOTE:
            notes.append(MemoryRange(physical, size))
        else:
            loads.append(_Load(physical, -size, -at, offset, virtual))
    found = tuple(_with_kinds(loads, faults))
    return CoreHeader(header.machine, header.little_endian, tuple(notes), found), tuple(faults)


def _rows(
    header: elf.ElfHeader, data: bytes, faults: list[FormatError]
) -> Iterator[tuple[int, ...]]:
    """All program headers, or those that are there."""
    table = data[header.table_offset : header.table_offset + header.table_size]
    try:
        return elf.program_header_rows(header, table)
    except FormatError as error:
        faults.append(error)
        whole = replace(header, count=len(table) // elf.PROGRAM_HEADER_SIZE)
        return elf.program_header_rows(whole, table)


def _check(at: int, kind: int, offset: int, physical: int, in_file: int, size: int) -> None:
    if kind not in (elf.PT_LOAD, _NOTE):
        raise FormatError(at, f"a program header of type 0x{kind:x}, neither note nor load")
    if kind == _NOTE and offset != physical:
        raise FormatError(at + 8, f"a note at 0x{physical:x} with offset 0x{offset:x}")
    if offset + size > ADDRESS_LIMIT:
        raise FormatError(at + 8, f"bytes at 0x{offset:x} that end beyond 2^56")
    if physical + size > ADDRESS_LIMIT:
        raise FormatError(at + _PHYSICAL, f"memory at 0x{physical:x} that ends beyond 2^56")
    if in_file != size:
        raise FormatError(at + 32, f"{in_file} bytes for memory of {size}")


def _with_kinds(loads: Sequence[_Load], faults: list[FormatError]) -> Iterator[CoreLoad]:
    ascending = sorted(loads)
    own = [load for load in ascending if load.offset == load.physical]
    text = _mapped_elsewhere(own) or _inside_others(own)
    faults.extend(_described_twice(load for load in ascending if load not in text))
    for load in loads:
        kind, copy = LoadKind.MEMORY, None
        if load.offset != load.physical:
            kind, copy = LoadKind.BACKUP, load.offset
        elif load in text:
            kind = LoadKind.TEXT
        yield CoreLoad(MemoryRange(load.physical, -load.minus_size), load.virtual, kind, copy)


def _mapped_elsewhere(loads: Sequence[_Load]) -> set[_Load]:
    """Those that are not in the map that more than half of them share."""
    maps = Counter(load.map for load in loads)
    for shared, count in maps.most_common(1):
        if count > 1 and 2 * count > len(loads):
            return {load for load in loads if load.map != shared}
    return set()


def _inside_others(ascending: Sequence[_Load]) -> set[_Load]:
    """Those that lie in the range of another one, which is mapped elsewhere."""
    found = set()
    outer: _Load | None = None
    for load in ascending:
        if outer is None or load.end > outer.end:
            outer = load
        elif load.map != outer.map:
            found.add(load)
    return found


def _described_twice(ascending: Iterable[_Load]) -> Iterator[FormatError]:
    """The loads whose memory others describe too."""
    end = 0
    for load in ascending:
        if load.physical < end and load.minus_size:
            at = -load.minus_at + _PHYSICAL
            yield FormatError(at, f"memory at 0x{load.physical:x} is described twice")
        end = max(end, load.end)


def write(header: CoreHeader) -> bytes:
    """The bytes of a header, padded as the kernel does.

    Raises:
        FormatError: It has more entries than `e_phnum` can say.
    """
    text = any(load.kind is LoadKind.TEXT for load in header.loads)
    made = _begun(header.machine, header.entries, text, header.little_endian)
    order = _order(header.little_endian)
    first = len(header.notes)
    for index, note in enumerate(header.notes):
        _put_note(made, order, index, note)
    for index, load in enumerate(header.loads, first):
        _put_load(made, order, index, load)
    return bytes(made)


def _begun(machine: int, entries: int, text: bool, little_endian: bool) -> bytearray:
    """The file header, and room for all program headers; the kernel has room for text always."""
    if entries > MOST_ENTRIES:
        raise FormatError(56, f"{entries} program headers where {MOST_ENTRIES} can be told")
    size = elf.HEADER_SIZE + (entries + (not text)) * elf.PROGRAM_HEADER_SIZE
    made = bytearray(size + -size % ALIGN)
    made[:7] = elf.MAGIC + bytes((2, 1 if little_endian else 2, 1))
    fields = (_CORE, machine, 1, 0, elf.HEADER_SIZE, 0, 0)
    sizes = (elf.HEADER_SIZE, elf.PROGRAM_HEADER_SIZE, entries)
    struct.pack_into(_order(little_endian) + "HHIQQQIHHH", made, 16, *fields, *sizes)
    return made


def _order(little_endian: bool) -> str:
    return "<" if little_endian else ">"


def _put_note(made: bytearray, order: str, index: int, note: MemoryRange) -> None:
    words = (note.start, 0, note.start, note.size, note.size, 0)
    struct.pack_into(order + _PROGRAM_HEADER, made, _place(index), _NOTE, 0, *words)


def _put_load(made: bytearray, order: str, index: int, load: CoreLoad) -> None:
    start, size = load.range.start, load.range.size
    words = (start if load.copy is None else load.copy, load.virtual, start, size, size, 0)
    at = _place(index)
    struct.pack_into(order + _PROGRAM_HEADER, made, at, elf.PT_LOAD, _ALL_RIGHTS, *words)


def _place(index: int) -> int:
    return elf.HEADER_SIZE + index * elf.PROGRAM_HEADER_SIZE


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What the kernel builds a header from.

    Attributes:
        machine: `e_machine`.
        notes: Buffer of u64: where the notes of each possible CPU lie.
        note_size: Bytes of the notes of a CPU.
        vmcoreinfo: The note of vmcoreinfo.
        text: The kernel's text, where the architecture wants it described.
        memory: The ranges of memory.
        direct_map: Virtual address of physical address 0, modulo 2^64.
        little_endian: Byte order.
    """

    machine: int
    notes: "Buffer"
    note_size: int
    vmcoreinfo: MemoryRange
    text: CoreLoad | None
    memory: Runs
    direct_map: int
    little_endian: bool = True

    @property
    def cpus(self) -> int:
        """Number of possible CPUs."""
        return len(view_of(self.notes))

    @property
    def entries(self) -> int:
        """Number of program headers."""
        return self.cpus + 1 + (self.text is not None) + len(self.memory)


def build(described: Described) -> bytes:
    """The header that the kernel makes of it, padded as the kernel does.

    Raises:
        FormatError: There are more entries than `e_phnum` can say.
    """
    if few(described.entries):
        return write(header_of(described))
    return _build_many(described)


def header_of(described: Described) -> CoreHeader:
    """The same header as a value."""
    notes = (MemoryRange(start, described.note_size) for start in view_of(described.notes))
    text = () if described.text is None else (described.text,)
    base = described.direct_map
    memory = (
        CoreLoad(item, (base + item.start) & _ADDRESSES, LoadKind.MEMORY, None)
        for item in described.memory
    )
    return CoreHeader(
        described.machine,
        described.little_endian,
        (*notes, described.vmcoreinfo),
        (*text, *memory),
    )


def _build_many(described: Described) -> bytes:
    import numpy as np

    order = _order(described.little_endian)
    text = described.text is not None
    made = _begun(described.machine, described.entries, text, described.little_endian)
    own = np.dtype([("type", f"{order}u4"), ("flags", f"{order}u4"), ("words", f"{order}u8", 6)])
    rows = np.frombuffer(made, own, described.entries, elf.HEADER_SIZE)
    cpus = described.cpus
    notes, loads = rows[:cpus], rows[described.entries - len(described.memory) :]
    notes["type"] = _NOTE
    notes["words"][:, 0] = notes["words"][:, 2] = array_of(view_of(described.notes))
    notes["words"][:, 3:5] = described.note_size
    _put_note(made, order, cpus, described.vmcoreinfo)
    if described.text is not None:
        _put_load(made, order, cpus + 1, described.text)
    starts = described.memory.starts
    loads["type"], loads["flags"] = elf.PT_LOAD, _ALL_RIGHTS
    loads["words"][:, 0] = loads["words"][:, 2] = starts
    loads["words"][:, 1] = starts + np.uint64(described.direct_map)
    loads["words"][:, 3] = loads["words"][:, 4] = described.memory.ends - starts
    return bytes(made)
