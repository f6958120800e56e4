import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import runs
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs

PAIRS = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 40)), max_size=30)


def pairs(found: Runs) -> list[tuple[int, int]]:
    return list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))


def test_nothing() -> None:
    assert len(runs.empty()) == 0
    assert runs.empty().bytes == 0
    assert pairs(runs.of_ranges([])) == []
    assert pairs(runs.joined([])) == []
    assert pairs(runs.joined([Runs(np.empty(0, np.uint64), np.empty(0, np.uint64))])) == []
    assert pairs(runs.union({})) == []


def test_touching_and_overlapping_runs_are_joined() -> None:
    ranges = [(30, 40), (0, 10), (10, 12), (35, 36), (39, 50), (60, 61)]
    assert pairs(runs.of_ranges(ranges)) == [(0, 12), (30, 50), (60, 61)]


def test_what_ends_beyond_the_last_address_is_cut() -> None:
    last = (1 << 64) - 1
    assert pairs(runs.of_ranges([(last - 4095, 1 << 64)])) == [(last - 4095, last)]
    assert runs.of_ranges([(1 << 65, 1 << 66)]).bytes == 0


def test_union_of_orders() -> None:
    groups = {0: runs.of_ranges([(0, 4096)]), 1: runs.of_ranges([(4096, 12288), (20480, 28672)])}
    assert pairs(runs.union(groups)) == [(0, 12288), (20480, 28672)]


def test_a_bitmap_holds_only_its_own_span() -> None:
    found = runs.of_ranges([(0, 8192), (32768, 40960), (1 << 20, 2 << 20)])
    assert runs.bitmap_of(found, 0, 4096, 1) == b"\x03"
    assert runs.bitmap_of(found, 32768, 4096, 1) == b"\x03"
    assert runs.bitmap_of(found, 4096, 4096, 2) == b"\x81\x01"


def test_addresses_beyond_2_to_the_53_are_exact() -> None:
    """A double holds 53 bits; numpy compares uint64 with a Python number as doubles."""
    top = 1 << 60
    found = runs.of_ranges([(top + 1, top + 2), (top + 3, top + 4)])
    assert found.end_of_run_at(top + 2) is None
    assert found.end_of_run_at(top + 3) == top + 4
    assert not found.touches(MemoryRange(top + 2, 1))
    assert found.covers(MemoryRange(top + 3, 1))


def test_addresses_that_no_run_can_have() -> None:
    found = runs.of_ranges([(0, 4096)])
    assert found.end_of_run_at(1 << 70) is None
    assert not found.touches(MemoryRange(1 << 70, 1))


def test_a_single_order_is_not_copied() -> None:
    only = runs.of_ranges([(0, 4096)])
    assert runs.union({0: only}) is only


def test_holes_are_all_that_is_no_memory() -> None:
    memory = runs.of_ranges([(0, 10), (12, 20)])
    found = [(hole.start, hole.end) for hole in runs.holes(memory)]
    assert found == [(0, 0), (10, 12), (20, 1 << 64)]


@given(PAIRS)
def test_runs_hold_the_same_bytes_as_their_pieces(ranges: list[tuple[int, int]]) -> None:
    truth = {at for start, size in ranges for at in range(start, start + size)}
    found = runs.of_ranges((start, start + size) for start, size in ranges)
    assert {at for item in found for at in range(item.start, item.end)} == truth
    assert found.bytes == len(truth)
    starts = found.starts.tolist()
    assert all(low < high for low, high in zip(found.ends.tolist(), starts[1:], strict=False))
    for at in range(0, 450, 7):
        assert (found.end_of_run_at(at) is not None) is (at in truth)
        assert found.touches(MemoryRange(at, 3)) is bool(truth & {at, at + 1, at + 2})
        assert found.covers(MemoryRange(at, 3)) is (truth >= {at, at + 1, at + 2})
