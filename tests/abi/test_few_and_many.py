"""Few are handled by plain Python, many by numpy: both ways must give the same."""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kho_console.abi import bitmaps, folios, runs
from kho_console.abi.bitmaps import Counted, Gathered
from kho_console.abi.error import FormatError
from kho_console.model import few
from kho_console.model.preserved import Runs, Totals
from tests.abi.page_memory import preserved_map

PAGE = 4096
T = TypeVar("T")
Pairs = list[tuple[int, int]]


def both_ways(make: Callable[[], T]) -> T:
    """What plain Python, numpy, and first the one and then the other make of it."""
    made: list[T] = []
    with pytest.MonkeyPatch.context() as patch:
        for most in (1 << 20, 0, 2):
            patch.setattr(few, "FEW", most)
            made.append(make())
    assert made[1:] == made[:1] * 2
    return made[0]


def pairs(found: Runs) -> Pairs:
    return list(found.pairs())


WORDS = st.sampled_from([bytes(8), b"\xff" * 8, b"\x55" * 8, b"\x01" + bytes(6) + b"\x80"])
WHOLE = st.sampled_from([bytes(512), b"\xff" * 512, b"\xff" * 1024])
CONTENT = WHOLE | st.lists(WORDS | st.binary(min_size=8, max_size=8), min_size=1, max_size=5).map(
    b"".join
)


@st.composite
def bitmaps_in_any_order(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """First block and content; some touch the one before, some overlap or go back."""
    found: list[tuple[int, bytes]] = []
    at = 0
    for content in draw(st.lists(CONTENT, max_size=8)):
        found.append((at, content))
        at += len(content) * 8 + draw(st.sampled_from([0, 0, 0, 1, 64, 100, -64, -5000]))
        at = max(at, 0)
    return found


@pytest.mark.parametrize("batch", [8, 48, 1 << 16])
@settings(deadline=None)
@given(given_bitmaps=bitmaps_in_any_order())
def test_bitmaps(batch: int, given_bitmaps: list[tuple[int, bytes]]) -> None:
    def make() -> tuple[Pairs, Totals | None]:
        taken, counted = Gathered(PAGE), Counted(PAGE)
        for at, content in given_bitmaps:
            taken.add(at * PAGE, content)
            counted.add(at * PAGE, content)
        return pairs(taken.runs()), bitmaps.totals({0: counted})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bitmaps, "_BATCH", batch)
        found, totals = both_ways(make)
    held = {
        at + bit
        for at, content in given_bitmaps
        for bit in range(len(content) * 8)
        if content[bit >> 3] >> (bit & 7) & 1
    }
    assert {at // PAGE for start, end in found for at in range(start, end, PAGE)} == held
    assert all(end < start for (_, end), (start, _) in pairwise(found))
    if totals is not None:
        assert (totals.bytes, totals.ranges) == (len(held) * PAGE, len(found))


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9)), max_size=9), max_size=4))
def test_joined(pieces: list[Pairs]) -> None:
    groups = [runs.of_ranges((at, at + size) for at, size in piece) for piece in pieces]
    found = both_ways(lambda: pairs(runs.joined(groups)))
    held = {at + more for piece in pieces for at, size in piece for more in range(size)}
    assert {at for start, end in found for at in range(start, end)} == held


WORD = st.builds(
    lambda frame, flags: flags << 52 | frame,
    st.integers(0, 80) | st.sampled_from([(1 << 44) - 1, 1 << 44]),
    st.sampled_from([0, 3, 3, 3, 4]),
)
INDEX = st.integers(0, 40) | st.just((1 << 64) - 1)


@st.composite
def files(draw: st.DrawFn) -> tuple[Pairs, int, Pairs | None]:
    """Records, pages of the file, and the map's blocks; at most two words are wrong."""
    records, blocks, end = [], [], 0
    orders = draw(st.lists(st.integers(0, 2), min_size=1, max_size=8))
    for place, order in zip(draw(st.permutations(range(8))), orders, strict=False):
        frame, size = 8 * (place + 1) & -1 << order, 1 << order
        index = -(-end // size) * size
        records.append((3 << 52 | frame, index))
        blocks.append((frame << 12, order))
        end = index + size
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(records) - 1))
        word, index = records[at]
        match draw(st.integers(0, 4)):
            case 0:
                records[at] = (draw(WORD), index)
            case 1:
                records[at] = (word, draw(INDEX))
            case 2:
                records[at] = (word + draw(st.integers(1, 4)), index)
            case 3:
                blocks[at] = (blocks[at][0], draw(st.integers(0, 3)))
            case _:
                blocks.append(((word & 0xFF) << 12, draw(st.integers(0, 3))))
    pages = draw(st.just(end) | st.integers(1, 40))
    return records, pages, sorted(set(blocks)) if draw(st.booleans()) else None


@settings(max_examples=400, deadline=None)
@example(file=([(3 << 52 | 1 << 44, 0)], 1, None), piece=1)
@given(file=files(), piece=st.integers(1, 8))
def test_folios(file: tuple[Pairs, int, Pairs | None], piece: int) -> None:
    records, pages, blocks = file
    preserved = None if blocks is None else preserved_map(blocks)
    data = [struct.pack("<QQ", *record) for record in records]

    def make() -> Pairs | tuple[int, str]:
        parts = (b"".join(data[at : at + piece]) for at in range(0, len(data), piece))
        try:
            return pairs(folios.read(parts, pages, PAGE, preserved))
        except FormatError as error:
            return error.offset, error.reason

    both_ways(make)


@pytest.mark.parametrize("with_map", [False, True])
def test_folios_that_are_good(with_map: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good ones are never left to plain Python where there are many."""
    records = [(0x800, 0), (0x410, 512), (0x333, 528)]
    data = b"".join(struct.pack("<QQ", 3 << 52 | frame, at) for frame, at in records)
    blocks = [(0x800000, 9), (0x410000, 4), (0x333000, 0)]
    preserved = preserved_map(blocks) if with_map else None
    wanted = [(0x333000, 0x334000), (0x410000, 0x420000), (0x800000, 0xA00000)]
    assert both_ways(lambda: pairs(folios.read([data], 529, PAGE, preserved))) == wanted
    monkeypatch.setattr(few, "FEW", 0)
    monkeypatch.delattr(folios, "_one_by_one")
    assert pairs(folios.read([data], 529, PAGE, preserved)) == wanted
