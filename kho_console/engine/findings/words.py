"""Names, sizes and addresses inside a sentence."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kho_console.model.unknown import Maybe, Unknown

_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
_MOST_NAMES = 5


def plain(name: bytes | str) -> str:
    r"""A name of the machine: printable ASCII stays, `\` doubles, every other byte is `\xNN`."""
    raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    return "".join(
        "\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
        for byte in raw
    )


def size(value: int) -> str:
    """Bytes in the largest unit that holds them exactly: `750 MiB`, `10304 KiB`, `294 bytes`."""
    for unit, factor in _UNITS:
        if value and value % factor == 0:
            return f"{value // factor} {unit}"
    return f"{value} bytes"


def listed(names: Sequence[bytes]) -> str:
    """A few names with commas, and how many more there are."""
    shown = ", ".join(plain(name) for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def count(number: int, noun: str) -> str:
    """`1 session`, `3 sessions`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def numbers(noun: str, found: Sequence[int | tuple[int, int]]) -> str:
    """Numbered things with neighbours joined: `memory32-35, memory40 and 3 more`.

    Args:
        noun: What stands before each number.
        found: Numbers, or first and last of a run, ascending.
    """
    runs: list[tuple[int, int]] = []
    for item in found:
        first, last = (item, item) if isinstance(item, int) else item
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    shown = ", ".join(
        f"{noun}{first}" if first == last else f"{noun}{first}-{last}"
        for first, last in runs[:_MOST_NAMES]
    )
    more = len(runs) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def moment(boot_time: Maybe[datetime], monotonic: float) -> str:
    """When something happened: `at 10:42:07 UTC`, else `58.3 s after boot`."""
    try:
        if not isinstance(boot_time, Unknown):
            return f"at {boot_time + timedelta(seconds=monotonic):%H:%M:%S} UTC"
    except (OverflowError, ValueError):
        pass
    return f"{monotonic:.1f} s after boot"
