"""All screens of the console, drawn without a terminal by one application that stays up."""

import asyncio
import atexit
from contextlib import suppress
from functools import cache

from kho_console.engine.observer import Observer, View
from kho_console.source.fixture import FixtureSource
from kho_console.tui import commands
from kho_console.tui.app import KhoConsole
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Painted
from tests.fuzz import shown
from tests.recordings import folder

_SIZE = (80, 24)
_MOST_STEPS = 5
_TURNS = 4
"""Turns of the loop in which messages are handled that drawing has sent."""


def drawn(view: View) -> None:
    """Draw a view on every screen, and walk through the list of each.

    An application that something broke in is not used again.
    """
    try:
        _application().draw(view)
    except BaseException:
        close()
        raise


def close() -> None:
    """Let the application go, if there is one."""
    if _application.cache_info().currsize:
        _application().close()
        _application.cache_clear()


class Application:
    """The console, and the loop that it lives in."""

    def __init__(self) -> None:
        self._app = KhoConsole(Observer(FixtureSource(folder("linux-7.3.4/sessions"))))
        self._runner = asyncio.Runner()
        self._test = self._app.run_test(size=_SIZE)
        self._sections: list[Section] = []
        self._runner.run(self._start())

    def draw(self, view: View) -> None:
        """See `drawn`."""
        self._runner.run(self._draw(view))

    def close(self) -> None:
        """End it; whatever broke it was raised before."""
        with suppress(Exception):
            self._runner.run(self._test.__aexit__(None, None, None))
        self._runner.close()

    async def _start(self) -> None:
        """Show every screen once, so that all of them stand ready."""
        pilot = await self._test.__aenter__()
        for name in commands.SECTIONS:
            await self._app.action_section(name)
            await pilot.pause()
            assert isinstance(self._app.screen, Section)
            self._sections.append(self._app.screen)

    async def _draw(self, view: View) -> None:
        """All of it happens at once, before the application's own tasks have their turn."""
        self._app.view = view
        for section in self._sections:
            section.receive(view, self._app.condition())
            _painted(section)
            for _ in range(_MOST_STEPS):
                section.action_move(1)
            lines = section.lines()
            if lines is not None:
                # The message that a list sends waits for its turn: what it leads to is drawn here.
                section.draw()
            _painted(section)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if self._app.failure is not None:
            raise self._app.failure


@cache
def _application() -> Application:
    atexit.register(close)
    return Application()


def _painted(section: Section) -> None:
    for widget in section.query(Painted):
        rows = widget.size.height if isinstance(widget, Lines) else len(_rows(widget))
        for y in range(rows):
            shown.clean(widget.render_line(y).text)


def _rows(widget: Painted) -> list[str]:
    text = getattr(widget, "text", "")
    return text.splitlines() if isinstance(text, str) else []
