"""The application: it keeps the latest view, and shows one section of it at a time."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.theme import Theme

from kho_console import text
from kho_console.engine.observer import Observer, Source, View
from kho_console.resources import styles_folder
from kho_console.tui import commands
from kho_console.tui.lookout import Answer, Failure, Lookout
from kho_console.tui.palette import TableCommands
from kho_console.tui.pictures import write_picture
from kho_console.tui.screens.blobs import Blobs
from kho_console.tui.screens.doctor import Doctor
from kho_console.tui.screens.findings import Findings
from kho_console.tui.screens.help import Help
from kho_console.tui.screens.overview import Overview
from kho_console.tui.screens.preserved import Preserved
from kho_console.tui.screens.scratch import Scratch
from kho_console.tui.screens.sessions import Sessions
from kho_console.tui.section import Section
from kho_console.tui.widgets.banner import Condition
from kho_console.tui.widgets.prompt import Prompt

_LIGHT_LOOKS = 30
"""Every so many light looks one is full: each minute at 2 s."""

_SECTIONS: tuple[type[Section], ...] = (
    Overview, Scratch, Blobs, Preserved, Sessions, Findings, Doctor, Help,
)  # fmt: skip

# With sixteen colours these become white on black, bright cyan, green, yellow and red.
_DARK = Theme(
    name="kho-dark",
    primary="#5fd7ff",
    secondary="#5f87af",
    accent="#87d7ff",
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    success="#5fd75f",
    warning="#ffd75f",
    error="#ff5f5f",
    dark=True,
)


def run(source: Source) -> int:
    """Show a source on the terminal until the operator leaves; the exit code."""
    console = KhoConsole(Observer(source))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda found, _: console.leave_soon(128 + found))
    answer = console.run()
    return (console.return_code or 0) if answer is None else answer


class Observed(Message):
    """A look has ended: with a view, or with a failure."""

    def __init__(self, answer: Answer) -> None:
        """Carry an answer to the screen."""
        super().__init__()
        self.answer = answer

    def can_replace(self, message: Message) -> bool:
        """A newer view makes one that still waits needless."""
        return isinstance(message, Observed) and isinstance(self.answer, View)


class KhoConsole(App[int], inherit_bindings=False):
    """The console on a terminal.

    Attributes:
        view: The latest view; None before the first look has ended.
    """

    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {TableCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*commands.bindings()]
    SCREENS: ClassVar[dict[str, Callable[[], Screen[None]]]] = {
        section.subject: section for section in _SECTIONS
    }
    AUTO_FOCUS = ""
    TITLE = "kho-console"

    def __init__(
        self,
        observer: Observer,
        *,
        mode: str = "R/O",
        interval: float = 2.0,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the console.

        Args:
            observer: What looks at the machine.
            mode: Whether the console may change it, for the top line.
            interval: Seconds between two looks at a live machine.
            patience: Seconds after which a look counts as late.
            clock: The console's own monotonic seconds.
        """
        folder = styles_folder()
        super().__init__(
            css_path=[folder / f"{name}.tcss" for name in ("base", *commands.SECTIONS)],
        )
        self.animation_level = "none"
        self.register_theme(_DARK)
        self.theme = _DARK.name
        self.view: View | None = None
        self._identity = observer.identity
        self._live = observer.live
        self._mode = mode
        self._interval = interval
        self._patience = patience
        self._clock = clock
        self._lookout = Lookout(observer, self._deliver, clock)
        self._failed = False
        self._light_looks = 0
        self._trail: list[str] = [commands.SECTIONS[0]]
        self._own_loop: asyncio.AbstractEventLoop | None = None

    async def on_mount(self) -> None:
        """Show the first screen and start to look."""
        self._own_loop = asyncio.get_running_loop()
        await self.push_screen(commands.SECTIONS[0])
        self._lookout.start()
        self.set_interval(self._interval, self.tick)
        self._tell()

    def on_unmount(self) -> None:
        """Let the threads go."""
        self._lookout.stop()

    def tick(self) -> None:
        """Ask a live machine for a look, and show how late one is."""
        if self._live and not self._lookout.paused:
            self._light_looks += 1
            self._lookout.ask(full=self._light_looks % _LIGHT_LOOKS == 0)
        self._tell()

    def on_observed(self, message: Observed) -> None:
        """Take the answer of a look."""
        answer = message.answer
        self._failed = isinstance(answer, Failure)
        if isinstance(answer, View):
            self.view = answer
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
            mode=self._mode,
            paused=self._lookout.paused,
            stale=age,
            reading=self.view is None and busy is not None,
            failed=self._failed,
        )

    def leave_soon(self, code: int) -> None:
        """Leave from a signal handler: the terminal is given back first."""
        if self._own_loop is not None:
            with suppress(RuntimeError):
                self._own_loop.call_soon_threadsafe(self.exit, code)

    async def action_section(self, name: str) -> None:
        """Show a section."""
        if name != self._trail[-1]:
            self._trail = [*self._trail[-20:], name]
            await self._switch(name)

    async def action_go_back(self) -> None:
        """Close what is open, else go to the section before."""
        screen = self.screen
        if not isinstance(screen, Section):
            return
        prompt = screen.query_one(Prompt)
        if prompt.asking:
            prompt.close()
        elif not screen.close_something() and len(self._trail) > 1:
            self._trail.pop()
            await self._switch(self._trail[-1])

    def action_read_again(self) -> None:
        """Read everything again."""
        self._lookout.ask(full=True)
        self._tell()

    def action_pause(self) -> None:
        """Stop reading by itself, or go on."""
        self._lookout.pause(not self._lookout.paused)
        self._tell()

    def action_picture(self) -> None:
        """Write the screen as a picture."""
        if not isinstance(self.screen, Section):
            return
        try:
            path = write_picture(self.screen.subject, self.export_screenshot())
        except OSError as error:
            self.screen.say(f"x no picture: {error}")
        else:
            self.screen.say(f"written: {path}")

    def action_leave(self) -> None:
        """Leave with exit code 0."""
        self.exit(0)

    def on_screen_resume(self) -> None:
        """Show the latest view on the screen that came up."""
        self._tell()

    async def _switch(self, name: str) -> None:
        await self.switch_screen(name)
        self._tell()

    def _deliver(self, answer: Answer) -> None:
        """Called from a thread; after the end of the loop nobody listens any more."""
        if self._own_loop is not None:
            with suppress(RuntimeError):
                self._own_loop.call_soon_threadsafe(self.post_message, Observed(answer))

    def _tell(self) -> None:
        """Give the screen on top the latest view."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Section):
                screen.receive(self.view, self.condition())
                return
