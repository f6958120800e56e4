"""ELF64 headers: what `/proc/kcore` and a crash image's ELF core header begin with.

Layout: include/uapi/linux/elf.h (`Elf64_Ehdr`, 64 bytes, and `Elf64_Phdr`, 56 bytes), the same in
all releases. Both byte orders are read: s390 writes its core headers big-endian.
"""

import struct
from collections.abc import Iterator

from kho_console.abi.error import FormatError
from kho_console.model.value import dataclass

MAGIC = b"\x7fELF"
HEADER_SIZE = 64
PROGRAM_HEADER_SIZE = 56

PT_LOAD = 1

_CLASS_64 = 2
_ORDERS = {1: "<", 2: ">"}
_EXTENDED_COUNT = 0xFFFF


@dataclass(frozen=True, slots=True)
class ElfHeader:
    """The file header, as far as core files use it.

    Attributes:
        little_endian: Byte order of this header and of the program headers.
        type: `e_type`; 4 is a core file.
        machine: `e_machine`.
        table_offset: Byte offset of the program headers in the file.
        count: Number of program headers.
    """

    little_endian: bool
    type: int
    machine: int
    table_offset: int
    count: int

    @property
    def table_size(self) -> int:
        """Bytes of all program headers; at most 3.5 MiB."""
        return self.count * PROGRAM_HEADER_SIZE


@dataclass(frozen=True, slots=True)
class ProgramHeader:
    """One `Elf64_Phdr`: offsets and sizes in bytes, addresses virtual and physical."""

    type: int
    flags: int
    offset: int
    virtual: int
    physical: int
    file_size: int
    memory_size: int
    align: int


def read_header(data: bytes) -> ElfHeader:
    """The file header at the start of `data`.

    Raises:
        FormatError: It is no 64-bit ELF header, or its program headers cannot be where it says.
    """
    if len(data) < HEADER_SIZE:
        raise FormatError(len(data), f"an ELF header has {HEADER_SIZE} bytes")
    if data[:4] != MAGIC:
        raise FormatError(0, "no ELF magic")
    if data[4] != _CLASS_64:
        raise FormatError(4, f"ELF class {data[4]}, not 64-bit")
    order = _ORDERS.get(data[5])
    if order is None:
        raise FormatError(5, f"unknown byte order {data[5]}")
    if data[6] != 1:
        raise FormatError(6, f"unknown ELF version {data[6]}")
    kind, machine, _, _, table, _, _, _, entry_size, count = struct.unpack_from(
        f"{order}HHIQQQIHHH", data, 16
    )
    if count and entry_size != PROGRAM_HEADER_SIZE:
        raise FormatError(54, f"program headers of {entry_size} bytes, not {PROGRAM_HEADER_SIZE}")
    if count == _EXTENDED_COUNT:
        raise FormatError(56, "65535 or more program headers")
    if count and table < HEADER_SIZE:
        raise FormatError(32, f"program headers at 0x{table:x}, inside the ELF header")
    if table + count * PROGRAM_HEADER_SIZE > 1 << 63:
        raise FormatError(32, f"program headers at 0x{table:x}, beyond any file")
    return ElfHeader(order == "<", kind, machine, table, count)


def read_program_headers(header: ElfHeader, table: bytes) -> tuple[ProgramHeader, ...]:
    """The program headers that `header` announces.

    Args:
        header: The file header.
        table: The bytes of the file from `header.table_offset` on, at least `header.table_size`.

    Raises:
        FormatError: The table is shorter than announced; the offset is one in the file.
    """
    return tuple(ProgramHeader(*row) for row in program_header_rows(header, table))


def program_header_rows(header: ElfHeader, table: bytes) -> Iterator[tuple[int, ...]]:
    """The fields of the same program headers, where there are too many to make values of them.

    Raises:
        FormatError: As `read_program_headers`.
    """
    if len(table) < header.table_size:
        raise FormatError(
            header.table_offset + len(table),
            f"{header.count} program headers announced, {len(table) // PROGRAM_HEADER_SIZE} there",
        )
    order = "<" if header.little_endian else ">"
    return struct.iter_unpack(f"{order}IIQQQQQQ", table[: header.table_size])
