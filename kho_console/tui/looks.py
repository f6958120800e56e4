"""How words look: one table, in the colours of a theme or without any.

The style sheets say how widgets look. Looks of words are no component classes of theirs: two dozen
rules to read, and to work out for each screen, are what the first frame would wait for.
"""

from collections.abc import Mapping
from functools import lru_cache

from rich.style import Style

from kho_console.model.value import dataclass
from kho_console.tui.themes import THEMES


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    Attributes:
        colour: Of the letters, by the theme's name for it; empty for that of the widget.
        behind: Of what is behind them, likewise.
        style: What else, as `bold`.
        mono: What it is without colours.
    """

    colour: str = ""
    behind: str = ""
    style: str = ""
    mono: str = ""


def _letter(letter: str, style: str = "", mono: str = "") -> Look:
    return Look(f"letter-{letter}", "", style, mono or style)


LOOKS: Mapping[str, Look] = {
    "dim": Look("dim"),
    "strong": Look(style="bold", mono="bold"),
    "good": Look("success", style="bold", mono="bold"),
    "warning": Look("warning", mono="bold"),
    "error": Look("error", style="bold", mono="bold"),
    "info": Look("primary", mono="bold"),
    "cursor": Look("cursor-text", "cursor", "bold", "reverse"),
    "mark": Look("mark-text", "mark", "bold", "underline"),
    "address": Look("address"),
    "rule": Look("line"),
    "letter-s": _letter("s", mono="bold"),
    "letter-p": _letter("p", "bold"),
    "letter-C": _letter("C", mono="underline"),
    "letter-R": _letter("R"),
    "letter-hole": _letter("hole"),
    "letter-t": _letter("t", "bold"),
    "letter-k": _letter("k", "bold"),
    "letter-f": _letter("f", "bold"),
    "letter-l": _letter("l", "bold"),
    "letter-v": _letter("v", "bold"),
    "letter-b": _letter("b", "bold"),
    "letter-n": _letter("n", "bold"),
    "letter-r": _letter("r", "bold"),
    "letter-m": _letter("m", "bold"),
    "letter-u": _letter("u"),
}
"""Every look that a row may have; an empty word is plain text."""


@lru_cache(maxsize=8)
def styles(theme: str, mono: bool) -> Mapping[str, Style]:
    """The style of each look.

    Args:
        theme: `Theme.name`.
        mono: Whether there are no colours.
    """
    if mono:
        return {name: Style.parse(look.mono) for name, look in LOOKS.items()}
    colours = _colours(theme)
    return {
        name: Style.parse(look.style)
        + Style(color=colours.get(look.colour), bgcolor=colours.get(look.behind))
        for name, look in LOOKS.items()
    }


def _colours(name: str) -> dict[str, str | None]:
    found = next((theme for theme in THEMES.values() if theme.name == name), THEMES["dark"])
    own = {word: getattr(found, word) for word in ("primary", "success", "warning", "error")}
    return {**own, **found.variables}
