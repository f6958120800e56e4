"""Numbers as sysfs, debugfs and procfs print them.

Lists of CPUs and nodes are `%*pbl` of lib/vsprintf.c: ascending ranges such as `0-3,8,10-11`, an
empty line for none. Single values come as hexadecimal without a prefix (`block_size_bytes`,
`phys_index`), or as `0x%llx` (`scratch_phys`, `type`).
"""

import re

from kho_console.abi.error import FormatError

MAX_NUMBER = 1 << 20
"""Default cap of a list, far above any NR_CPUS or MAX_NUMNODES."""

_DECIMAL = re.compile(rb"[0-9]{1,20}")
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,16}")
_PREFIXED = re.compile(rb"0x([0-9a-fA-F]{1,16})")


def numbers(data: bytes, limit: int = MAX_NUMBER) -> tuple[int, ...]:
    """The numbers of a list such as `0-3,8,10-11`; none for an empty line.

    Args:
        data: The content of the file.
        limit: All numbers are below it, so a hostile range costs nothing.

    Raises:
        FormatError: Anything else, a number too large, or one that does not ascend.
    """
    line = data.rstrip(b"\n")
    found: list[int] = []
    offset = 0
    for item in line.split(b",") if line else ():
        first, dash, last = item.partition(b"-")
        low = _number(_DECIMAL, first, 10, offset)
        high = _number(_DECIMAL, last, 10, offset + len(first) + 1) if dash else low
        if high >= limit or high < low or (found and low <= found[-1]):
            raise FormatError(offset, "number list does not ascend or goes too far")
        found.extend(range(low, high + 1))
        offset += len(item) + 1
    return tuple(found)


def hexadecimal(data: bytes) -> int:
    """A single `%llx` value, without a prefix.

    Raises:
        FormatError: It is none.
    """
    return _number(_HEXADECIMAL, data.removesuffix(b"\n"), 16, 0)


def prefixed(data: bytes, offset: int = 0) -> int:
    """A single `0x%llx` value.

    Args:
        data: The value with or without its newline.
        offset: Where it stands in its file, for the error.

    Raises:
        FormatError: It is none.
    """
    found = _PREFIXED.fullmatch(data.removesuffix(b"\n"))
    if not found:
        raise FormatError(offset, "not a hexadecimal number with 0x")
    return int(found[1], 16)


def _number(form: re.Pattern[bytes], text: bytes, base: int, offset: int) -> int:
    if not form.fullmatch(text):
        raise FormatError(offset, f"not a number of base {base}")
    value = int(text, base)
    if value >= 1 << 64:
        raise FormatError(offset, "number does not fit 64 bits")
    return value
