"""The twin that is measured has preserved what is said, and its finalize writes all of it down."""

from kho_console.model.change import Write
from kho_console.twin import TwinSource
from tests.bench.prepared import PAGE
from tests.bench.rehearsing import decoded, prepare, rows


def test_the_map_has_the_ranges_that_are_named() -> None:
    twin = prepare(2)
    TwinSource(twin).change(Write("/sys/kernel/debug/kho/out/finalize", b"1"))
    found = decoded(twin)
    pages = found.by_order[0]
    assert sum(item.size == PAGE for item in pages) >= 2 * PAGE * 4 - 4
    assert len(found.ranges) >= 2 * PAGE * 4 - 4


def test_a_row_is_made() -> None:
    (row,) = rows(bitmaps=1, rounds=1)
    assert row.ratio is not None and row.ratio > 0
