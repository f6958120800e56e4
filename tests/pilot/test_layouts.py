"""How the screens that matter most are laid out, kept as text; data is asserted elsewhere.

`KHO_CONSOLE_WRITE_LAYOUTS=1` writes the files anew, to be looked at before they are kept.
"""

import os
from itertools import product
from pathlib import Path

import pytest

from kho_console.tui.exports import screen_text
from tests.pilot.machines import console, open_screen, text, until
from tests.pilot.test_screens import KEYS

_FOLDER = Path(__file__).parent / "layouts"
_WRITE = "KHO_CONSOLE_WRITE_LAYOUTS"


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        *product(
            ["linux-7.3.4/ready", "linux-6.18.15/finalized"],
            ["overview", "scratch", "blobs", "preserved", "handover", "crash"],
        ),
        ("linux-7.3.4/hotplugged", "crash"),
        ("linux-7.3.4/hotplugged", "simulation"),
    ],
)
async def test_layout(name: str, subject: str) -> None:
    async with console(name).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        if subject == "handover":
            await until(pilot, lambda: "looking at what is possible" not in text(screen))
            await until(pilot, lambda: "was not read yet" not in text(screen))
        if subject == "simulation":
            await until(pilot, lambda: "copy-fails" in text(screen))
            await pilot.press("enter")
            await until(pilot, lambda: "step 1 of" in text(screen))
            await pilot.press("right", "right")
        await pilot.pause()
        drawn = screen_text(screen)
    assert len(drawn.splitlines()) == 24
    kept = _FOLDER / f"{name.replace('/', '-')}-{subject}.txt"
    if os.environ.get(_WRITE) == "1":
        _FOLDER.mkdir(exist_ok=True)
        kept.write_text(drawn)
    assert drawn == kept.read_text(), f"if this is meant, run it with {_WRITE}=1 and look at it"
