"""Purgatory of a simulated crash image: what it is told, and what it checks at a panic.

Its symbols have no fixed addresses in a real one; here the digest, the regions and the registers
stand at its start, and code that means nothing behind them.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from itertools import chain

from kho_console.abi import purgatory
from kho_console.abi.memory import PhysicalMemory
from kho_console.model.memory import MemoryRange
from kho_console.twin.crash.image import Image, Part, Registers

IN_FILE_MODE = ("x86_64", "ppc64le", "riscv64", "s390x")
"""Where `kexec_file_load` has a purgatory; on arm64 it enters the next kernel by itself."""

_CHECKING = ("x86_64", "riscv64", "s390x")
"""Where that purgatory looks at its digest; on powerpc nobody does."""

_REGISTERS = struct.Struct("<4Q")
_TABLES = purgatory.DIGEST_SIZE + purgatory.TABLE_SIZE
_FILLED = _TABLES + _REGISTERS.size


def fresh(size: int) -> bytes:
    """Purgatory as the kernel carries it, relocated and told nothing."""
    code = hashlib.shake_256(b"purgatory").digest(size - _FILLED)
    return bytes(_FILLED) + code


def with_registers(content: bytes, registers: Registers) -> bytes:
    """Told what to enter the crash kernel with."""
    told = _REGISTERS.pack(registers.rbx, registers.rsi, registers.rip, registers.rsp)
    return content[:_TABLES] + told + content[_FILLED:]


def digested(image: Image, *, header: bool) -> tuple[MemoryRange, ...]:
    """The segments that the digest covers, in their order."""
    left_out = {Part.PURGATORY} if header else {Part.PURGATORY, Part.HEADER}
    indexes = {at for at, item in enumerate(image.segments) if item.part in left_out}
    return purgatory.regions([item.range for item in image.segments], indexes)


def with_digest(
    content: bytes, ranges: Sequence[MemoryRange], contents: Mapping[MemoryRange, bytes]
) -> bytes:
    """Told what to check.

    Args:
        content: Purgatory.
        ranges: The segments that the digest covers.
        contents: Their content; zeros fill what is left of a segment.
    """
    pieces = chain.from_iterable(purgatory.filled(contents[item], item) for item in ranges)
    return purgatory.digest(pieces) + purgatory.write_regions(ranges) + content[_TABLES:]


def checked(image: Image, architecture: str) -> bool:
    """Whether a panic finds out that a digest is wrong; purgatory of kexec-tools always does."""
    return not image.file_mode or architecture in _CHECKING


def verifies(memory: PhysicalMemory, image: Image) -> bool:
    """What purgatory does at a panic: the digest over the regions that it was told of."""
    place = image.segment(Part.PURGATORY).range
    tables = memory.read(place.start, _TABLES)
    regions = purgatory.read_regions(tables[purgatory.DIGEST_SIZE :])
    return purgatory.verify(regions, tables[: purgatory.DIGEST_SIZE], memory)
