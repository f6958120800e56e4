"""The values of a scenario file: each either fits or is told with what would."""

import re
from collections.abc import Callable
from typing import Any

from kho_console.abi.memparse import memparse
from kho_console.model.crash_simulation import Design, Fault
from kho_console.model.memory import MemoryRange

MOST_PIECES = 1_024
"""Pieces of memory that a scenario may have."""

LARGEST_PART = 64 << 20
"""Bytes that a part of the image may have."""

ADDRESSES = 1 << 52
"""Where all addresses end."""

PAGE = 4096
"""Bytes of a page."""

_SIZE = re.compile(r"(?:0[xX][0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,18})[KMGT]?", re.ASCII)
_QUOTED = 40


def quoted(found: object) -> str:
    """What was written, as far as it helps to find it."""
    words = ascii(found)
    return words if len(words) <= _QUOTED else f"{words[:_QUOTED]}.."


def number(least: int, most: int) -> Callable[[object], int]:
    """A number within limits."""

    def checked(found: object) -> int:
        if type(found) is not int or not least <= found <= most:
            raise ValueError(f"a number from {least} to {most}, not {quoted(found)}")
        return found

    return checked


def one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    """One of some words."""

    def checked(found: object) -> str:
        if not isinstance(found, str) or found not in words:
            raise ValueError(f"one of {', '.join(words)}, not {quoted(found)}")
        return found

    return checked


def words(found: object) -> str:
    """Words, at least one."""
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"words, not {quoted(found)}")
    return found


def flag(found: object) -> bool:
    """Yes or no."""
    if not isinstance(found, bool):
        raise ValueError(f"true or false, not {quoted(found)}")
    return found


def table(name: str) -> Callable[[object], dict[str, Any]]:
    """A table of the file."""

    def checked(found: object) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise ValueError(f"a table, under a line [{name}]")
        return found

    return checked


def tables(found: object) -> list[dict[str, Any]]:
    """The steps."""
    if not isinstance(found, list) or not found or not all(isinstance(x, dict) for x in found):
        raise ValueError("steps, each under a line [[step]]")
    return found


def size(found: object) -> int:
    """Bytes."""
    if type(found) is int and 0 <= found < ADDRESSES:
        return found
    if isinstance(found, str) and _SIZE.fullmatch(found):
        value, _ = memparse(found.encode())
        if value < ADDRESSES:
            return value
    raise ValueError(f'bytes, such as 65536, "64K" or "0x10000", not {quoted(found)}')


def part(found: object) -> int:
    """Bytes of a part of the image."""
    value = size(found)
    if not PAGE <= value <= LARGEST_PART:
        raise ValueError(f"{PAGE} to {LARGEST_PART} bytes, not {quoted(found)}")
    return value


def memory(found: object) -> MemoryRange:
    """A range of memory."""
    start, plus, length = found.partition("+") if isinstance(found, str) else ("", "", "")
    wrong = f'start and size, such as "4G+512M", not {quoted(found)}'
    try:
        place = MemoryRange(size(start.strip()), size(length.strip()))
    except ValueError as error:
        raise ValueError(wrong) from error
    if not plus or not place.size or place.end > ADDRESSES:
        raise ValueError(wrong)
    if place.start % PAGE or place.size % PAGE:
        raise ValueError(f"memory is whole pages, not {quoted(found)}")
    return place


def memories(found: object) -> tuple[MemoryRange, ...]:
    """Ranges of memory."""
    if not isinstance(found, list) or not found or len(found) > MOST_PIECES:
        raise ValueError(f'a list of 1 to {MOST_PIECES} ranges, such as ["1M+2047M"]')
    return tuple(map(memory, found))


def during(found: object) -> tuple[tuple[Design, int], ...]:
    """The step of a procedure in whose middle the panic comes, for each design."""
    each = found
    if type(each) is int:
        each = {design.value: each for design in Design}
    if not isinstance(each, dict) or not each:
        raise ValueError(f"a step of the procedure, or one per design, {_PER_DESIGN}")
    steps: list[tuple[Design, int]] = []
    for name, at in each.items():
        if name not in list(Design):
            raise ValueError(f"there is no design {name!a}; write {_PER_DESIGN}")
        design = Design(name)
        if type(at) is not int or not 1 <= at <= design.parts:
            hint = f"; one per design is {_PER_DESIGN}" if each is not found else ""
            raise ValueError(f"{name} has steps 1 to {design.parts}, not {quoted(at)}{hint}")
        steps.append((design, at))
    return tuple(steps)


_PER_DESIGN = "{ 2021 = 13, mainline = 10 }"


def faults(found: object) -> frozenset[Fault]:
    """What goes wrong."""
    known = [item.value for item in Fault]
    if isinstance(found, str) and found in known:
        raise ValueError(f'a list, ["{found}"]')
    if not isinstance(found, list) or not all(item in known for item in found):
        raise ValueError(f"a list of {', '.join(known)}, not {quoted(found)}")
    return frozenset(map(Fault, found))
