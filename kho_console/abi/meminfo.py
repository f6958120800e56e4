"""`/proc/meminfo`: a name, a number, and kB on each line (fs/proc/meminfo.c)."""

import re

from kho_console.abi.error import FormatError

_AVAILABLE = re.compile(rb"^MemAvailable:\s+(\d{1,15}) kB$", re.MULTILINE)


def available(content: bytes) -> int:
    """Bytes that new work can have without swapping.

    Raises:
        FormatError: There is no such line.
    """
    found = _AVAILABLE.search(content)
    if found is None:
        raise FormatError(0, "no MemAvailable")
    return int(found[1]) << 10
