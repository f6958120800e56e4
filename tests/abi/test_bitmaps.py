from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import bitmaps, runs
from kho_console.abi.bitmaps import Counted, Gathered
from kho_console.model.preserved import Totals

BLOCK = 4096
Bitmaps = list[tuple[int, bytes]]
"""First bit, in blocks, and content."""

WORDS = st.sampled_from([bytes(8), b"\xff" * 8, b"\x55" * 8, b"\x01" + bytes(6) + b"\x80"])
CONTENT = st.lists(st.one_of(WORDS, st.binary(min_size=8, max_size=8)), min_size=1, max_size=6)


@st.composite
def ascending(draw: st.DrawFn) -> Bitmaps:
    """Bitmaps in order, some touching the one before."""
    found: Bitmaps = []
    at = draw(st.integers(0, 3))
    for words in draw(st.lists(CONTENT, max_size=8)):
        content = b"".join(words)
        found.append((at, content))
        at += len(content) * 8 + draw(st.sampled_from([0, 0, 1, 100]))
    return found


def named(found: Bitmaps) -> set[int]:
    """All blocks, bit by bit."""
    return {
        start + bit
        for start, content in found
        for bit in range(len(content) * 8)
        if content[bit >> 3] >> (bit & 7) & 1
    }


def joined(blocks: set[int]) -> Iterator[tuple[int, int]]:
    start = None
    for block in sorted(blocks):
        start = block if start is None else start
        if block + 1 not in blocks:
            yield start * BLOCK, (block + 1) * BLOCK
            start = None


def gathered(found: Bitmaps) -> list[tuple[int, int]]:
    taker = Gathered(BLOCK)
    for start, content in found:
        taker.add(start * BLOCK, content)
    runs_of_all = taker.runs()
    return list(zip(runs_of_all.starts.tolist(), runs_of_all.ends.tolist(), strict=True))


def counted(found: Bitmaps) -> Counted:
    taker = Counted(BLOCK)
    for start, content in found:
        taker.add(start * BLOCK, content)
    return taker


def test_bits_are_counted_from_the_low_end_of_each_byte() -> None:
    content = bytes.fromhex("0100000000000080ff03000000000000")
    assert gathered([(0, content)]) == [(0, BLOCK), (63 * BLOCK, 74 * BLOCK)]
    assert gathered([(0, b"\xff" * 512)]) == [(0, 4096 * BLOCK)]
    assert gathered([(0, bytes(512))]) == []


@pytest.mark.parametrize("batch", [8, 48, 1 << 16])
@given(found=ascending())
def test_runs_and_counts_are_those_of_the_bits_one_by_one(batch: int, found: Bitmaps) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bitmaps, "_BATCH", batch)
        wanted = list(joined(named(found)))
        assert gathered(found) == wanted
        blocks = len(named(found))
        sums = Totals(blocks * BLOCK, len(wanted), {3: blocks} if blocks else {})
        assert bitmaps.totals({3: counted(found), 7: Counted(BLOCK)}) == sums


@given(
    st.permutations([(at * 64, bytes([byte]) * 8) for at, byte in enumerate(b"\xff\x55\x00\xf0")])
)
def test_bitmaps_in_any_order(found: Bitmaps) -> None:
    assert gathered(found) == list(joined(named(found)))


def test_overlapping_bitmaps_are_joined_and_not_counted() -> None:
    found = [(0, b"\xff" * 16), (64, b"\xff" * 16)]
    assert gathered(found) == [(0, 192 * BLOCK)]
    assert bitmaps.totals({0: counted(found)}) is None


def test_several_orders_are_not_counted() -> None:
    one = [(0, b"\xff" * 8)]
    assert bitmaps.totals({0: counted(one), 1: counted(one)}) is None


def test_the_arrays_grow_and_end_as_large_as_need_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bitmaps, "_BATCH", 64)
    taker = Gathered(BLOCK)
    for at in range(64):
        taker.add(at * 4096 * BLOCK, b"\x55" * 512)
    found = taker.runs()
    assert len(found) == len(found.starts) == len(found.ends) == 64 * 2048
    assert found.starts.nbytes == 64 * 2048 * 8


@given(st.binary(min_size=8, max_size=64).map(lambda content: content[: len(content) // 8 * 8]))
def test_bitmap_round_trip(content: bytes) -> None:
    base = 1 << 40
    taker = Gathered(BLOCK)
    taker.add(base, content)
    assert runs.bitmap_of(taker.runs(), base, BLOCK, len(content)) == content


def test_the_limit_holds_for_the_last_bit_not_for_the_span() -> None:
    assert bitmaps.within(64 * BLOCK, 0, BLOCK, bytes(8))
    assert bitmaps.within(64 * BLOCK, 64 * BLOCK, BLOCK, bytes(8))
    assert bitmaps.within(65 * BLOCK, 64 * BLOCK, BLOCK, b"\x01" + bytes(7))
    assert not bitmaps.within(65 * BLOCK, 64 * BLOCK, BLOCK, b"\x02" + bytes(7))
