"""EFI zboot: a PE file that unpacks the kernel in it by itself.

Layout: drivers/firmware/efi/libstub/zboot-header.S: `MZ`, `zimg` at 4, u32 payload offset at 8
and size at 12, the name of the compression at 24.
"""

import struct

from kho_console.abi import pe
from kho_console.abi.error import FormatError
from kho_console.abi.pe import PeFile
from kho_console.abi.reader import Reader, exactly
from kho_console.abi.text import c_string
from kho_console.model.value import dataclass

_HEADER_SIZE = 64
_MAGIC = b"zimg"


@dataclass(frozen=True, slots=True)
class Zboot:
    """What the header says.

    Attributes:
        payload_offset: Of the compressed kernel, from the start of the file.
        payload_size: Its bytes.
        compression: Its name, as `gzip` or `zstd`.
        pe: The headers for EFI.
    """

    payload_offset: int
    payload_size: int
    compression: bytes
    pe: PeFile


def told(head: bytes) -> bool:
    """Whether a file that begins like this is a zboot image."""
    return head[:2] == pe.MAGIC and head[4:8] == _MAGIC


def read(reader: Reader) -> Zboot:
    """The header.

    Raises:
        FormatError: It is no zboot image, or the file ends in its header.
    """
    head = exactly(reader, 0, _HEADER_SIZE, "the zboot header")
    if not told(head):
        raise FormatError(4, "no zimg")
    offset, size = struct.unpack_from("<II", head, 8)
    return Zboot(offset, size, c_string(head[24:56]), pe.read(reader))
