"""Scenario files: what is shipped, and what is wrong with others."""

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from kho_console.abi import purgatory
from kho_console.engine.crash.scenario_file import LARGEST, parse
from kho_console.engine.crash.scenario_table import ScenarioError
from kho_console.engine.crash.scenarios import CannotReadError, scenario, shipped
from kho_console.engine.crash.simulation import StoppedError, simulate
from kho_console.model.crash_simulation import Answer, DumpEnd
from kho_console.model.memory import MemoryRange

MIB = 1 << 20
ENDS = {
    "copy-fails": [("no dump", 0, 0), ("dump", 0, 0)],
    "dimm-added": [("dump", 0, 0), ("dump", 0, 0)],
    "dimm-removed": [("dump", 0, 512), ("dump", 0, 512)],
    "event-while-loading": [("dump", 512, 0), ("dump", 512, 0)],
    "header-not-mapped": [("hang", 128, 0), ("dump", 0, 0)],
    "load-race-storm": [("dump", 1024, 0), ("dump", 1024, 0)],
    "panic-in-window": [("no dump", 128, 0), ("no dump", 128, 0)],
    "too-small": [("dump", 10240, 0), ("dump", 10240, 0)],
}
"""What the panic leaves under 2021 and under mainline: MiB that are missing, and that are stale."""


@pytest.mark.parametrize("name", ENDS)
def test_a_shipped_scenario_shows_what_it_says(name: str) -> None:
    found = []
    for moment in simulate(scenario(name)).end.moments:
        missing, stale = (
            sum(item.size for item in ranges) // MIB
            for ranges in (moment.dump.missing, moment.dump.stale)
        )
        found.append((moment.dump.end.value, missing, stale))
    assert found == ENDS[name]


def test_all_that_is_shipped_is_known_here_and_tells_its_point() -> None:
    assert set(shipped()) == set(ENDS)
    assert all(len(scenario(name).about) > 40 for name in shipped())


MACHINE = '[machine]\nram = ["1M+511M"]\nregion = "256M+64M"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "machine is missing"),
        ("machine = 1\n", 1, "machine: a table"),
        ("[machine]\nram = []\n", 2, "ram: a list of 1 to 1024 ranges"),
        ('[machine]\nram = ["1M"]\n', 2, 'ram: start and size, such as "4G+512M"'),
        ('[machine]\nram = ["1M+1"]\n', 2, "ram: memory is whole pages"),
        ('[machine]\nram = ["1M+2M", "2M+2M"]\n', 2, "ram: ranges overlap"),
        ('[machine]\nram = ["1M+2M"]\nregion = "8M+1M"\n', 3, "region: it lies in no range"),
        ('[machine]\nram = ["0+1M"]\nregion = "0+512K"\n', 2, "ram: besides the crash region"),
        (MACHINE + "cpus = 2\n", 4, "cpus: nobody knows this key"),
        ('abuot = "x"\n', 1, "abuot: nobody knows this key here, perhaps about; there is name,"),
        ("machine = 1\n", 1, "machine: a table, under a line [machine]"),
        ('[machine]\nram = ["1M"]\n', 2, "not '1M'"),
        (
            MACHINE + '[[step]]\ndo = "online"\ncpu = 1\nfaults = "copy-purgatory"\n',
            7,
            'faults: a list, ["copy-purgatory"]',
        ),
        (
            MACHINE + '[[step]]\ndo = "online"\ncpu = 1\nduring = 13\n',
            7,
            "one per design is { 2021 = 13, mainline = 10 }",
        ),
        (
            MACHINE + '[[step]]\ndo = "online"\ncpu = 1\ncount = 2\n',
            7,
            "count: it goes with memory, not with a cpu",
        ),
        (MACHINE + "possible = 1\npresent = 2\n", 5, "present: a number from 1 to 1"),
        (MACHINE + "possible = true\n", 4, "possible: a number from 1 to 8192"),
        (MACHINE + 'architecture = "vax"\n', 4, "architecture: one of x86_64,"),
        (MACHINE, None, "step is missing"),
        (MACHINE + "[image]\nkernel = 1\n[[step]]\n", 5, "kernel: 4096 to "),
        (MACHINE + "[[step]]\n", 4, "do is missing"),
        (MACHINE + '[[step]]\ndo = "dance"\n', 5, "do: one of load,"),
        (MACHINE + '[[step]]\ndo = "add"\n', 4, "add is done to memory or to a cpu"),
        (MACHINE + '[[step]]\ndo = "load"\nfaults = []\n', 6, "faults: nobody knows this key"),
        (
            MACHINE + '[[step]]\ndo = "online"\ncpu = 1\nfaults = ["luck"]\n',
            7,
            "faults: a list of lock-busy,",
        ),
        (
            MACHINE + '[[step]]\ndo = "online"\ncpu = 1\nduring = 13\n',
            7,
            "during: mainline has steps 1 to 12",
        ),
        (
            MACHINE + '[[step]]\ndo = "online"\ncpu = 1\nduring = { 2022 = 1 }\n',
            7,
            "during: there is no design '2022'",
        ),
        (
            MACHINE + '[[step]]\ndo = "panic"\n[[step]]\ndo = "load"\n',
            6,
            "nothing happens after the panic",
        ),
        (
            MACHINE + '[[step]]\ndo = "add"\nmemory = "4G+128M"\ncount = 2\nevery = "1M"\n',
            8,
            "every: the pieces would overlap",
        ),
        (MACHINE + "[[step\n", 4, "no TOML: "),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse(text.encode(), "test")
    assert words in str(error.value)
    assert error.value.line == line


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('do = "online"\nmemory = "4G+128M"\n', "online: there is no such memory"),
        ('do = "add"\nmemory = "256M+128M"\n', "add: there is memory already"),
        ('do = "add"\nmemory = "4G+1M"\n', "add: it is no whole blocks"),
        ('do = "offline"\nmemory = "256M+128M"\n', "offline: the crash region lies in it"),
        ('do = "remove"\nmemory = "128M+128M"\n', "remove: no memory of just this range"),
        ('do = "online"\ncpu = 1\n', "online: CPU 1 is on line already; there are 2 of 2"),
        ('do = "add"\ncpu = 2\n', "add: CPU 2 is not possible"),
        ('do = "end-load"\n', "end-load: no load has begun"),
    ],
)
def test_what_no_machine_can_do_is_told_with_the_line_of_its_step(step: str, words: str) -> None:
    with pytest.raises(ScenarioError) as error:
        simulate(parse((MACHINE + "[[step]]\n" + step).encode(), "test"))
    assert words in str(error.value)
    assert error.value.line == 4


PLUGGED = '[[step]]\ndo = "%s"\nmemory = "4G+125G"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("possible = " + "1" * 900 + "\n", None, "a number has too many digits"),
        ("name = 'a'\n" + ".".join("a" * 600) + " = 1\n", 2, "it is longer than 1024 bytes"),
        (
            MACHINE + (PLUGGED % "online" + PLUGGED % "offline") * 3,
            None,
            "more than 4096 CPUs and memory blocks that switch",
        ),
        (
            MACHINE + '[image]\ninitrd = "64M"\n' + '[[step]]\ndo = "load"\n' * 64,
            4,
            "64 steps with an image of",
        ),
    ],
)
def test_what_would_take_too_long_is_refused(text: str, line: int | None, words: str) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        test_a_mistake_is_told_with_its_line(text, line, words)
    finally:
        sys.set_int_max_str_digits(before)


def test_events_that_change_nothing_digest_the_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    whole = purgatory.digest

    def counted(pieces: Iterable[bytes]) -> bytes:
        taken.append(1)
        return whole(pieces)

    monkeypatch.setattr(purgatory, "digest", counted)
    steps = '[[step]]\ndo = "load"\n' + PLUGGED % "add" + PLUGGED % "online"
    found = simulate(parse((MACHINE + steps).encode(), "test"))
    assert found.end.rfc2021.verified and found.steps[2].rfc2021.events == 1000
    assert len(taken) < 4 * len(found.steps)


def test_a_simulation_can_be_stopped_in_the_middle_of_a_step() -> None:
    steps = '[[step]]\ndo = "load"\n' + PLUGGED % "add" + PLUGGED % "online"
    asked = iter(range(10))
    with pytest.raises(StoppedError):
        simulate(parse((MACHINE + steps).encode(), "test"), stopped=lambda: next(asked) == 9)


@pytest.mark.parametrize(
    ("locks", "why"),
    [("true", "the kexec lock is held"), ("false", "taken from the kernel while it is updated")],
)
def test_a_panic_in_the_window_is_no_lost_image(locks: str, why: str) -> None:
    steps = '[[step]]\ndo = "load"\n[[step]]\ndo = "online"\ncpu = 1\nduring = { 2021 = 13 }\n'
    cpu_off = '[[step]]\ndo = "offline"\ncpu = 1\n'
    design = f"[rfc2021]\ncaller-locks = {locks}\n"
    found = simulate(parse((MACHINE + design + cpu_off + steps).encode(), "test"))
    assert why in found.end.rfc2021.dump.why


def test_of_several_events_the_worst_one_is_told_with_its_procedure() -> None:
    step = '[[step]]\ndo = "add"\nmemory = "4G+512M"\n[[step]]\ndo = "online"\n'
    step += 'memory = "4G+512M"\nfaults = ["copy-purgatory"]\n'
    load = '[[step]]\ndo = "load"\n'
    old, new = simulate(parse((MACHINE + load + step).encode(), "test")).steps[2].moments
    assert old.answer is Answer.DISARMED
    assert old.answers == (Answer.DISARMED, *3 * (Answer.NOTHING,))
    assert [item.number for item in old.failed] == [14]
    assert (new.answer, new.answers) == (Answer.UPDATED, 4 * (Answer.UPDATED,))


def test_an_image_that_does_not_fit_its_region_is_told() -> None:
    large = '[image]\nkernel = "64M"\n[[step]]\ndo = "load"\n'
    with pytest.raises(ScenarioError, match="line 6: the image does not fit its region"):
        simulate(parse((MACHINE + large).encode(), "test"))


def test_a_panic_comes_at_the_end_where_none_is_asked_for() -> None:
    found = simulate(parse((MACHINE + '[[step]]\ndo = "load"\n').encode(), "mine"))
    assert (found.name, len(found.steps)) == ("mine", 2)
    assert {moment.dump.end for moment in found.end.moments} == {DumpEnd.DUMP}
    first = MemoryRange(MIB, 255 * MIB)
    assert found.end.mainline.dump.described[0] == first


def test_a_file_is_read_and_a_missing_one_told(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(MACHINE + '[[step]]\ndo = "load"\n')
    assert scenario(str(file)).name == "my"
    file.write_text("#" * (LARGEST + 1))
    for path in (file, tmp_path, tmp_path / "none"):
        with pytest.raises(CannotReadError):
            scenario(str(path))
