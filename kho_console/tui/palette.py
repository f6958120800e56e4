"""The palette: all commands of the table, also those that work on another screen only."""

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from kho_console.tui import commands
from kho_console.tui.commands import Command
from kho_console.tui.keymap import table_of
from kho_console.tui.section import Section


class TableCommands(Provider):
    """Finds commands by their title."""

    def _commands(self) -> list[Command]:
        """Screens first, then the commands of the screen below, those of others, and moving."""
        table = table_of(self.app)
        here = commands.available(self._subject, table)

        def place(item: Command) -> int:
            if item.id in commands.SCREENS:
                return 0
            if item.screens == commands.SCREENS:
                return 3
            return 1 if item in here else 2

        return sorted((*here, *(item for item in table if item not in here)), key=place)

    @property
    def _subject(self) -> str:
        return self.screen.subject if isinstance(self.screen, Section) else ""

    async def discover(self) -> Hits:
        """All of them."""
        for item in self._commands():
            yield DiscoveryHit(self._title(item), partial(self._run, item), help=item.help)

    async def search(self, query: str) -> Hits:
        """Those whose title matches."""
        matcher = self.matcher(query)
        for item in self._commands():
            score = matcher.match(self._title(item))
            if score > 0:
                shown = matcher.highlight(self._title(item))
                yield Hit(score, shown, partial(self._run, item), help=item.help)

    def _title(self, item: Command) -> str:
        """Its title, with the screen to go to first where it does not work here."""
        away = self._away(item)
        place = f" on {away.capitalize()}" if away else ""
        return f"{item.title}{place} ({' '.join(item.signs)})"

    def _away(self, item: Command) -> str:
        """The screen to go to for a command; empty where it works here."""
        return item.screens[0] if item.screens and self._subject not in item.screens else ""

    async def _run(self, item: Command) -> None:
        if away := self._away(item):
            await self.app.run_action(f"section('{away}')", self.app)
        await self.app.run_action(item.action, self.app.screen if item.screens else self.app)
