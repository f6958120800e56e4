"""The bottom line: the keys that work here, or what was just done."""

from kho_console.tui import commands
from kho_console.tui.rows import Row, plain, row
from kho_console.tui.widgets.painted import Panel

_ALWAYS = 2
"""The last commands of a bottom line are how to get help and how to leave: they always fit."""


class Keys(Panel):
    """Shows the commands of a screen, as many as there is room for.

    Attributes:
        notice: What is said in place of them, from the next drawing on; empty for nothing.
    """

    notice = ""

    def show_for(self, screen: str, width: int) -> None:
        """Show the keys of a screen, or the notice while there is one."""
        self.show([_notice(self.notice) if self.notice else keys(screen, width)])


def keys(screen: str, width: int) -> Row:
    """The bottom line of a screen."""
    gap = " " if screen == commands.SECTIONS[0] else "  "
    items = [
        row((f"{gap}{signs}", "strong"), (f" {word}", "dim"))
        for signs, word in commands.bottom_line(screen)
    ]
    shown, last = items[:-_ALWAYS], items[-_ALWAYS:]
    while shown and _width(shown + last) > width:
        shown.pop()
    return tuple(piece for item in shown + last for piece in item)


def _width(items: list[Row]) -> int:
    return sum(len(plain(item)) for item in items)


def _notice(words: str) -> Row:
    return ((f" {words}", "info"),)
