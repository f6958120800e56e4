"""The rows of PKRAM and kstate are made, and both sides count the same."""

from pathlib import Path

import pytest

from tests.bench import mechanisms


def test_every_row_of_the_table(tmp_path: Path) -> None:
    rows = list(mechanisms.rows(tmp_path, pages=5000, entries=3000, rounds=1))
    assert len(rows) == 7
    if mechanisms.build(tmp_path) is not None:
        assert all(row.ratio is not None and row.ratio > 0 for row in rows)


def test_without_a_compiler_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mechanisms, "build", lambda folder: None)
    row = next(mechanisms.rows(tmp_path, pages=10, entries=10, rounds=1))
    assert row.verdict == "not measured: no gcc here to build the reference"
