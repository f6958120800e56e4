"""Where a zstd frame ends, without expanding it (RFC 8878, section 3.1.1)."""

from kho_console.abi.error import FormatError
from kho_console.abi.reader import Reader

MAGIC = b"\x28\xb5\x2f\xfd"

_DICTIONARY = (0, 1, 2, 4)
_CONTENT_SIZE = (0, 2, 4, 8)
_BLOCK_HEADER = 3
_RAW, _RLE, _COMPRESSED = 0, 1, 2
_CHECKSUM = 4
_BLOCK_LIMIT = 1 << 18
"""Blocks of a frame; full ones hold 128 KiB each."""


def end(reader: Reader, start: int, stop: int) -> int | None:
    """Offset behind the frame at `start`; None where it does not end before `stop`.

    Raises:
        FormatError: There is no frame, or its headers are damaged.
    """
    head = reader.read(start, 5)
    if len(head) < 5 or head[:4] != MAGIC:
        raise FormatError(start, "no zstd frame")
    flags = head[4]
    single = flags >> 5 & 1
    at = start + 5 + (1 - single) + _DICTIONARY[flags & 3]
    at += max(_CONTENT_SIZE[flags >> 6], single)
    for _ in range(_BLOCK_LIMIT):
        header = int.from_bytes(reader.read(at, _BLOCK_HEADER), "little")
        if at + _BLOCK_HEADER > stop:
            return None
        kind, size = header >> 1 & 3, header >> 3
        if kind not in (_RAW, _RLE, _COMPRESSED):
            raise FormatError(at, "damaged zstd data: a block of no known kind")
        at += _BLOCK_HEADER + (1 if kind == _RLE else size)
        if header & 1:
            at += _CHECKSUM if flags >> 2 & 1 else 0
            return at if at <= stop else None
    raise FormatError(at, f"more than {_BLOCK_LIMIT} blocks in a zstd frame")
