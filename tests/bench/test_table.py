"""The table, and the benches that need no compiler, at a small scale."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import checking, scrolling, starting
from tests.bench.__main__ import main
from tests.bench.table import Row, table


def test_a_row_says_whether_it_is_over() -> None:
    rows = [
        Row("fast", "2.0 ms", "1.0 ms", 0.5, 1),
        Row("slow", "1.0 ms", "31.0 ms", 31, 3),
        Row("growth", "1.0 ms", "2.0 ms", 2),
        Row("absent", note="no gcc here"),
    ]
    assert table(rows).splitlines() == [
        "what    reference     ours  ratio  target",
        "fast       2.0 ms   1.0 ms   0.50       1  ok",
        "slow       1.0 ms  31.0 ms  31.00       3  OVER",
        "growth     1.0 ms   2.0 ms   2.00          reported",
        "absent                                     not measured: no gcc here",
    ]


def test_what_is_over_is_no_failure_and_what_broke_is(capsys: pytest.CaptureFixture[str]) -> None:
    def over(folder: Path) -> Iterator[Row]:
        yield Row("slow", ratio=9, target=1)

    def breaks(folder: Path) -> Iterator[Row]:
        yield Row("before")
        raise OSError("no room")

    assert main({"over": over}) == 0
    assert main({"breaks": breaks, "over": over}) == 1
    printed = capsys.readouterr()
    assert "OSError: no room" in printed.err
    last = printed.out.splitlines()[-4:]
    assert [line.split()[0] for line in last] == ["what", "before", "breaks", "slow"]
    assert last[2].endswith("not measured: it broke: OSError")


@pytest.mark.slow
def test_steps_on_the_preserved_screen() -> None:
    scroll, filtered = scrolling.rows(few=40, many=64)
    assert (scroll.what, scroll.target) == ("scroll step of 64 ranges", 3)
    assert filtered.ratio is not None
    assert filtered.verdict == "reported"


def test_without_wheels_each_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "WHEELS", tmp_path / "none")
    verdicts = {row.what: row.verdict for row in starting.rows(tmp_path)}
    assert len(verdicts) == 4
    assert set(verdicts.values()) == {"not measured: no wheels here; `make test` collects them"}


@pytest.mark.slow
@pytest.mark.skipif(
    not starting.WHEELS.is_dir(), reason="`make test` collects the wheels this needs"
)
def test_the_installed_console_is_timed(tmp_path: Path) -> None:
    """Nothing is said of times, only of memory, which no other program changes."""
    version, status, frame, memory = starting.rows(tmp_path, rounds=1)
    assert all(row.ratio is not None and row.ratio > 0 for row in (version, status, frame))
    assert memory.verdict == "ok"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which(checking.PROGRAM) is None, reason="zstd is not installed")
def test_a_check_is_timed_against_the_expansion_of_its_payload(tmp_path: Path) -> None:
    rows = list(checking.rows(tmp_path, size=1 << 20, rounds=1))
    assert [row.target for row in rows] == [checking.TARGET, None]
    assert all(row.ratio is not None for row in rows)


def test_without_zstd_the_table_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PROGRAM", "no-such-program")
    (row,) = checking.rows(tmp_path)
    assert row.verdict == "not measured: no no-such-program here to compare with"
