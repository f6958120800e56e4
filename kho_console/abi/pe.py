"""The parts of a PE file that kernels with an EFI stub, zboot images and UKIs make use of.

Layout: the PE/COFF specification; the optional header is that of PE32+ (magic 0x20b), as in
arch/x86/boot/header.S, arch/arm64/kernel/efi-header.S and systemd's stub.
"""

import struct

from kho_console.abi.error import FormatError
from kho_console.abi.reader import Reader, exactly
from kho_console.model.value import dataclass

MAGIC = b"MZ"

_OFFSET_AT = 0x3C
_SIGNATURE = b"PE\0\0"
_COFF_SIZE = 24
_SECTION_SIZE = 40
_PE32_PLUS = 0x20B
_CERTIFICATES_AT = 144
"""The fifth data directory, in the optional header: a file offset and a size."""

_MACHINES = {
    0x8664: "x86_64",
    0x14C: "i386",
    0xAA64: "aarch64",
    0x5064: "riscv64",
    0x6264: "loongarch64",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its name and where its bytes are in the file.

    Attributes:
        name: As `.linux`.
        offset: File offset of its bytes.
        size: How many of them mean something.
        raw_size: How many are in the file, padding included.
    """

    name: bytes
    offset: int
    size: int
    raw_size: int


@dataclass(frozen=True, slots=True)
class PeFile:
    """What the headers say.

    Attributes:
        machine: `uname -m` of what it runs on; None where the number is not known here.
        certificates: File offset and size of the certificate table; size 0 where it is unsigned.
        sections: In file order.
    """

    machine: str | None
    certificates: tuple[int, int]
    sections: tuple[Section, ...]

    @property
    def signed(self) -> bool:
        """Whether a signature is attached."""
        return self.certificates[1] > 0

    @property
    def end(self) -> int:
        """First file offset behind everything that the headers announce."""
        ends = [section.offset + section.raw_size for section in self.sections]
        if self.signed:
            ends.append(sum(self.certificates))
        return max(ends, default=0)

    def section(self, name: bytes) -> Section | None:
        """The first section called `name`."""
        return next((item for item in self.sections if item.name == name), None)


def read(reader: Reader) -> PeFile:
    """The headers of a PE file.

    Raises:
        FormatError: It is none, or it ends in them.
    """
    head = exactly(reader, 0, 64, "the DOS header")
    if head[:2] != MAGIC:
        raise FormatError(0, "no MZ")
    at = int.from_bytes(head[_OFFSET_AT : _OFFSET_AT + 4], "little")
    coff = exactly(reader, at, _COFF_SIZE, "the PE header")
    if coff[:4] != _SIGNATURE:
        raise FormatError(at, "no PE signature")
    machine, count = struct.unpack_from("<HH", coff, 4)
    (optional_size,) = struct.unpack_from("<H", coff, 20)
    optional = exactly(reader, at + _COFF_SIZE, optional_size, "the optional header")
    table = at + _COFF_SIZE + optional_size
    raw = exactly(reader, table, count * _SECTION_SIZE, "the section table")
    return PeFile(
        _MACHINES.get(machine),
        _certificates(optional),
        tuple(_section(raw, index * _SECTION_SIZE) for index in range(count)),
    )


def _certificates(optional: bytes) -> tuple[int, int]:
    magic = int.from_bytes(optional[:2], "little")
    if magic != _PE32_PLUS or len(optional) < _CERTIFICATES_AT + 8:
        return 0, 0
    offset, size = struct.unpack_from("<II", optional, _CERTIFICATES_AT)
    return offset, size


def _section(table: bytes, at: int) -> Section:
    size, _, raw_size, offset = struct.unpack_from("<IIII", table, at + 8)
    name = table[at : at + 8].rstrip(b"\0")
    # The raw size is rounded up for the file; where it is smaller, the rest is zero in memory.
    return Section(name, offset, min(size, raw_size) if size else raw_size, raw_size)
