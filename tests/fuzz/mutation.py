"""Damages bytes in the ways that decoders meet: flips, boundary values, cuts, copies, swaps.

Every case is told by a name and a number alone, so a failure can be had again.
"""

import os
from random import Random

CASES = int(os.environ.get("KHO_FUZZ_CASES", "4000"))
"""How many damaged inputs one run tries, over all decoders together."""

_WIDTHS = (1, 2, 4, 8)
_BOUNDARIES = (
    *(0, 1, 2, 3, 4, 9, 7, 8, 15, 16, 51, 52, 63, 64, 255, 256, 511, 512, 4095, 4096, 65535, 65536),
    *(base + step for base in (1 << 31, 1 << 32, 1 << 52, 1 << 56, 1 << 63) for step in (-1, 0, 1)),
    *(0xD00DFEED, (1 << 64) - 4096, (1 << 64) - 1),
)


def case(name: str, number: int) -> Random:
    """The source of chance of one case."""
    return Random(f"{name} {number}")


def mutated(chance: Random, data: bytes) -> bytes:
    """`data` with one to four damages; it may come out shorter, longer, or empty."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice(_DAMAGES)(chance, found)
    return bytes(found)


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


def _zero(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    data[start:end] = bytes(end - start)


def _repeat(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    data[start:start] = data[start:end]


def _swap(chance: Random, data: bytearray) -> None:
    start, end = _span(chance, data)
    other = chance.randrange(len(data) - (end - start) + 1)
    first, second = data[start:end], data[other : other + end - start]
    data[start:end] = second
    data[other : other + end - start] = first


def _span(chance: Random, data: bytearray) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 4, 8, 16, 64, 512)))


_DAMAGES = (
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _overwrite,
    _add,
    _add,
    _cut,
    _zero,
    _repeat,
    _swap,
)
