"""Damages bytes in the ways that decoders meet: flips, boundary values, cuts, copies, splices.

All chance comes from the `Random` that is handed in, so a case can be had again by its seed.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

_WIDTHS = (1, 2, 4, 8)
_BOUNDARIES = (
    *(0, 1, 2, 3, 4, 9, 7, 8, 15, 16, 51, 52, 63, 64, 255, 256, 511, 512, 4095, 4096, 65535, 65536),
    *(base + step for base in (1 << 31, 1 << 32, 1 << 52, 1 << 56, 1 << 63) for step in (-1, 0, 1)),
    *(0xD00DFEED, (1 << 64) - 4096, (1 << 64) - 1),
)
_WORDS = (
    *(b"\x1b[31m", b"\x1b]0;x\x07", b"\x9b2J", b"\0", b"\n", b"\r", b"\xff", b"\\x1b", b"\\033"),
    *(b"-", b"-1", b"0x", b"1e999", b"nan", b"9" * 40, b"9" * 5000, b"0" * 5000, b"%s", b"../"),
    *("\u202e".encode(), "\u2028".encode(), "\U000e0041".encode(), b"\xed\xa0\x80"),
)
_VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 1 << 53, 1 << 64, 10**400, 1e308, float("nan"), float("inf")),
    *("", "\x1b[2J", "\ud800", "\0", "/", "..", "/../..", "/proc/self/mem", "0x0", "0x" + "f" * 17),
    *("x" * 5000, "/" * 5000, "/a" * 3000, [], {}, [[]] * 9, {"": {}}),
)

Damage = Callable[[Random, bytearray], None]


def mutated(chance: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """`data` with one to four damages; it may come out shorter, longer, or empty.

    Args:
        chance: Where all decisions come from.
        data: What to damage.
        others: Inputs that a part may be taken from.
    """
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if others and chance.random() < 0.08:
            _splice(chance, found, chance.choice(others))
        else:
            chance.choice(_DAMAGES)(chance, found)
    return bytes(found)


def rewritten(chance: Random, data: bytes) -> bytes:
    """A JSON document with one of its values replaced, left out, or put in place of another."""
    document = json.loads(data)
    places = list(_places(document))
    if not places:
        return data
    holder, key = chance.choice(places)
    way = chance.randrange(4)
    if way == 0:
        del holder[key]
    elif way == 1:
        other, name = chance.choice(places)
        holder[key] = json.loads(json.dumps(other[name]))
    elif way == 2 and isinstance(holder, dict):
        holder[str(chance.choice(_VALUES))] = holder.pop(key)
    else:
        holder[key] = chance.choice(_VALUES)
    return json.dumps(document).encode()


def _places(value: object) -> list[tuple[Any, Any]]:
    """Every value in a document as what holds it and its key."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        if isinstance(holder, dict):
            found += [(holder, key) for key in holder]
            pending += holder.values()
        elif isinstance(holder, list):
            found += [(holder, index) for index in range(len(holder))]
            pending += holder
    return found


def _flip(chance: Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(chance: Random, data: bytearray) -> None:
    """A whole word, mostly where words lie, with a boundary value in either byte order."""
    width = chance.choice(_WIDTHS)
    if len(data) < width:
        return
    at = chance.randrange(len(data) - width + 1)
    if chance.random() < 0.8:
        at -= at % min(width, 4)
    value = chance.choice(_BOUNDARIES) & ((1 << 8 * width) - 1)
    data[at : at + width] = value.to_bytes(width, chance.choice(("little", "big")))


def _add(chance: Random, data: bytearray) -> None:
    """A small step up or down of a little-endian word."""
    if len(data) < 8:
        return
    at = chance.randrange(0, len(data) - 7, 4)
    value = int.from_bytes(data[at : at + 8], "little") + chance.choice((-4096, -8, -1, 1, 8, 4096))
    data[at : at + 8] = (value & ((1 << 64) - 1)).to_bytes(8, "little")


def _cut(chance: Random, data: bytearray) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _leave_out(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    del data[start:end]


def _insert(chance: Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(_WORDS) if chance.random() < 0.7 else chance.randbytes(8)


def _zero(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    data[start:end] = bytes(end - start)


def _repeat(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    data[start:start] = data[start:end] * chance.choice((1, 1, 2, 50))


def _swap(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    other = chance.randrange(len(data) - (end - start) + 1)
    first, second = data[start:end], data[other : other + end - start]
    data[start:end] = second
    data[other : other + end - start] = first


def _splice(chance: Random, data: bytearray, other: bytes) -> None:
    """The beginning of one input and the end of another, mostly at the same place."""
    at = chance.randrange(len(data) + 1)
    source = min(at, len(other)) if chance.random() < 0.7 else chance.randrange(len(other) + 1)
    data[at:] = other[source:]


def _span(chance: Random, data: bytearray) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 4, 8, 16, 64, 512)))


_DAMAGES: tuple[Damage, ...] = (
    *(_flip, _flip, _overwrite, _overwrite, _overwrite, _add, _add),
    *(_cut, _leave_out, _insert, _zero, _repeat, _swap),
)
