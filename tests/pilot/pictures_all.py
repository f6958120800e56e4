"""Run as a program: pictures of every screen in every look and size, for people to look at."""

import argparse
import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from kho_console.config.settings import THEMES, Settings
from kho_console.engine.observer import Observer
from kho_console.source.fixture import FixtureSource
from kho_console.tui import commands
from kho_console.tui.app import KhoConsole
from tests.pilot.machines import NEVER, seen
from tests.recordings import folder

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
            path = target / f"{name}-{size[0]}x{size[1]}-{look}.svg"
            svg = app.export_screenshot(title=f"{name} {look}")
            # Without it a converter drops the blanks that a piece of a line begins with.
            path.write_text(svg.replace("<text ", '<text xml:space="preserve" '), encoding="utf-8")
            written.append(path)
    return written


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
