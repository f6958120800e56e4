"""Run as a program: pictures of every screen in every look and size, for people to look at."""

import argparse
import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from textual.pilot import Pilot

from kho_console.config.settings import THEMES, Settings
from kho_console.engine.actions.perform import Writer
from kho_console.engine.observer import Observer
from kho_console.engine.opening import rehearse
from kho_console.source.fixture import FixtureSource
from kho_console.tui import commands
from kho_console.tui.app import KhoConsole
from kho_console.tui.means import Means, Mode
from tests.pilot.machines import NEVER, open_screen, seen
from tests.recordings import folder

KEY_NAMES = {":": "colon", ".": "full_stop", "-": "minus"}
SIZES = ((80, 24), (120, 40), (40, 15))
LOOKS = {
    **{theme: Settings(theme=theme, interval=NEVER) for theme in THEMES},
    "mono": Settings(mono=True, interval=NEVER),
    "ascii": Settings(ascii=True, interval=NEVER),
}


async def draw(recording: str, look: str, size: tuple[int, int], target: Path) -> list[Path]:
    """Write all screens in one look and size; the files."""
    app = KhoConsole(Observer(FixtureSource(folder(recording))), settings=LOOKS[look])
    written = []
    async with app.run_test(size=size) as pilot:
        await seen(pilot)
        for name in commands.SCREENS:
            await app.run_action(f"section('{name}')", app)
            await seen(pilot)
            if name == commands.SIMULATION:
                await settled(pilot)
                await pilot.press("enter")
                await settled(pilot)
            written.append(_picture(app, target, name, look, size))
    return [*written, *await draw_dialogs(recording, look, size, target)]


async def draw_dialogs(
    recording: str, look: str, size: tuple[int, int], target: Path
) -> list[Path]:
    """Write what a twin of the recording is asked, step by step, in one look and size; the files.

    An image is checked and loaded, and the handover goes to it.
    """
    source = rehearse(FixtureSource(folder(recording)))
    means = Means(source, Mode.TWIN, Writer())
    app = KhoConsole(Observer(source), settings=LOOKS[look], means=means)
    release = source.facts().release
    written = []
    async with app.run_test(size=size) as pilot:
        await open_screen(pilot, "6")
        for name, keys in (
            ("image", ("l", *f"twin:{release}", "enter", "enter", "enter", "tab", "tab", "enter")),
            ("load", ("tab", "enter")),
            ("loaded", ("tab", "enter")),
            ("handover-loaded", ("enter",)),
            ("execute", ("x",)),
            ("executed", ("tab", "enter")),
            ("handover-executed", ("enter",)),
        ):
            await pilot.press(*(KEY_NAMES.get(key, key) for key in keys))
            await settled(pilot)
            written.append(_picture(app, target, name, look, size))
    return written


async def settled(pilot: Pilot[int]) -> None:
    """Until nothing is being read or worked out any more."""
    for _ in range(30):
        await pilot.pause(0.05)


def _picture(app: KhoConsole, target: Path, name: str, look: str, size: tuple[int, int]) -> Path:
    path = target / f"{name}-{size[0]}x{size[1]}-{look}.svg"
    svg = app.export_screenshot(title=f"{name} {look}")
    # Without it a converter drops the blanks that a piece of a line begins with.
    path.write_text(svg.replace("<text ", '<text xml:space="preserve" '), encoding="utf-8")
    return path


def main() -> None:
    """Draw what the options ask for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("target", type=Path, help="the folder to write to")
    options.add_argument("--recording", default="linux-7.3.4/ready")
    options.add_argument("--look", choices=tuple(LOOKS), action="append")
    wanted = options.parse_args()
    wanted.target.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    converter = shutil.which("rsvg-convert")
    if converter is None:
        print("rsvg-convert is missing (Debian: librsvg2-bin): SVG only")
    for look in wanted.look or LOOKS:
        for size in SIZES:
            pictures = asyncio.run(draw(wanted.recording, look, size, wanted.target))
            if converter is not None:
                for picture in pictures:
                    command = [
                        converter,
                        str(picture),
                        "--output",
                        str(picture.with_suffix(".png")),
                    ]
                    subprocess.run(command, check=True, timeout=60)
            print(f"{look} {size[0]}x{size[1]}: {len(pictures)} screens in {wanted.target}")


if __name__ == "__main__":
    main()
