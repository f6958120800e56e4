"""The application: it keeps the latest view, and shows one section of it at a time."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import ClassVar

from rich.console import RenderableType
from textual import events
from textual.actions import ActionParseResult
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen

from kho_console import text
from kho_console.config.settings import Settings
from kho_console.engine.observer import Look, Observer, Source, View
from kho_console.resources import styles_folder
from kho_console.tui import commands, keymap
from kho_console.tui.changes import Changes
from kho_console.tui.ending import Ending
from kho_console.tui.filters import filters
from kho_console.tui.lookout import Answer, Failure, Lookout
from kho_console.tui.means import Means
from kho_console.tui.palette import TableCommands
from kho_console.tui.picking_up import PickingUp
from kho_console.tui.section import Section
from kho_console.tui.terminal import Terminal
from kho_console.tui.themes import THEMES
from kho_console.tui.walking import Stood, Walking
from kho_console.tui.widgets.banner import Condition
from kho_console.tui.widgets.prompt import Prompt

_SLOW_LOOKS = 60.0
"""Seconds at least between two looks by the timer that walk maps and processes."""

_FRAME_WRITTEN = 0.01
"""Seconds in which the thread that writes the first frame has done so, if it has no rival."""

_DEFAULTS = Settings()

_COLLECTED = (5_000, 20, 50)
"""How many objects come before garbage is collected, and how many times before older ones are gone
through as well: that takes tens of milliseconds, and few keys are to meet one."""

_log = logging.getLogger(__name__)


def _section(name: str) -> Section:
    """A section by its name; its module is loaded when it is asked for the first time."""
    module = import_module(f"kho_console.tui.screens.{name}")
    found: type[Section] = getattr(module, name.capitalize())
    return found()


def run(source: Source, settings: Settings, means: Means | None = None) -> int:
    """Show a source on the terminal until the operator leaves; the exit code.

    Args:
        source: The machine.
        settings: How it looks, and what it writes.
        means: What it takes to change the machine; None where it is only looked at.

    Raises:
        Exception: Something broke; the terminal is given back before.
    """
    console = KhoConsole(Observer(source), settings=settings, means=means)
    with Ending(console.leave_soon) as ending:
        console.terminal_lost = ending.hang_up  # type: ignore[method-assign]
        answer = console.run(mouse=settings.mouse)
    if console.failure is not None:
        raise console.failure
    return answer or 0


class Observed(Message):
    """A look has ended: with a view, or with a failure."""

    def __init__(self, answer: Answer) -> None:
        """Carry an answer to the screen."""
        super().__init__()
        self.answer = answer

    def can_replace(self, message: Message) -> bool:
        """A newer view makes one that still waits needless."""
        return isinstance(message, Observed) and isinstance(self.answer, View)


class KhoConsole(PickingUp, inherit_bindings=False):
    """The console on a terminal.

    Attributes:
        view: The latest view; None before the first look has ended.
        settings: How it looks, and what it writes.
        sections_shown: The sections that were shown, the present one last.
    """

    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {TableCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*commands.bindings()]
    SCREENS: ClassVar[dict[str, Callable[[], Screen[None]]]] = {
        name: partial(_section, name) for name in commands.SCREENS
    }
    AUTO_FOCUS = ""
    TITLE = "kho-console"

    def __init__(
        self,
        observer: Observer,
        *,
        settings: Settings = _DEFAULTS,
        means: Means | None = None,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the console.

        Args:
            observer: What looks at the machine.
            settings: How it looks, how often it reads.
            means: What it takes to change the machine; None where it is only looked at.
            patience: Seconds after which a look counts as late.
            clock: The console's own monotonic seconds.
        """
        folder = styles_folder()
        super().__init__(
            driver_class=Terminal,
            css_path=[folder / f"{name}.tcss" for name in _styles(settings)],
        )
        self.animation_level = "none"
        self.no_color = settings.mono
        self._line_filters = filters(settings, self.console.color_system)
        theme = THEMES[settings.theme]
        self.register_theme(theme)
        self.theme = theme.name
        self.command_table = keymap.applied(settings.keys, settings.keymap)
        self.set_keymap(keymap.rebound(self.command_table))
        self.view: View | None = None
        self.settings = settings
        self._identity = observer.identity
        self._live = observer.live
        means = means or Means(observer.source, refusal="the console was opened to look only")
        self.changes = Changes(self, means, observer.turn, self._changed)
        self._interval = settings.interval
        self._patience = patience
        self._clock = clock
        self._lookout = Lookout(observer, self._deliver, clock)
        self.walking = Walking(self, observer, self._stood, clock)
        self._failed = False
        self._looked_slowly = clock()
        self.sections_shown: list[str] = [commands.SECTIONS[0]]
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._leaving: int | None = None
        self._warned = False

    @property
    def failure(self) -> Exception | None:
        """What ended the console unasked."""
        return self._exception

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See `App.get_line_filters`; the settings have the last word, not the environment."""
        return self._line_filters

    def get_default_screen(self) -> Screen[None]:
        """See `App.get_default_screen`; an empty one below the first would be drawn for nothing."""
        return self.get_screen(commands.SECTIONS[0])

    def panic(self, *renderables: RenderableType) -> None:
        """End; whoever called `run` gets the failure and says it."""
        self._fatal_error()

    def _handle_exception(self, error: Exception) -> None:
        if not self._exit:
            super()._handle_exception(error)
            return
        # Whoever still draws while screens are taken down finds no widgets: that is no failure.
        _log.debug("%s while leaving", type(error).__name__, exc_info=error)
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        # The framework's own would print a traceback with all that the machine handed us.
        self._close_messages_no_wait()

    async def on_mount(self) -> None:
        """Start to look."""
        self._own_loop = asyncio.get_running_loop()
        self.app_resume_signal.subscribe(self, self._draw_again)
        # Not before the first frame: reading and drawing would take turns, and both come later.
        self.call_after_refresh(self.set_timer, _FRAME_WRITTEN, self._begin)
        self.set_interval(self._interval, self.tick)
        self._tell()
        if self._leaving is not None:
            self.exit(self._leaving)

    def on_unmount(self) -> None:
        """Let the threads go, and the lock of the machine."""
        self._lookout.stop()
        self.changes.close()

    def tick(self) -> None:
        """Ask a live machine for a look, and show how late one is."""
        if self._live and not self._lookout.paused:
            due = self._clock() - self._looked_slowly >= _SLOW_LOOKS
            if due:
                self._looked_slowly = self._clock()
            self._lookout.ask(Look.SLOW if due else Look.LIGHT)
        self._tell()

    def on_key(self, event: events.Key) -> None:
        """Take keys that no binding of a screen would get.

        Of keys that come in one go, those behind the one that opens a prompt belong into it.
        Below the palette the application has no bindings: what leaves everywhere leaves there too.
        """
        if not isinstance(self.screen, Section):
            if not event.is_printable and event.key in self._leaving_keys():
                event.prevent_default()
                self.action_leave()
            return
        if not event.is_printable:
            return
        prompt = self.screen.query_one(Prompt)
        if prompt.asking and event.character:
            event.stop()
            event.prevent_default()
            prompt.insert(event.character)

    def on_observed(self, message: Observed) -> None:
        """Take the answer of a look."""
        answer = message.answer
        self._failed = isinstance(answer, Failure)
        if isinstance(answer, View):
            first, self.view = self.view is None, self.walking.took(answer)
            if first:
                # It stays as long as the screen: a key is not to wait for it to be gone through.
                gc.freeze()
                self.announce()
        self._tell()
        if isinstance(answer, Failure) and isinstance(self.screen, Section):
            self.screen.say(f"x {text.escaped(answer.reason)}")

    def condition(self) -> Condition:
        """How the console stands, for the top line."""
        busy = self._lookout.busy_for
        late = busy is not None and busy > self._patience
        age = None
        if late and busy is not None:
            age = int(busy if self.view is None else self._clock() - self.view.taken)
        return Condition(
            kind=self._identity[0],
            name=self._identity[1],
            mode=self.changes.mode,
            others=self.changes.others,
            paused=self._lookout.paused,
            stale=age,
            reading=self.view is None and busy is not None,
            failed=self._failed,
            position=self.walking.position if self.walking.shown else None,
            landmarks=self.walking.landmarks,
        )

    def leave_soon(self, code: int) -> None:
        """Leave from a signal handler or another thread: the terminal is given back first."""
        self._leaving = code
        if self._own_loop is not None:
            with suppress(RuntimeError):
                self._own_loop.call_soon_threadsafe(self.exit, code)

    def terminal_lost(self) -> None:
        """Called by the driver, from a thread."""
        self.leave_soon(1)

    async def action_section(self, name: str) -> None:
        """Show a section."""
        if name != self.sections_shown[-1]:
            self.sections_shown = [*self.sections_shown[-20:], name]
            await self._switch(name)

    async def action_go_back(self) -> None:
        """Close what is open, else go to the section before."""
        screen = self.screen
        if not isinstance(screen, Section):
            return
        prompt = screen.query_one(Prompt)
        if prompt.asking:
            prompt.close()
        elif not screen.close_something() and len(self.sections_shown) > 1:
            self.sections_shown.pop()
            await self._switch(self.sections_shown[-1])

    def action_read_again(self) -> None:
        """Read everything again."""
        self._lookout.ask(Look.FULL)
        self._tell()

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """See `App.run_action`; the log tells what was asked for."""
        _log.debug("command %s", action)
        return await super().run_action(action, default_namespace, namespaces)

    def _leaving_keys(self) -> tuple[str, ...]:
        return next(item.keys for item in self.command_table if item.id == commands.QUIT)

    def action_leave(self) -> None:
        """Leave with exit code 0; a change that is being made is left alone only if asked twice."""
        if self.changes.doing and not self._warned and isinstance(self.screen, Section):
            self._warned = True
            self.screen.say(f"{self.changes.doing} ..: once more leaves without its end")
            return
        self.exit(0)

    def on_screen_resume(self) -> None:
        """Show the latest view on the screen that came up."""
        self._tell()

    async def _switch(self, name: str) -> None:
        """Bring up a section; the first one lies below all others."""
        above = len(self.screen_stack) > 1
        if name != commands.SECTIONS[0]:
            await (self.switch_screen(name) if above else self.push_screen(name))
        elif above:
            await self.pop_screen()
        self._tell()

    def _deliver(self, answer: Answer) -> None:
        """Called from a thread; after the end of the loop nobody listens any more."""
        self.changes.renew()
        if self._own_loop is not None:
            with suppress(RuntimeError):
                self._own_loop.call_soon_threadsafe(self.post_message, Observed(answer))

    def _stood(self, found: Stood | Failure) -> None:
        """Show the moment where a walk ended; a live machine is read while it is followed only."""
        if isinstance(found, Stood):
            self.view = found.view or self.view
            at = found.position.at
            self.changes.stand(found.source, at if self.walking.past else None)
            self.play_on(self.walking.playing)
            if self._live:
                self._lookout.pause(not self.walking.following)
        words = text.escaped(found.reason) if isinstance(found, Failure) else found.words
        self._tell()
        if words and isinstance(self.screen, Section):
            self.screen.say(words)

    def _changed(self, machine: bool) -> None:
        """Show what is new of the changes; where the machine may be another one, look at it."""
        if machine:
            if self.changes.last is not None:
                self.walking.did(self.changes.last.action.name)
            self._lookout.ask(Look.FULL)
        self._tell()
        for screen in self.screen_stack:
            if isinstance(screen, Section):
                screen.draw()

    def _begin(self) -> None:
        """Look, now that the first frame is there; and collect garbage from now on."""
        gc.freeze()
        gc.set_threshold(*_COLLECTED)
        gc.enable()
        self._lookout.start()

    def _draw_again(self, _: object) -> None:
        """Draw all of the screen: while the program was stopped, others wrote over it."""
        self.screen.refresh()

    def _tell(self) -> None:
        """Give the screen on top the latest view."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Section):
                screen.receive(self.view, self.condition())
                return


def _styles(settings: Settings) -> tuple[str, ...]:
    """The style sheets, overlays last."""
    overlays = (("mono", settings.mono), ("ascii", settings.ascii))
    return ("base", "blobs", "dialogs", *(name for name, wanted in overlays if wanted))
