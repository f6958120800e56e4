"""The recordings that are measured hold what is said, and rows are made of them."""

from pathlib import Path

from kho_console.source.recording import Recording
from tests.bench.recording import record, rows


def test_a_recording_has_its_moments(tmp_path: Path) -> None:
    path, tick = record(tmp_path / "a.kho", 200)
    recording = Recording(path)
    assert len(recording) == 200
    assert 10 < tick < 100
    values = {recording.at(number).read("/proc/meminfo") for number in range(1, 200)}
    assert len(values) > 100


def test_rows_are_made(tmp_path: Path) -> None:
    found = list(rows(tmp_path, day=500, rounds=1))
    assert [row.target for row in found] == [3, 3, 1, 1]
    assert all(row.ratio is not None and row.ratio > 0 for row in found)
