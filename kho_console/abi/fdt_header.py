"""The header of a flattened device tree, and the limits every tree is read under.

Format: Devicetree Specification 0.4, section 5.2; all words are big-endian.
"""

import struct

from kho_console.abi.error import FormatError
from kho_console.model.value import dataclass

MAGIC = b"\xd0\x0d\xfe\xed"
HEADER_SIZE = 40
PROPERTY_HEADER = 12
"""Bytes before a property's value: its tag, its length, its name offset."""
MAXIMUM_DEPTH = 64
MAXIMUM_NODES = 1 << 16
MAXIMUM_PROPERTIES = 1 << 18
"""Of all nodes together: a property of 12 bytes takes twenty times as much once it is read."""
MAXIMUM_NAME = 255
"""Bytes of a name; the specification allows 31. Many names may share the bytes of a long one."""
MAXIMUM_SIZE = 16 << 20
"""The 2024 series allows trees of 10 MiB, mainline one page."""


@dataclass(frozen=True, slots=True)
class Header:
    """Offsets and sizes in bytes from the start of the tree."""

    totalsize: int
    off_dt_struct: int
    off_dt_strings: int
    version: int
    size_dt_strings: int


def read_header(data: bytes) -> Header:
    """The header at the start of `data`; what it points at may still lie outside.

    Raises:
        FormatError: Too short, not a tree, or a version that no kernel with KHO writes.
    """
    if len(data) < HEADER_SIZE:
        raise FormatError(len(data), f"{len(data)} bytes are too few for a tree header")
    if data[:4] != MAGIC:
        raise FormatError(0, "no device tree magic")
    words = struct.unpack_from(">10I", data)
    header = Header(words[1], words[2], words[3], words[5], words[8])
    if header.version != 17 or words[6] > 17:
        raise FormatError(20, f"tree version {header.version}, not 17")
    if header.totalsize < HEADER_SIZE:
        raise FormatError(4, f"totalsize {header.totalsize} is smaller than the header")
    return header
