"""The settings of the console, as one value."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from kho_console.model.value import dataclass

THEMES = ("dark", "light", "high-contrast")

KEYMAPS = ("default", "vi")
"""The keys of `vi` are added to those of `default`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set.

    Attributes:
        theme: One of `THEMES`.
        mono: No colour code at all; the theme does not count then.
        ascii: Draw with ASCII characters only.
        plain: Talk line by line, in place of a screen.
        mouse: Whether the terminal is asked for mouse events.
        interval: Seconds between two looks at a live machine.
        keymap: One of `KEYMAPS`.
        keys: For the id of a command its keys, as Textual names them, in place of its own ones.
        log: A file for the log; None for no log.
        debug: Log details too.
        files: The files that some of this was read from.
    """

    theme: str = "dark"
    mono: bool = False
    ascii: bool = False
    plain: bool = False
    mouse: bool = True
    interval: float = 2.0
    keymap: str = "default"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    log: Path | None = None
    debug: bool = False
    files: tuple[Path, ...] = ()
