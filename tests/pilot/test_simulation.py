"""The picture of a simulated crash: two designs side by side, step by step."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.model.crash_simulation import CrashSimulation, Design
from kho_console.tui import simulation_rows, simulations
from kho_console.tui.filters import ascii_signs
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import plain
from kho_console.tui.screens.simulation import Simulation
from tests.cli.test_crash_simulate import MANY
from tests.pilot.machines import bottom, console, open_screen, text, until

READY = "linux-7.3.4/ready"


def rows(screen: Simulation) -> list[str]:
    lines = screen.lines()
    return [plain(lines.source.row(at)).rstrip() for at in range(len(lines.source))]


async def opened(pilot: Pilot[int]) -> Simulation:
    screen = await open_screen(pilot, "C")
    assert isinstance(screen, Simulation)
    await until(pilot, lambda: screen.lines().source)
    return screen


async def ran(pilot: Pilot[int], name: str) -> Simulation:
    """The picture of a shipped scenario, its first step chosen."""
    screen = await opened(pilot)
    screen.lines().go(next(at for at, row in enumerate(rows(screen)) if row.startswith(name)))
    await pilot.press("enter")
    await until(pilot, lambda: any("panic" in row for row in rows(screen)))
    await pilot.pause()
    return screen


def says(screen: Simulation, words: str) -> bool:
    return words in " ".join(text(screen).split())


async def test_a_scenario_that_runs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(word: str, stopped: Callable[[], bool]) -> CrashSimulation | Failure:
        while not stopped():
            assert word
        return whole(word, stopped)

    whole = simulations.simulated
    monkeypatch.setattr(simulations, "simulated", endless)
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: says(screen, "Esc stops it"))
        await pilot.press("escape")
        await until(pilot, lambda: says(screen, "copy-fails was stopped"))


def simulated(name: str) -> CrashSimulation:
    found = simulations.simulated(name)
    assert isinstance(found, CrashSimulation)
    return found


async def test_every_step_of_both_designs_is_a_bar_with_a_word_beside_it() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await ran(pilot, "copy-fails")
        words = text(screen)
        assert "mainline" in words and "2021" in words
        assert rows(screen)[0].split("█")[0].strip() == "1  load the crash image"
        assert "U disarmed" in rows(screen)[-1]
        assert rows(screen)[-1].endswith("█ V complete")
        assert "█ dump  ░ missing  ▒ gone   A old image" in words
        assert ascii_signs(words).count("?") == words.count("?")


async def test_left_and_right_step_and_the_picture_tells_where_the_panic_hits() -> None:
    async with console(READY).run_test(size=(120, 40)) as pilot:
        screen = await ran(pilot, "copy-fails")
        steps = len(rows(screen))
        for number in range(2, steps + 1):
            await pilot.press("right")
            assert f"step {number} of {steps}" in text(screen)
        words = text(screen)
        assert f"step {steps} of {steps}  panic" in words
        # Side by side where there is room.
        assert sum("a panic now: " in line for line in words.splitlines()) == 1
        await pilot.press("left")
        assert "log: crash hp: reloading purgatory failed" in text(screen)
        await pilot.press("tab")
        assert "14  " in text(screen) and ": it failed" in text(screen)


async def test_all_of_it_is_within_reach_of_the_least_terminal() -> None:
    async with console(READY).run_test(size=(40, 15)) as pilot:
        screen = await ran(pilot, "copy-fails")
        assert rows(screen)[-1].split()[2:] == ["U", "disarmed", "V", "complete"]
        await pilot.press("end", "tab")
        await pilot.pause()
        details = screen.moving()
        whole = "\n".join(plain(details.source.row(at)) for at in range(len(details.source)))
        assert all(design in whole for design in Design)


async def test_escape_leads_back_to_the_scenarios_and_then_away() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await ran(pilot, "dimm-removed")
        await pilot.press("escape")
        await pilot.pause()
        assert rows(screen)[screen.lines().cursor].startswith("dimm-removed")
        assert (await open_screen(pilot, "escape")).subject == "overview"


async def test_a_scenario_may_be_a_file_and_what_is_wrong_with_it_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text('name = "broken"\n[machine]\nram = 7\n')
    async with console(READY).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        for path, words in ((broken, "line 3: ram: "), (tmp_path / "gone.toml", "gone.toml")):
            await pilot.press("f")
            screen.query_one("#answer").value = str(path)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, partial(says, screen, words))


async def test_a_wrong_file_is_told_beside_the_steps_that_stand_there(tmp_path: Path) -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await ran(pilot, "copy-fails")
        await pilot.press("f")
        screen.query_one("#answer").value = str(tmp_path / "gone.toml")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "gone.toml" in "".join(text(screen).split()))
        assert "█ V complete" in text(screen)
        await pilot.press("right")
        assert "gone.toml" not in text(screen) and "step 2 of 4" in text(screen)


@pytest.mark.parametrize("size", [(80, 24), (40, 15)])
async def test_what_failed_of_several_events_and_both_designs_are_in_sight(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    file = tmp_path / "many.toml"
    file.write_text(MANY)
    async with console(READY).run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("f")
        screen.query_one("#answer").value = str(file)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "step 1 of 4" in text(screen))
        await pilot.press("right", "right")
        below = text(screen).split("step 3 of 4")[1]
        assert "U disarmed" in below and "V complete" in below
        if size == (40, 15):
            await pilot.press("tab")
            await pilot.pause()
        assert "event 1 of 4: disarmed; 3" in text(screen)
        assert "failed at part 14 of 16:" in text(screen)
        await pilot.press("tab")
        await pilot.pause()


async def test_what_was_simulated_is_exported_and_nothing_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with console(READY).run_test(size=(120, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("E")
        assert "no document of this screen" in bottom(screen)
        await ran(pilot, "too-small")
        await pilot.press("E")
        path = tmp_path / "kho-console" / "simulation-1.json"
        await until(pilot, lambda: f"written: {path}" in bottom(screen))
        assert json.loads(path.read_text())["name"] == "too-small"


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("name", [item.name for item in simulations.offered()])
def test_no_line_of_a_shipped_scenario_is_wider_than_the_screen(name: str, width: int) -> None:
    found = simulated(name)
    lines = simulation_rows.lines(found, width)
    assert max(len(plain(row)) for row in lines) <= width - 1
    assert len(plain(simulation_rows.titles(width))) <= width
    for step in found.steps:
        picture = simulation_rows.picture(step, found, width, everything=True)
        assert max(len(plain(row)) for row in picture) <= width
