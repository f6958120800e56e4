"""Raw kernel images: the arm64 `Image` and the riscv one, which has the same shape.

Layout: Documentation/arch/arm64/booting.rst and Documentation/arch/riscv/boot-image-header.rst,
64 bytes, little-endian: u64 text offset at 8, u64 image size at 16 (memory, bss included), u64
flags at 24, the magic at 56, and the offset of a PE header at 60 where there is an EFI stub.
"""

import struct

from kho_console.abi import pe
from kho_console.abi.error import FormatError
from kho_console.abi.pe import PeFile
from kho_console.abi.reader import Reader, exactly
from kho_console.model.value import dataclass

HEADER_SIZE = 64
ALIGNMENT = 2 << 20
"""Bytes that the load address is a multiple of, in both."""

_MAGIC_AT = 56
_MACHINES = {b"ARM\x64": "aarch64", b"RSC\x05": "riscv64"}
_PAGE_SIZES = {1: 4096, 2: 16384, 3: 65536}


@dataclass(frozen=True, slots=True)
class RawImage:
    """What the header says.

    Attributes:
        machine: `aarch64` or `riscv64`.
        text_offset: Bytes between an aligned address and where it is loaded.
        memory_size: Bytes of memory it takes, with its bss.
        flags: As they stand there.
        pe: The headers for EFI; None where there are no good ones.
    """

    machine: str
    text_offset: int
    memory_size: int
    flags: int
    pe: PeFile | None

    @property
    def page_size(self) -> int | None:
        """Bytes of a page; None where an arm64 kernel does not tell."""
        return 4096 if self.machine == "riscv64" else _PAGE_SIZES.get(self.flags >> 1 & 3)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the kernel's own loader answers EINVAL, one phrase each."""
        found = []
        if not self.memory_size:
            found.append("its image size is 0")
        if self.flags & 1:
            found.append("it is big-endian")
        return tuple(found)


def told(head: bytes) -> bool:
    """Whether a file that begins like this is a raw image."""
    return head[_MAGIC_AT:HEADER_SIZE][:4] in _MACHINES


def read(reader: Reader) -> RawImage:
    """The header.

    Raises:
        FormatError: It is no raw image, or the file ends in its header.
    """
    head = exactly(reader, 0, HEADER_SIZE, "the image header")
    magic = head[_MAGIC_AT : _MAGIC_AT + 4]
    machine = _MACHINES.get(magic)
    if machine is None:
        raise FormatError(_MAGIC_AT, "no magic of an arm64 or riscv image")
    text_offset, size, flags = struct.unpack_from("<QQQ", head, 8)
    return RawImage(machine, text_offset, size, flags, _pe(reader, head))


def _pe(reader: Reader, head: bytes) -> PeFile | None:
    """The kernel's loader does without them, so damaged ones are none."""
    try:
        return pe.read(reader) if head[:2] == pe.MAGIC else None
    except FormatError:
        return None
