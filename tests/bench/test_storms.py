"""The storms at a small scale: all events arrive, losses are repaired, keys are answered."""

import pytest

from tests.bench.storms import rows


@pytest.mark.slow
def test_a_small_storm() -> None:
    found = list(
        rows(burst=200, seconds=0.5, minute=300, many=500, keys=20, blocks=300, unheard=20)
    )
    assert [row.ratio for row in found[:3]] == [1, 1, 1]
    # The target is for `make bench`: a machine that runs tests has more to do.
    assert all(row.ratio is not None and 0 < row.ratio < 20 for row in found[3:6])
    assert [row.verdict for row in found[6:]] == ["ok", "ok"]
