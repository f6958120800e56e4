"""bzImage: the x86 kernel file.

Layout: Documentation/arch/x86/boot.rst and arch/x86/boot/header.S, the same from 6.16 to 7.3;
what is refused is refused by `bzImage64_probe` of arch/x86/kernel/kexec-bzimage64.c. Offsets are
from the start of the file, numbers are little-endian.
"""

import struct
from collections.abc import Iterator

from kho_console.abi import pe
from kho_console.abi.error import FormatError
from kho_console.abi.pe import PeFile
from kho_console.abi.reader import Reader, exactly
from kho_console.abi.text import c_string
from kho_console.model.value import dataclass

_HEADER_END = 0x268
_SECTOR = 512
_BOOT_FLAG = 0xAA55
_MAGIC = b"HdrS"
_OLDEST_PROTOCOL = 0x20C

_LOADED_HIGH = 1 << 0
_KERNEL_64 = 1 << 0
_ABOVE_4G = 1 << 1
_FIVE_LEVELS = 1 << 5


@dataclass(frozen=True, slots=True)
class BzImage:
    """What the setup header says, sizes in bytes.

    Attributes:
        protocol: Version of the boot protocol, as 0x20f.
        setup_size: Bytes of the real-mode part, the boot sector included.
        code_size: Bytes of the protected-mode part behind it.
        version: The version string, `RELEASE (builder) #n ...`; empty where there is none.
        loadflags: Bit 0: loads high.
        xloadflags: Bit 0: 64-bit entry, 1: may lie above 4 GiB, 5: knows five-level paging.
        relocatable: Whether it runs where it is loaded.
        alignment: What its load address must be a multiple of.
        command_line_limit: Longest command line, without its NUL.
        payload_offset: Of the compressed kernel, from the start of the file.
        payload_size: Bytes of it; 0 where there is none.
        preferred_address: Where it likes to be loaded.
        memory_size: Bytes it needs from its load address on (`init_size`).
        pe: The headers for EFI; None where there are no good ones.
    """

    protocol: int
    setup_size: int
    code_size: int
    version: bytes
    loadflags: int
    xloadflags: int
    relocatable: bool
    alignment: int
    command_line_limit: int
    payload_offset: int
    payload_size: int
    preferred_address: int
    memory_size: int
    pe: PeFile | None

    @property
    def release(self) -> bytes:
        """`uname -r`: the first word of the version string."""
        return self.version.partition(b" ")[0]

    @property
    def announced(self) -> int:
        """Bytes that the file must have by its headers."""
        end = self.pe.end if self.pe else 0
        return max(self.setup_size + self.code_size, end)

    @property
    def five_levels(self) -> bool:
        """Whether it can take over from a kernel with five-level page tables."""
        return bool(self.xloadflags & _FIVE_LEVELS)

    @property
    def refusals(self) -> Iterator[str]:
        """Why the kernel's own loader answers ENOEXEC, one phrase each."""
        if self.protocol < _OLDEST_PROTOCOL:
            yield f"boot protocol 0x{self.protocol:x} is older than 0x{_OLDEST_PROTOCOL:x}"
        if not self.loadflags & _LOADED_HIGH:
            yield "it does not load high"
        if not self.xloadflags & _KERNEL_64:
            yield "it has no 64-bit entry"
        elif not self.xloadflags & _ABOVE_4G:
            yield "it may not lie above 4 GiB"


def told(head: bytes) -> bool:
    """Whether a file that begins like this is a bzImage."""
    return head[0x202:0x206] == _MAGIC and head[0x1FE:0x200] == b"\x55\xaa"


def read(reader: Reader) -> BzImage:
    """The setup header.

    Raises:
        FormatError: It is no bzImage, or the file ends in its header.
    """
    head = exactly(reader, 0, _HEADER_END, "the setup header")
    (flag,) = struct.unpack_from("<H", head, 0x1FE)
    if flag != _BOOT_FLAG:
        raise FormatError(0x1FE, f"boot flag 0x{flag:x}, not 0x{_BOOT_FLAG:x}")
    if head[0x202:0x206] != _MAGIC:
        raise FormatError(0x202, "no HdrS")
    (protocol,) = struct.unpack_from("<H", head, 0x206)
    # A header is as long as its protocol's; what lies behind it is code.
    head = head[: max(0x202 + head[0x201], 0x20F)].ljust(_HEADER_END, b"\0")
    setup_size = ((head[0x1F1] or 4) + 1) * _SECTOR
    (paragraphs,) = struct.unpack_from("<I", head, 0x1F4)
    alignment, relocatable = struct.unpack_from("<IB", head, 0x230)
    (xloadflags, limit) = struct.unpack_from("<HI", head, 0x236)
    payload_offset, payload_size = struct.unpack_from("<II", head, 0x248)
    preferred, memory_size = struct.unpack_from("<QI", head, 0x258)
    return BzImage(
        protocol=protocol,
        setup_size=setup_size,
        code_size=paragraphs * 16,
        version=_version(reader, head, setup_size),
        loadflags=head[0x211],
        xloadflags=xloadflags,
        relocatable=bool(relocatable),
        alignment=alignment,
        command_line_limit=limit or 255,
        payload_offset=setup_size + payload_offset,
        payload_size=payload_size,
        preferred_address=preferred,
        memory_size=memory_size,
        pe=_pe(reader, head),
    )


def _version(reader: Reader, head: bytes, setup_size: int) -> bytes:
    (at,) = struct.unpack_from("<H", head, 0x20E)
    if not at or at + 0x200 >= setup_size:
        return b""
    return c_string(reader.read(at + 0x200, min(256, setup_size - at - 0x200)))


def _pe(reader: Reader, head: bytes) -> PeFile | None:
    """The kernel's loader does without them, so damaged ones are none."""
    try:
        return pe.read(reader) if head[:2] == pe.MAGIC else None
    except FormatError:
        return None
