"""What only v3 does with its stream: how its folio grows, and how `reserve_mem` is named."""

import zlib
from collections.abc import Iterable

from kho_console.abi.kstate.stream import END_MARK

_PAGE = 4096
_NAME = 16


def runs_over(at: int, pieces: Iterable[int]) -> bool:
    """Whether what is written from `at` of a stream on runs over the folio it grew into.

    A folio that is too small grows by one order above where it is written to, whatever is wanted.

    Args:
        at: Offset in the stream.
        pieces: Bytes of each piece, in their order.
    """
    for size in pieces:
        room = _PAGE << (max(at - 1, 0) // _PAGE).bit_length() + 1
        at += size
        if at + len(END_MARK) > room:
            return True
    return False


def reserve_mem_instance(name: bytes, behind: bytes = b"") -> int:
    """The instance of a `reserve_mem` region: a checksum of 16 bytes of its name.

    Args:
        name: The name.
        behind: What lies in memory behind its NUL, which a look-up by a shorter string takes in.
    """
    found = zlib.crc32((name + b"\0" + behind).ljust(_NAME, b"\0")[:_NAME]) ^ 0xFFFFFFFF
    return found - (1 << 32) if found >> 31 else found
