"""What purgatory checks before it enters the next kernel: one SHA-256 over up to 16 regions.

The load stores both in purgatory, as `purgatory_sha256_digest` and `purgatory_sha_regions`. Source:
`kexec_calculate_store_digests` in kernel/kexec_file.c, `verify_sha256_digest` in
arch/x86/purgatory/purgatory.c, and `struct kexec_sha_region` in include/linux/purgatory.h, the
same in 6.16 to 7.3.
"""

import hashlib
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence

from kho_console.abi.error import FormatError
from kho_console.abi.memory import PhysicalMemory
from kho_console.model.memory import MemoryRange

DIGEST_SIZE = 32
MOST_REGIONS = 16
REGION_SIZE = 16
TABLE_SIZE = MOST_REGIONS * REGION_SIZE

_PIECE = 1 << 20
_LAST = 1 << 64


def regions(segments: Sequence[MemoryRange], left_out: Collection[int]) -> tuple[MemoryRange, ...]:
    """The regions that the digest of an image is taken over.

    Args:
        segments: All `memsz` bytes of each segment, in the order of the image.
        left_out: Indexes of the segments that are not protected: purgatory, which holds the digest,
            always; the ELF core header where the kernel may update it; the IMA segment.

    Raises:
        FormatError: The table has no room for so many.
    """
    found = tuple(item for index, item in enumerate(segments) if index not in left_out)
    _check_count(found)
    return found


def digest(pieces: Iterable[bytes]) -> bytes:
    """The digest over the regions, whose bytes come in pieces of any size, in order."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.digest()


def filled(content: bytes, region: MemoryRange) -> Iterator[bytes]:
    """The bytes of a region before its content is copied into place: zeros fill the rest.

    Raises:
        FormatError: The content is larger than the region.
    """
    if len(content) > region.size:
        raise FormatError(region.start, f"{len(content)} bytes for a region of {region.size}")
    yield content
    for size in _sizes(region.size - len(content)):
        yield bytes(size)


def in_memory(protected: Iterable[MemoryRange], memory: PhysicalMemory) -> Iterator[bytes]:
    """The bytes of all regions as they lie in memory now.

    Raises:
        MissingMemory: A part of them cannot be had.
    """
    for region in protected:
        at = region.start
        for size in _sizes(region.size):
            yield memory.read(at, size)
            at += size


def verify(protected: Iterable[MemoryRange], stored: bytes, memory: PhysicalMemory) -> bool:
    """Whether purgatory would go on to the next kernel; x86 and riscv hang for ever otherwise.

    Raises:
        MissingMemory: A part of the regions cannot be had.
    """
    return digest(in_memory(protected, memory)) == stored


def read_regions(table: bytes, *, little_endian: bool = True) -> tuple[MemoryRange, ...]:
    """The regions of a table; entries without bytes add nothing to a digest and are left out.

    Raises:
        FormatError: The table is too short, or a region does not end.
    """
    if len(table) < TABLE_SIZE:
        raise FormatError(len(table), f"a table of regions has {TABLE_SIZE} bytes")
    entries = struct.iter_unpack(f"{_order(little_endian)}QQ", table[:TABLE_SIZE])
    found = []
    for index, (start, size) in enumerate(entries):
        if start + size > _LAST:
            raise FormatError(index * REGION_SIZE + 8, f"a region at 0x{start:x} that has no end")
        if size:
            found.append(MemoryRange(start, size))
    return tuple(found)


def write_regions(protected: Sequence[MemoryRange], *, little_endian: bool = True) -> bytes:
    """The table of the regions, with zeros behind them.

    Raises:
        FormatError: There are more than it has room for.
    """
    _check_count(protected)
    entry = struct.Struct(f"{_order(little_endian)}QQ")
    table = b"".join(entry.pack(region.start, region.size) for region in protected)
    return table.ljust(TABLE_SIZE, b"\0")


def _check_count(protected: Sequence[MemoryRange]) -> None:
    if len(protected) > MOST_REGIONS:
        raise FormatError(TABLE_SIZE, f"{len(protected)} regions where {MOST_REGIONS} fit")


def _order(little_endian: bool) -> str:
    return "<" if little_endian else ">"


def _sizes(size: int) -> Iterator[int]:
    """Sizes that are `size` together, none so large that it is a burden."""
    while size:
        yield min(size, _PIECE)
        size -= min(size, _PIECE)
