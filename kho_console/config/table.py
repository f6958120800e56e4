"""The one table of settings: files, environment, options, manual and completion come from it."""

import math
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from kho_console.config import places
from kho_console.config.settings import KEYMAPS, THEMES
from kho_console.model.value import dataclass

Value: TypeAlias = str | bool | float | Path | None

_SECONDS = (0.1, 3600.0)


class Form(StrEnum):
    """How an option of the command line gives a setting."""

    WORD = "word"
    SWITCH = "switch"
    SECONDS = "seconds"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that can be set.

    Attributes:
        name: Its key in a file, its field in `Settings`, and its option with `--` before it.
        form: How an option gives it.
        about: What it does, for help and manual.
        expected: What its values are, in words.
        of_value: Its value from what TOML has; raises ValueError where that is none.
        of_word: Its value from a word of the environment or of an option; raises ValueError.
        variable: The environment variable that sets it; empty for none.
        choices: The words that it takes; none where these are not listed.
    """

    name: str
    form: Form
    about: str
    expected: str
    of_value: Callable[[object], Value]
    of_word: Callable[[str], Value]
    variable: str = ""
    choices: tuple[str, ...] = ()


def _choice(name: str, choices: tuple[str, ...], about: str, variable: str = "") -> Setting:
    def of_value(found: object) -> Value:
        if isinstance(found, str) and found in choices:
            return found
        raise ValueError

    expected = f"one of {', '.join(choices)}"
    return Setting(name, Form.WORD, about, expected, of_value, of_value, variable, choices)


def _switch(name: str, about: str, variable: str = "") -> Setting:
    return Setting(name, Form.SWITCH, about, "true or false", _truth, bool, variable)


def _truth(found: object) -> bool:
    if isinstance(found, bool):
        return found
    raise ValueError


def _seconds(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError
    least, most = _SECONDS
    if math.isnan(found) or not least <= found <= most:
        raise ValueError
    return float(found)


def _log_of_value(found: object) -> Path | None:
    if isinstance(found, bool):
        return places.log_file() if found else None
    # Relative to which folder nobody could tell: the console starts in any.
    if isinstance(found, str) and found.startswith(("/", "~/")) and "\0" not in found:
        return Path(found).expanduser()
    raise ValueError


def _log_of_word(word: str) -> Path:
    if not word or "\0" in word:
        raise ValueError
    return Path(word).absolute()


SETTINGS = (
    _choice("theme", THEMES, "the colours of the screen", "KHO_CONSOLE_THEME"),
    # https://no-color.org: whatever it holds, as long as it holds something.
    _switch("mono", "no colour at all", "NO_COLOR"),
    _switch("ascii", "draw with ASCII characters only"),
    _switch("mouse", "let the terminal report the mouse"),
    _switch("plain", "talk line by line in place of a screen, for serial lines and braille"),
    Setting(
        "interval", Form.SECONDS, "time between two looks at a live machine",
        "seconds from 0.1 to 3600", _seconds, lambda word: _seconds(float(word)),
    ),
    _choice("keymap", KEYMAPS, "which keys there are: vi adds those of vi to the usual ones"),
    Setting(
        "log", Form.FILE, "keep a log in this file",
        "true, false, or a file's path from / or ~/", _log_of_value, _log_of_word,
        "KHO_CONSOLE_LOG",
    ),
    _switch("debug", "log details too; without a file named, in the state folder of the user"),
)  # fmt: skip

KEYS = "keys"
"""The table of a file that gives commands their keys."""

KEYS_EXPECTED = "a key or a list of keys"


def keys_of_value(found: object) -> tuple[str, ...]:
    """The keys of a command from what TOML has.

    Raises:
        ValueError: It is neither a key nor a list of keys.
    """
    keys = [found] if isinstance(found, str) else found
    if not isinstance(keys, list) or not keys:
        raise ValueError
    if not all(isinstance(key, str) and key for key in keys):
        raise ValueError
    return tuple(keys)
