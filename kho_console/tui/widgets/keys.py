"""The bottom line: the keys that work here, or what was just done."""

from collections.abc import Mapping
from dataclasses import replace

from textual import events

from kho_console.tui import commands
from kho_console.tui.commands import COMMANDS, Command
from kho_console.tui.keymap import table_of
from kho_console.tui.rows import Row, plain, row
from kho_console.tui.widgets.painted import Panel

_ALWAYS = 2
"""The last commands of a bottom line are how to get help and how to leave: they always fit."""


class Keys(Panel):
    """Shows the commands of a screen, as many as there is room for.

    Attributes:
        notice: What is said in place of them, from the next drawing on; empty for nothing.
        called: Words of commands, by their id, that the machine shown has another word for.
    """

    notice = ""
    called: Mapping[str, str] = {}
    _subject = ""

    def show_for(self, screen: str, width: int) -> None:
        """Show the keys of a screen, or the notice while there is one."""
        self._subject = screen
        shown = keys(screen, width, self._table())
        self.show([_notice(self.notice) if self.notice else shown])

    async def on_click(self, event: events.Click) -> None:
        """Do what the key stands for that the mouse points at."""
        if self.notice:
            self.notice = ""
            self.show_for(self._subject, self.size.width)
            return
        shown = keys(self._subject, self.size.width, self._table())
        sign = sign_at(shown, event.x)
        for item in commands.available(self._subject, table_of(self.app)):
            if sign in item.signs:
                await self.app.run_action(item.action, self.screen if item.screens else self.app)
                return

    def _table(self) -> tuple[Command, ...]:
        return tuple(
            replace(item, short=self.called[item.id]) if item.id in self.called else item
            for item in table_of(self.app)
        )


def keys(screen: str, width: int, table: tuple[Command, ...] = COMMANDS) -> Row:
    """The bottom line of a screen."""
    gap = " " if screen == commands.SECTIONS[0] else "  "
    items = [
        row((f"{gap}{signs}", "strong"), (f" {word}", "dim"))
        for signs, word in commands.bottom_line(screen, table)
    ]
    shown, last = items[:-_ALWAYS], items[-_ALWAYS:]
    while shown and _width(shown + last) > width:
        shown.pop()
    return tuple(piece for item in shown + last for piece in item)


def sign_at(found: Row, x: int) -> str:
    """The key that stands at a column of a bottom line, for a word its first one; else nothing."""
    left = 0
    for signs, word in zip(found[::2], found[1::2], strict=True):
        here = x - left
        left += len(signs[0]) + len(word[0])
        if x < left:
            return _key_at(signs[0], here)
    return ""


def _key_at(signs: str, x: int) -> str:
    first = signs.split()[0]
    if x >= len(signs) or signs[x] == " ":
        return first
    start = signs.rfind(" ", 0, x) + 1
    token = signs[start:].split()[0]
    # Neighbouring screens are written as one: `1-5`.
    if len(token) == 3 and token[1] == "-":
        return token[0] if signs[x] == "-" else signs[x]
    return token


def _width(items: list[Row]) -> int:
    return sum(len(plain(item)) for item in items)


def _notice(words: str) -> Row:
    return ((f" {words}", "info"),)
