"""The verb `compare-mechanisms`: one workload through every mechanism."""

from pathlib import Path
from typing import Any

import pytest

from kho_console.engine.mechanisms import series2024
from kho_console.engine.mechanisms.placing import place
from kho_console.engine.mechanisms.workload import shipped
from kho_console.model.unknown import Unknown
from kho_console.model.workload import Workload, WorkloadRecords
from kho_console.twin.kho2024 import outgoing
from tests.cli.run import Console
from tests.cli.test_documents import validate

TINY = """
name = "tiny"
about = "a file, a range and a few records"
[[range]]
name = "oops"
size = "64K"
[[object]]
name = "file"
size = "1M"
[[records]]
name = "devices"
count = 3
size = 32
"""


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return str(path)


def by_name(document: Any) -> dict[str, Any]:
    return {f"{item['mechanism']} {item['version']}": item for item in document["mechanisms"]}


def test_all_of_them_carry_it_and_the_figures_differ_as_the_designs_do(
    console: Console, tiny: str
) -> None:
    answer = console("compare-mechanisms", tiny, "--json")
    assert answer.code == 0
    validate(answer.document, "mechanisms")
    found = by_name(answer.document)
    assert next(iter(found)) == "kho 2024" and {"kho 6.16", "kho 7.3"} < set(found)
    assert {f"pkram v{at}" for at in (1, 2, 3)} | {f"kstate v{at}" for at in (1, 2, 3)} < set(found)
    load = ((1 << 20) + (64 << 10)) // 4096
    for item in found.values():
        assert item["compact"]["reserved_pages"] > load
    # One tree, of a pair for each run: apart from each other its 256 pages are 255 pairs more.
    old = found["kho 2024"]
    grown = old["scattered"]["metadata_bytes"] - old["compact"]["metadata_bytes"]
    assert grown == 2 * 255 * 16
    # v1 has 8 MiB for its stream, whatever is in it; v2 copies its buffer into the segment.
    assert found["kstate v1"]["compact"]["reserved_pages"] == load + (8 << 20) // 4096
    copies = {name: item["compact"]["copies"] for name, item in found.items()}
    assert (copies["kho 2024"], copies["kstate v2"]) == (2, 2)
    assert {copies[name] for name in copies if "pkram" in name or "kho 7" in name} == {1}


def test_what_a_version_change_breaks(console: Console, tiny: str) -> None:
    found = by_name(console("compare-mechanisms", tiny, "--json").document)

    def results(name: str) -> tuple[Any, ...]:
        item = found[name]
        return tuple(item[key] and item[key]["result"] for key in ("newer", "older", "changed"))

    assert results("kho 2024")[0] == "refused"
    assert results("kho 7.1")[:2] == ("refused", "refused")
    assert results("kho 7.2")[:2] == ("taken", "refused")
    assert results("pkram v1") == ("lost", None, None)
    assert results("pkram v2") == ("taken", "lost", None)
    assert results("kstate v2") == ("lost", "lost", "misread")
    assert results("kstate v3") == (None, "lost", "taken")
    assert found["pkram v1"]["changed_reason"]


def test_the_table_stands_on_80_columns(console: Console, tiny: str) -> None:
    answer = console("compare-mechanisms", tiny)
    lines = answer.out.splitlines()
    assert answer.code == 0 and max(map(len, lines)) < 80
    row = next(line.split() for line in lines if line.startswith("kstate v2"))
    assert row[-3:] == ["lost", "lost", "misread"]


def test_state_alone_is_carried_without_memory_beside_it(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "state.toml"
    path.write_text(
        'name = "s"\nabout = "s"\n[[records]]\nname = "devices"\ncount = 2\nsize = 32\n'
    )
    found = by_name(console("compare-mechanisms", str(path), "--json").document)
    assert [name for name, item in found.items() if item["compact"] is None] == []
    # The page of the tree and that of the mem cache, which has no record.
    assert found["kho 2024"]["compact"]["reserved_pages"] == 2


def test_a_tree_of_2024_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "DT_MAX", 4096)
    records = WorkloadRecords("devices", 1, 4096)
    placed = place(Workload("large", "", (), (), (records,)), scattered=False)
    cost, _ = series2024.run(placed)
    assert isinstance(cost, Unknown) and "dt_max" in cost.reason


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_every_shipped_workload(console: Console, name: str) -> None:
    validate(console("compare-mechanisms", name, "--json").document, "mechanisms")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("name = 7", "name must be text"),
        ("[[range]", "no TOML"),
        (TINY + '[[object]]\nname = "x"\nsize = "5G"\n', "more than 4 GiB"),
        (TINY + '[[object]]\nname = "x"\nsize = "5k"\n', "a multiple of 4096"),
        (TINY + '[[object]]\nname = "x"\nsize = "1G"\n', "more than 65536 pages"),
        (TINY.replace("count = 3", "count = 0"), "count is 0"),
        (TINY + "colour = 3\n", "colour"),
        (TINY + '[[object]]\nname = "a/b"\nsize = "4k"\n', "name is 'a/b'"),
        (TINY + '[[range]]\nname = "file"\nsize = "4k"\n', "two parts are called file"),
        ('name = "x"\nabout = "y"\n', "nothing to carry"),
    ],
)
def test_what_is_no_workload_is_a_matter_of_usage(
    console: Console, tmp_path: Path, words: str, said: str
) -> None:
    path = tmp_path / "wrong\x1b.toml"
    path.write_text(words)
    answer = console("compare-mechanisms", str(path))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err and "\x1b" not in answer.err


def test_a_name_that_is_none_is_not_available(console: Console) -> None:
    answer = console("compare-mechanisms", "none-of-these")
    assert (answer.code, answer.out) == (3, "")
    assert "guests, pages, state" in answer.err
