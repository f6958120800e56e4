"""What is done to each line before it goes out: for terminals with few colours or few letters."""

import unicodedata
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from kho_console.config.settings import Settings
from kho_console.tui.terminal import plain_terminal

_BLACK, _GREY, _DARK_GREY = 0, 7, 8
_DARK_ENOUGH = (1, 4, 5)
"""Red, blue and magenta: green, brown and cyan cannot be read on light grey."""

_SIGNS = str.maketrans(
    {
        "·": "-",
        "…": "~",
        "→": ">",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "▸": "+",
        "▾": "-",
        "░": ".",
        "▒": "%",
    }
)


def filters(settings: Settings, colour_system: str | None) -> tuple[LineFilter, ...]:
    """What the settings ask for, on a terminal whose colours Rich names `colour_system`."""
    found: list[LineFilter] = []
    if settings.mono:
        found.append(WithoutColours())
    elif colour_system == "standard" or plain_terminal():
        found.append(SixteenColours())
    if settings.ascii:
        found.append(AsciiSigns())
    return tuple(found)


class WithoutColours(LineFilter):
    """Takes every colour away; bold, underlined and reversed stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            Segment(text, style and style.without_color, control)
            for text, style, control in segments
        ]


class SixteenColours(LineFilter):
    """Foregrounds in sixteen colours, backgrounds in the eight that every such terminal has."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            Segment(text, style and _sixteen(style), control) for text, style, control in segments
        ]


class AsciiSigns(LineFilter):
    """Draws every sign with ASCII characters, as many columns wide."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            segment if segment.text.isascii() else Segment(ascii_signs(segment.text), *segment[1:])
            for segment in segments
        ]


@lru_cache(512)
def ascii_signs(words: str) -> str:
    """Words with an ASCII character for each sign; `?` for a letter that has none."""
    return "".join(map(_ascii, words.translate(_SIGNS)))


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    name = unicodedata.name(letter, "")
    if name.startswith("BOX DRAWINGS"):
        if " AND " in name:
            return "+"
        return "|" if "VERTICAL" in name else "-"
    if name.endswith("BLOCK"):
        return "#"
    if unicodedata.combining(letter):
        return ""
    return "??" if unicodedata.east_asian_width(letter) in "WF" else "?"


@lru_cache(1024)
def _sixteen(style: Style) -> Style:
    under = None if style.bgcolor is None else _number(style.bgcolor)
    # The bright half of the colours is missing among backgrounds: white turns into light grey,
    # dark grey into black.
    if under is not None and under >= _DARK_GREY:
        under -= 8
    letters = None if style.color is None else _number(style.color)
    if letters is not None and under is not None:
        letters = _readable(letters, under)
    return style + Style(color=_colour(letters), bgcolor=_colour(under))


def _readable(letters: int, under: int) -> int:
    """A foreground that can be told from the background, in palettes as they usually are."""
    if under == _GREY:
        return letters if letters in _DARK_ENOUGH else _BLACK
    if letters == under or (under == _BLACK and letters == _DARK_GREY):
        return _GREY
    return letters


def _number(colour: RichColor) -> int | None:
    return colour.downgrade(ColorSystem.STANDARD).number


def _colour(number: int | None) -> RichColor | None:
    return None if number is None else RichColor.parse(f"color({number})")
