"""The settings of the console, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

THEMES = ("dark", "light", "high-contrast")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set.

    Attributes:
        theme: One of `THEMES`.
        mono: No colour code at all; the theme does not count then.
        ascii: Draw with ASCII characters only.
        mouse: Whether the terminal is asked for mouse events.
        interval: Seconds between two looks at a live machine.
        keys: For the id of a command its keys, as Textual names them, in place of its own ones.
        log: A file for the log; None for no log.
        debug: Log details too.
    """

    theme: str = "dark"
    mono: bool = False
    ascii: bool = False
    mouse: bool = True
    interval: float = 2.0
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    log: Path | None = None
    debug: bool = False
