"""Every screen on a moment of a recording."""

from pathlib import Path

from kho_console.config.settings import Settings
from kho_console.engine.observer import Observer
from kho_console.engine.recorder import Limits, Recorder
from kho_console.source.fixture import FixtureSource
from kho_console.source.recording import Recording
from kho_console.tui.app import KhoConsole
from kho_console.tui.widgets.timeline import Timeline
from tests.pilot.machines import NEVER, banner, console, seen, text
from tests.recordings import folder

NAME = "linux-7.3.4/hotplugged"
SCREENS = "123456"


async def _shown(app: KhoConsole, height: int) -> list[str]:
    found = []
    async with app.run_test(size=(100, height)) as pilot:
        for key in SCREENS:
            await pilot.press(key)
            screen = await seen(pilot)
            below = text(screen).partition("\n")[2]
            line = screen.query_one(Timeline).text
            found += [banner(screen), below.replace(f"{line}\n", "") if line else below]
    return found


async def test_the_screens_show_what_the_origin_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    with Recorder(FixtureSource(folder(NAME)), path, Limits(duration=0.0)) as recorder:
        recorder.run()
    app = KhoConsole(Observer(Recording(path).at(0)), settings=Settings(interval=NEVER))
    # The timeline has two lines of its own.
    recorded, origin = await _shown(app, 42), await _shown(console(NAME), 40)
    assert "REPLAY a.kho" in recorded[0]
    journal = "not shown: of this source no journal is kept"
    expected = [item.replace(journal, "nothing was done yet") for item in origin[1::2]]
    assert recorded[1::2] == expected
