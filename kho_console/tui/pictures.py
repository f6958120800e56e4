"""Pictures of the screen, written to the user's state folder and nowhere else."""

import os
from itertools import count
from pathlib import Path


def state_folder() -> Path:
    """`$XDG_STATE_HOME/kho-console`, or its default place."""
    given = os.environ.get("XDG_STATE_HOME", "")
    base = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return base / "kho-console"


def write_picture(name: str, svg: str) -> Path:
    """Write a picture under the first free name, `overview-1.svg`, and answer its path.

    Raises:
        OSError: It cannot be written.
    """
    folder = state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in count(1):
        path = folder / f"{name}-{number}.svg"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(svg)
        except FileExistsError:
            continue
        return path
    raise AssertionError
