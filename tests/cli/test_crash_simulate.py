"""The verb `crash simulate`."""

from pathlib import Path

import pytest

from kho_console.engine.crash.scenarios import shipped
from tests.cli.run import Console
from tests.cli.test_documents import validate


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_as_a_document_and_on_80_columns(
    console: Console, name: str
) -> None:
    answer = console("crash", "simulate", name, "--json")
    assert answer.code == 0
    validate(answer.document, "crash_simulation")
    printed = console("crash", "simulate", name)
    assert printed.code == 0
    assert max(map(len, printed.out.splitlines())) <= 80


def test_both_designs_stand_side_by_side(console: Console) -> None:
    lines = console("crash", "simulate", "header-not-mapped").out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("step 3: online memory"))
    assert [lines[at + 1][2:40].strip(), lines[at + 1][40:]] == ["hang", "updated"]
    assert "  nothing: hang                         the dump is complete" in lines


def test_the_letters_of_2021_and_what_was_logged(console: Console) -> None:
    end = console("crash", "simulate", "copy-fails", "--json").document
    old, new = (end["steps"][2]["designs"][name] for name in ("2021", "mainline"))
    assert (old["state"], old["letter"]) == ("disarmed", "U")
    assert old["messages"] == ["crash hp: reloading purgatory failed"]
    assert (new["state"], new["messages"]) == ("valid", [])
    assert end["end"]["2021"]["result"] == "no dump"


MANY = """
[machine]
possible = 4
present = 2
ram = ["0+2G"]
region = "1G+256M"
[[step]]
do = "load"
[[step]]
do = "add"
memory = "4G+512M"
[[step]]
do = "online"
memory = "4G+512M"
faults = ["copy-purgatory"]
"""


def test_of_several_events_each_is_told_and_the_part_that_failed(
    console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "many.toml"
    file.write_text(MANY)
    lines = console("crash", "simulate", str(file)).out.splitlines()
    step = lines[next(at for at, line in enumerate(lines) if line.startswith("step 3:")) :]
    left = " ".join(" ".join(line[2:40] for line in step).split())
    right = " ".join(" ".join(line[40:] for line in step).split())
    assert "event 1 of 4: disarmed; 3 found no image" in left
    assert "failed at part 14 of 16: write purgatory" in left
    assert "each of 4 events: updated" in right
    # Why the notes differ, and what the letters mean.
    assert "notes of 4 of 4 possible CPUs" in right
    assert "(U) disarmed: loaded, and no panic finds it" in lines
    assert not any(line.startswith("(D)") for line in lines)


def test_notes_of_present_cpus_are_told_from_those_of_all_possible(console: Console) -> None:
    out = " ".join(console("crash", "simulate", "dimm-added").out.split())
    assert "notes of 2 of 4 possible CPUs, all" in out
    assert "notes of 4 of 4 possible CPUs" in out


def test_the_file_of_a_shipped_scenario_is_shown_and_runs(console: Console, tmp_path: Path) -> None:
    answer = console("crash", "simulate", "--show", "too-small")
    assert answer.code == 0
    mine = tmp_path / "mine.toml"
    mine.write_text(answer.out)
    assert console("crash", "simulate", str(mine)).code == 0


def test_a_source_is_refused_as_no_machine_is_opened(console: Console) -> None:
    answer = console("--source", "/nope", "crash", "simulate", "too-small")
    assert (answer.code, answer.out) == (2, "")
    assert "opens no machine" in answer.err


def test_without_a_scenario_the_shipped_ones_are_named(console: Console) -> None:
    answer = console("crash", "simulate")
    assert answer.code == 0
    assert set(shipped()) <= set(answer.out.splitlines())


def test_a_wrong_file_is_a_matter_of_usage_and_a_missing_one_is_not_available(
    console: Console, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong\x1b.toml"
    wrong.write_text('name = "x"\nabuot = "y"\n')
    answer = console("crash", "simulate", str(wrong))
    assert (answer.code, answer.out) == (2, "")
    assert "\x1b" not in answer.err and "line 2: abuot: nobody knows this key" in answer.err
    answer = console("crash", "simulate", str(tmp_path / "none"))
    assert (answer.code, answer.out) == (3, "")
    assert "dimm-added" in answer.err


def test_the_verb_crash_itself_is_as_it_was(console: Console) -> None:
    answer = console("--source", "linux-7.3.4/hotplugged", "crash", "--json")
    assert answer.code == 0
    validate(answer.document, "crash")
