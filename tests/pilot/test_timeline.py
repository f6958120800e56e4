"""Walking through the moments of a recording, and of what was seen of a live machine."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kho_console.config.settings import Settings
from kho_console.engine.actions.perform import Writer
from kho_console.engine.observer import Observer
from kho_console.model.event import Event
from kho_console.model.position import Motion, Position
from kho_console.tui.app import KhoConsole
from kho_console.tui.commands import SCREENS
from kho_console.tui.means import Means, Mode
from kho_console.tui.section import Section
from kho_console.tui.widgets.timeline import Timeline
from tests.pilot.machines import NEVER, banner, bottom, console, open_screen, seen, text, until
from tests.pilot.walked import MOMENTS, Clock, Going, recorded, replaying

NOTHING = "no event of a CPU or memory"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("walk"))


def position(pilot: Pilot[int]) -> Position:
    assert isinstance(pilot.app, KhoConsole)
    assert pilot.app.walking.position is not None
    return pilot.app.walking.position


async def stands(pilot: Pilot[int], number: int, motion: Motion = Motion.PAUSED) -> Section:
    """The screen on top once a moment is shown."""

    def there() -> bool:
        assert isinstance(pilot.app, KhoConsole)
        found = pilot.app.walking.position
        return found is not None and (found.number, found.motion) == (number, motion)

    await until(pilot, there)
    return await seen(pilot)


async def journal_has(pilot: Pilot[int], screen: Section, actions: int) -> None:
    """The screen of the journal has so many actions."""
    await until(pilot, lambda: f"JOURNAL    {actions} action" in text(screen))
    assert ("root" in text(screen)) == bool(actions)


async def test_every_screen_shows_every_moment(path: Path) -> None:
    app = replaying(path, Clock(), "start")
    async with app.run_test(size=(120, 40)) as pilot:
        for number, state in enumerate(MOMENTS):
            await stands(pilot, number)
            assert app.view is not None
            expected = console(f"linux-7.3.4/{state}")
            for name in SCREENS:
                await app.run_action(f"section('{name}')", app)
                screen = await seen(pilot)
                assert f"REPLAY walk.kho 10:00:{number}0" in banner(screen)
                shown = text(screen)
                assert f"{number + 1} of {len(MOMENTS)}" in shown
                if name == "crash":
                    assert (NOTHING in shown) == (number < 1)
                    assert ("offline" in shown) == (number >= 1)
                    assert ("online" in shown) == (number >= 3)
                if name == "journal":
                    await journal_has(pilot, screen, int(number >= 4))
                if name == "sessions":
                    assert ("vm-web" in shown) == (state != "cold")
            snapshot = expected._lookout._observer.look().snapshot
            assert app.view.snapshot.kexec.loaded == snapshot.kexec.loaded
            await pilot.press("right_square_bracket")
        await until(pilot, lambda: "this is the last moment" in bottom(screen))
        assert position(pilot).number == len(MOMENTS) - 1


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        (("left_square_bracket",), 4),
        (("left_square_bracket", "left_square_bracket", "right_square_bracket"), 4),
        (("left_curly_bracket",), 3),
        (("left_curly_bracket", "left_curly_bracket"), 1),
        (("left_curly_bracket", "left_curly_bracket", "right_curly_bracket"), 3),
        (("left_parenthesis",), 4),
        (("comma",), 4),
        (("comma", "comma"), 2),
        (("comma", "comma", "full_stop"), 4),
        (("t", *"10:00:25", "enter"), 2),
        (("t", *"+10", "enter"), 1),
        (("t", *"event:1", "enter"), 3),
        (("t", *"start", "enter"), 0),
        (("t", *"start", "enter", "right_parenthesis"), 4),
        (("left_square_bracket", "L"), 5),
    ],
)
async def test_keys_move(path: Path, keys: tuple[str, ...], number: int) -> None:
    names = {":": "colon", "+": "plus"}
    async with replaying(path, Clock()).run_test(size=(80, 24)) as pilot:
        await stands(pilot, 5)
        await pilot.press(*(names.get(key, key) for key in keys))
        screen = await stands(pilot, number)
        assert f"REPLAY walk.kho 10:00:{number}0" in banner(screen)


async def test_a_time_that_is_none_stays_to_be_mended(path: Path) -> None:
    async with replaying(path, Clock()).run_test(size=(80, 24)) as pilot:
        screen = await stands(pilot, 5)
        await pilot.press("t", *"noon", "enter")
        await until(pilot, lambda: "'noon' names no moment" in bottom(screen))
        entry = screen.query_one(Input)
        assert entry.has_focus and entry.value == "noon"
        entry.value = "09:00:00"
        await pilot.press("enter")
        await until(pilot, lambda: "before the recording" in bottom(screen))
        assert position(pilot).number == 5


async def test_it_plays_at_a_speed_and_ticks_only_then(path: Path) -> None:
    clock = Clock()
    app = replaying(path, clock, "start")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await stands(pilot, 0)
        assert app._player is None
        line = screen.query_one(Timeline)
        assert "1x PAUSED" in line.text
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign", "space")
        await until(pilot, lambda: "2x PLAYING" in line.text)
        assert app._player is not None
        clock.now += 4
        await pilot.pause(0.3)
        assert position(pilot).number == 0
        clock.now += 7
        await stands(pilot, 2, Motion.PLAYING)
        await pilot.press("p")
        await stands(pilot, 2)
        assert app._player is None
        clock.now += 1000
        await pilot.press("space")
        await stands(pilot, 2, Motion.PLAYING)
        clock.now += 1000
        await stands(pilot, 5)
        await until(pilot, lambda: app._player is None)


async def test_what_has_one_moment_says_so() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "linux-7.3.4/ready has one moment only" in bottom(screen))
        assert screen.query_one(Timeline).text == ""


class Watched:
    """A console on a live machine that becomes another one."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.machine = Going("linux-7.3.4/cold")
        observer = Observer(self.machine, self.clock)
        means = Means(self.machine, Mode.WRITE, Writer())
        settings = Settings(interval=NEVER)
        self.app = KhoConsole(observer, settings=settings, means=means, clock=self.clock)

    async def becomes(self, pilot: Pilot[int], state: str, tick: Callable[[], None]) -> None:
        """It is another one, which a look sees."""
        before = len(self.app.walking._kept or ())
        self.machine.go(state)
        tick()
        await until(pilot, lambda: len(self.app.walking._kept or ()) > before)
        await seen(pilot)


async def test_a_live_machine_is_walked_back() -> None:
    watched = Watched()
    app, machine = watched.app, watched.machine
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "7")
        line = screen.query_one(Timeline)
        await watched.becomes(pilot, "sessions", app.action_read_again)
        assert line.text == "" and NOTHING in text(screen)
        await until(pilot, lambda: machine.listeners)
        machine.listeners[0].send(Event(1.0, "offline", "cpu", "cpu1", 918))
        await until(pilot, lambda: "offline" in text(screen))
        await watched.becomes(pilot, "ready", app.action_read_again)
        assert position(pilot).motion is Motion.LIVE
        latest = position(pilot).number
        await pilot.press("p")
        await stands(pilot, latest)
        assert "PAUSED" in line.text and "SEEN" in banner(screen)
        looks = machine.looks
        app.tick()
        await pilot.press("left_curly_bracket", "left_square_bracket")
        await stands(pilot, 1)
        assert NOTHING in text(screen) and machine.looks == looks
        assert "vm-web" in text(await open_screen(pilot, "5"))
        await pilot.press("left_square_bracket")
        screen = await stands(pilot, 0)
        assert "vm-web" not in text(screen)
        assert "go back to now to change it" in (app.changes.refusal or "")
        # What is read meanwhile is kept, and what is looked at stays.
        await watched.becomes(pilot, "sessions", app.action_read_again)
        assert position(pilot).number == 0 and "vm-web" not in text(app.screen)
        await pilot.press("L")
        screen = await stands(pilot, latest + 1, Motion.LIVE)
        assert "vm-web" in text(screen) and "SEEN" not in banner(screen)
        assert app.changes.refusal is None
        app.tick()
        await until(pilot, lambda: machine.looks > looks + 1)


async def test_what_was_seen_plays_until_now() -> None:
    watched = Watched()
    async with watched.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await watched.becomes(pilot, "sessions", watched.app.tick)
        await pilot.press("left_square_bracket")
        await stands(pilot, 0)
        await pilot.press("space")
        await stands(pilot, 0, Motion.PLAYING)
        watched.clock.now += 3600
        await stands(pilot, 1, Motion.LIVE)
        assert watched.app._player is None and not watched.app._lookout.paused
