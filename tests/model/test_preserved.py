from array import array
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.model import few
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs

Pairs = list[tuple[int, int]]
Make = Callable[[Pairs], Runs]
STEPS = st.lists(st.integers(1, 9), max_size=24).filter(lambda steps: len(steps) % 2 == 0)
"""Gap, run, gap, run."""


def of_steps(steps: list[int]) -> Pairs:
    edges = [sum(steps[: at + 1]) for at in range(len(steps))]
    return list(zip(edges[::2], edges[1::2], strict=True))


def plain(pairs: Pairs) -> Runs:
    return Runs(array("Q", [start for start, _ in pairs]), array("Q", [end for _, end in pairs]))


def of_arrays(pairs: Pairs) -> Runs:
    both = np.array(pairs, np.uint64).reshape(-1, 2)
    return Runs(both[:, 0].copy(), both[:, 1].copy())


@pytest.mark.parametrize("most", [0, 2, 4096])
@pytest.mark.parametrize("make", [plain, of_arrays])
@settings(deadline=None)
@given(steps=STEPS, at=st.integers(0, 120), size=st.integers(0, 60))
def test_runs_are_the_same_over_any_buffer(
    make: Make, most: int, steps: list[int], at: int, size: int
) -> None:
    pairs, wanted = of_steps(steps), MemoryRange(at, size)
    found = make(pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few, "FEW", most)
        assert list(found) == [MemoryRange(start, end - start) for start, end in pairs]
        assert list(zip(found.starts.tolist(), found.ends.tolist(), strict=True)) == pairs
        assert found.bytes == sum(end - start for start, end in pairs)
        assert [pairs[index] for index in found.inside(wanted)] == [
            (start, end) for start, end in pairs if wanted.start <= start and end <= wanted.end
        ]
        held = sum(max(min(end, wanted.end) - max(start, wanted.start), 0) for start, end in pairs)
        assert found.bytes_in(wanted) == held
        near = [(start, end) for start, end in pairs if start < wanted.end and wanted.start < end]
        assert [pairs[index] for index in found.near(wanted)] == near
        assert found.touches(wanted) is bool(near)
        held_at = {at for start, end in pairs for at in range(start, end)}
        word = "".join("x" if at in held_at else "." for at in range(wanted.start, wanted.end))
        largest = max(map(len, word.split("x")))
        gap = found.largest_gap(wanted)
        assert gap.size == largest
        assert gap.size == 0 or gap.start == wanted.start + word.find("." * gap.size)


def test_sums_beyond_2_to_the_64(monkeypatch: pytest.MonkeyPatch) -> None:
    last = (1 << 64) - 1
    pairs = [(1 << 62, 3 << 62), (last - 1, last)]
    for most in (0, 2):
        monkeypatch.setattr(few, "FEW", most)
        assert plain(pairs).bytes == (1 << 63) + 1
        assert plain(pairs).bytes_in(MemoryRange(last - 1, 9)) == 1


def test_nobody_writes_into_runs() -> None:
    starts, ends = np.array([1], np.uint64), np.array([2], np.uint64)
    found = Runs(starts, ends)
    assert np.shares_memory(found.starts, starts)
    with pytest.raises(ValueError, match="read-only"):
        found.starts[0] = 5
    assert starts.flags.writeable
