"""A checksum of physical memory, read piece by piece."""

import hashlib

from kho_console.abi.memory import ADDRESS_LIMIT, MissingMemory, PhysicalMemory, as_unknown
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Maybe, Unknown

_PIECE = 1 << 20


def digest(memory: PhysicalMemory, wanted: MemoryRange) -> Maybe[str]:
    """The SHA-256 of a range in hexadecimal, or why it cannot be had."""
    if wanted.start < 0 or wanted.end > ADDRESS_LIMIT:
        return Unknown(Cause.INVALID, "no memory lies there")
    found = hashlib.sha256()
    try:
        for at in range(wanted.start, wanted.end, _PIECE):
            found.update(memory.read(at, min(_PIECE, wanted.end - at)))
    except MissingMemory as error:
        return as_unknown(error)
    return found.hexdigest()
