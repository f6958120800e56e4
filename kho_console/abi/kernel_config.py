"""The kernel's configuration as /proc/config.gz and /boot/config-RELEASE have it."""

import zlib
from collections.abc import Mapping

from kho_console.abi.error import FormatError

_LIMIT = 8 << 20
_GZIP = b"\x1f\x8b"


def parse(data: bytes) -> Mapping[str, str]:
    """Options by name, `CONFIG_X` to `y`, `m` or a value; options that are off are missing.

    Args:
        data: The file, compressed by gzip or plain.

    Raises:
        FormatError: Compressed data is damaged, or larger than 8 MiB when expanded.
    """
    text = _expanded(data) if data[:2] == _GZIP else data
    options = {}
    for line in text.decode("utf-8", "replace").splitlines():
        name, assigned, value = line.partition("=")
        if assigned and name.startswith("CONFIG_"):
            options[name] = value.strip('"')
    if not options:
        raise FormatError(0, "no CONFIG_ line in it")
    return options


def _expanded(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(data, _LIMIT)
    except zlib.error as error:
        raise FormatError(0, f"damaged gzip data: {error}") from error
    if stream.unconsumed_tail:
        raise FormatError(len(data), f"more than {_LIMIT} bytes when expanded")
    if not stream.eof:
        raise FormatError(len(data), "gzip data is cut")
    return text
