import random
from pathlib import Path

import pytest

from tests.bench import decoding, reference
from tests.bench.decoding import HOSTS
from tests.bench.prepared import (
    EVERY_PAGE,
    EVERY_SECOND_PAGE,
    FORMS,
    PAGE,
    Prepared,
    decoded,
    read,
)

needs_compiler = pytest.mark.skipif(
    reference.compiler() is None, reason=f"{reference.COMPILER} is not installed"
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reference.build(tmp_path_factory.mktemp("reference"))


def prepared(folder: Path, form: str, bitmaps: list[bytes]) -> Prepared:
    return FORMS[form](folder / form, iter(bitmaps))


def mixed() -> list[bytes]:
    """Full, empty, dense, sparse and random bitmaps, next to each other in every way."""
    chance = random.Random(6)
    sparse = [bytearray(PAGE) for _ in range(3)]
    for page in sparse:
        for _ in range(5):
            page[chance.randrange(PAGE)] |= 1 << chance.randrange(8)
    kinds = [
        EVERY_PAGE,
        bytes(PAGE),
        EVERY_SECOND_PAGE,
        EVERY_SECOND_PAGE[:-1] + b"\x80",
        bytes(PAGE - 1) + b"\x80",
        b"\x01" + bytes(PAGE - 1),
        chance.randbytes(PAGE),
        *map(bytes, sparse),
    ]
    return [chance.choice(kinds) for _ in range(120)]


@needs_compiler
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "bitmaps",
    [[EVERY_PAGE] * 300, [EVERY_SECOND_PAGE] * 20, mixed()],
    ids=["every page", "every second page", "mixed"],
)
def test_our_runs_are_those_of_the_reference(
    tmp_path: Path, program: Path, form: str, bitmaps: list[bytes]
) -> None:
    laid_out = prepared(tmp_path, form, bitmaps)
    found = read(laid_out)
    assert {
        order: list(zip(runs.starts.tolist(), runs.ends.tolist(), strict=True))
        for order, runs in found.by_order.items()
    } == reference.runs(program, laid_out)
    walk = reference.walk(program, laid_out, "totals")
    for sums in (found.totals, decoded(laid_out, "totals")):
        assert (sums.bytes, sums.ranges) == (walk.bytes, walk.ranges)
        assert sums.blocks_by_order == walk.blocks_by_order


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_memory_at_a_large_scale_stays_within_its_bounds(
    tmp_path: Path, host: decoding.Host
) -> None:
    """Of the time nothing is said here; memory does not depend on who else is busy."""
    form = "radix"
    found = decoding.ours(decoding.prepare(tmp_path, form, host, part=4), "runs")
    allowed = decoding.RANGE * found["ranges"] + decoding.SPARE
    assert 0 < found["peak"] - found["before"] <= allowed
    bits = int.from_bytes(host.bitmap, "little").bit_count()
    assert found["bytes"] == host.bitmaps // 4 * bits * PAGE


@needs_compiler
def test_every_row_of_the_table(tmp_path: Path) -> None:
    small = decoding.Host("small", 8, EVERY_SECOND_PAGE, 3)
    rows = list(decoding.rows(tmp_path, (small,), rounds=1))
    assert [row.what for row in rows] == [
        *(f"small: {form}, {what}" for form in FORMS for what in ("runs", "peak memory", "totals")),
        "small: radix, growth",
    ]
    assert all(row.ratio is not None and row.ratio > 0 for row in rows)


def test_without_a_compiler_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "compiler", lambda: None)
    small = decoding.Host("small", 4, EVERY_PAGE, 3)
    row = next(decoding.rows(tmp_path, (small,), rounds=1))
    assert row.verdict == "not measured: no gcc here to build the reference"


@needs_compiler
def test_a_wrong_answer_breaks_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = decoding.Host("small", 4, EVERY_PAGE, 3)
    asked = decoding.ours
    monkeypatch.setattr(decoding, "ours", lambda *words: {**asked(*words), "ranges": 7})
    with pytest.raises(AssertionError, match="ranges: 1 there, 7 here"):
        next(decoding.rows(tmp_path, (small,), rounds=1))
