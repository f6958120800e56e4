"""How the screens that matter most are laid out, kept as text; data is asserted elsewhere.

`KHO_CONSOLE_WRITE_LAYOUTS=1` writes the files anew, to be looked at before they are kept.
"""

import os
from itertools import product
from pathlib import Path

import pytest

from kho_console.tui.exports import screen_text
from kho_console.tui.widgets.timeline import Timeline
from tests.pilot.machines import console, open_screen, text, until
from tests.pilot.test_screens import KEYS
from tests.pilot.walked import Clock, recorded, replaying

_FOLDER = Path(__file__).parent / "layouts"
_WRITE = "KHO_CONSOLE_WRITE_LAYOUTS"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 15)])
async def test_timeline(size: tuple[int, int], tmp_path: Path) -> None:
    async with replaying(recorded(tmp_path), Clock()).run_test(size=size) as pilot:
        screen = await open_screen(pilot, "7")
        await until(pilot, lambda: "6" in screen.query_one(Timeline).text)
        await pilot.press("left_square_bracket", "left_curly_bracket")
        await until(pilot, lambda: "offline" in text(screen) and "10:00:30" in text(screen))
        await pilot.pause()
        drawn = screen_text(screen)
    _compare(drawn, f"timeline-{size[0]}x{size[1]}")


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        *product(
            ["linux-7.3.4/ready", "linux-6.18.15/finalized"],
            ["overview", "scratch", "blobs", "preserved", "handover", "crash"],
        ),
        ("linux-7.3.4/hotplugged", "crash"),
        ("linux-7.3.4/hotplugged", "simulation"),
        ("made/pkram-v3", "overview"),
        ("made/pkram-v3", "pkram"),
        ("made/kstate-v2", "kstate"),
        ("linux-7.3.4/ready", "runbook"),
    ],
)
async def test_layout(name: str, subject: str) -> None:
    async with console(name).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        if subject == "handover":
            await until(pilot, lambda: "looking at what is possible" not in text(screen))
            await until(pilot, lambda: "was not read yet" not in text(screen))
        if subject == "runbook":
            await until(pilot, lambda: "procedures" in text(screen))
        if subject == "simulation":
            await until(pilot, lambda: "copy-fails" in text(screen))
            await pilot.press("enter")
            await until(pilot, lambda: "step 1 of" in text(screen))
            await pilot.press("right", "right")
        await pilot.pause()
        drawn = screen_text(screen)
    assert len(drawn.splitlines()) == 24
    _compare(drawn, f"{name.replace('/', '-')}-{subject}")


def _compare(drawn: str, name: str) -> None:
    kept = _FOLDER / f"{name}.txt"
    if os.environ.get(_WRITE) == "1":
        _FOLDER.mkdir(exist_ok=True)
        kept.write_text(drawn)
    assert drawn == kept.read_text(), f"if this is meant, run it with {_WRITE}=1 and look at it"
