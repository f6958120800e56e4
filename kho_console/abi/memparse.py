"""Numbers and switches on the command line, read as the kernel reads them.

lib/cmdline.c (`memparse`), lib/kstrtox.c (`kstrtobool`, `kstrtouint`), the same from 6.16 to 7.3.
"""

import re

_WRAP = (1 << 64) - 1
_NUMBER = re.compile(rb"0[xX](?P<hex>[0-9a-fA-F]+)|0(?P<oct>[0-7]*)|(?P<dec>[1-9][0-9]*)")
_SUFFIXES = b"KMGTPE"
_UINT = re.compile(rb"\+?([0-9]+)\n?")
_ON = b"eytEYT1"
_OFF = b"dnfDNF0"


def memparse(text: bytes) -> tuple[int, int]:
    """A size at the start of `text`: bytes, and how many characters it takes.

    Decimal, octal after 0, hexadecimal after 0x, and one suffix of K M G T P E in either case.
    Values wrap at 64 bits. A suffix without a number is a size of 0 that takes one character:
    the kernel sees that something was read.
    """
    found = _NUMBER.match(text)
    value, length = 0, 0
    if found:
        length = found.end()
        digits = found["hex"] or found["oct"] or found["dec"] or b"0"
        base = 16 if found["hex"] else 10 if found["dec"] else 8
        value = _digits(digits, base)
    suffix = text[length : length + 1].upper()
    if suffix and suffix in _SUFFIXES:
        value <<= 10 * (_SUFFIXES.index(suffix) + 1)
        length += 1
    return value & _WRAP, length


def kstrtobool(text: bytes) -> bool | None:
    """The switch that the first letter says (the first two for `on` and `off`), None for none."""
    first = text[:1]
    if first in (b"o", b"O"):
        return {b"n": True, b"f": False}.get(text[1:2].lower())
    if not first or first not in _ON + _OFF:
        return None
    return first in _ON


def kstrtouint(text: bytes) -> int | None:
    """An unsigned decimal number of 32 bits, None where the kernel refuses."""
    found = _UINT.fullmatch(text)
    # Ten digits are the most that fit; longer ones only with zeros in front.
    if not found or len(found[1].lstrip(b"0")) > 10:
        return None
    value = int(found[1].lstrip(b"0") or b"0")
    return value if value < 1 << 32 else None


def _digits(text: bytes, base: int) -> int:
    """The value modulo 2^64, also of more digits than Python turns into a number at once."""
    value = 0
    for digit in text:
        value = (value * base + int(chr(digit), 16)) & _WRAP
    return value
