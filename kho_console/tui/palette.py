"""The palette: the commands of the table that work on the screen below it."""

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from kho_console.tui import commands
from kho_console.tui.commands import Command
from kho_console.tui.section import Section


class TableCommands(Provider):
    """Finds commands by their title."""

    def _commands(self) -> tuple[Command, ...]:
        screen = self.screen
        return commands.available(screen.subject if isinstance(screen, Section) else "")

    async def discover(self) -> Hits:
        """All of them."""
        for item in self._commands():
            yield DiscoveryHit(_title(item), partial(self._run, item), help=item.help)

    async def search(self, query: str) -> Hits:
        """Those whose title matches."""
        matcher = self.matcher(query)
        for item in self._commands():
            score = matcher.match(_title(item))
            if score > 0:
                shown = matcher.highlight(_title(item))
                yield Hit(score, shown, partial(self._run, item), help=item.help)

    async def _run(self, item: Command) -> None:
        await self.app.run_action(item.action, self.screen if item.screens else self.app)


def _title(item: Command) -> str:
    return f"{item.title} ({' '.join(item.signs)})"
