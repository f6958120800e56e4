"""The bottom line: the keys that work here, or what was just done."""

from kho_console.tui import commands
from kho_console.tui.rows import Piece, Row
from kho_console.tui.widgets.painted import Panel


class Keys(Panel):
    """Shows the commands of a screen, as many as there is room for."""

    _notice = ""

    def show_for(self, screen: str, width: int) -> None:
        """Show the keys of a screen, or the notice while there is one."""
        self.show([_notice(self._notice) if self._notice else keys(screen, width)])

    def notice(self, words: str) -> None:
        """Say something in place of the keys, from the next drawing on; nothing to stop it."""
        self._notice = words


def keys(screen: str, width: int) -> Row:
    """The bottom line of a screen."""
    pieces: list[Piece] = []
    used = 1
    for signs, word in commands.bottom_line(screen):
        gap = " " if screen == commands.SECTIONS[0] else "  "
        item = f"{gap if pieces else ' '}{signs} {word}"
        if used + len(item) > width:
            break
        used += len(item)
        before = item[: len(item) - len(signs) - len(word) - 1]
        pieces += [(before + signs, "strong"), (f" {word}", "dim")]
    return tuple(pieces)


def _notice(words: str) -> Row:
    return ((f" {words}", "info"),)
