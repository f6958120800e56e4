"""What the terminal can show, as the environment tells it."""

import re
from collections.abc import Mapping
from dataclasses import replace

from kho_console.config.settings import Settings

_NO_CURSOR = ("", "dumb", "unknown")
_NO_COLOURS = re.compile(r"vt\d|.*-(m|mono)$")
"""Names of terminals without colours, where there is no terminfo to ask."""

_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python itself puts into LC_CTYPE where the locale is C."""


def suited(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings without what this terminal cannot show."""
    return replace(
        settings,
        mono=settings.mono or not has_colours(environment.get("TERM", "")),
        ascii=settings.ascii or not takes_utf8(environment),
    )


def lines_only(environment: Mapping[str, str]) -> bool:
    """Whether nothing can be drawn on it: its cursor cannot be moved."""
    return environment.get("TERM", "") in _NO_CURSOR


def takes_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8."""
    everything, letters, language = (
        environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")
    )
    if language in ("", "C", "POSIX") and letters in _COERCED:
        letters = ""
    locale = everything or letters or language
    return locale.upper().replace("-", "").partition("@")[0].endswith("UTF8")


def has_colours(terminal: str) -> bool:
    """Whether a terminal of this name has colours."""
    by_name = _NO_COLOURS.match(terminal) is None
    try:
        import curses
    except ImportError:
        return by_name
    try:
        curses.setupterm(terminal, 1)
    except curses.error:
        return by_name
    return curses.tigetnum("colors") >= 8
