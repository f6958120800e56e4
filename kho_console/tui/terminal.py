"""The terminal that the console draws on: what it is sent, when it is lost, how it is given up."""

import os
import re
import select
import shutil
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Protocol, cast

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_PLAIN_TERMINAL = re.compile(r"linux|vt\d|ansi|cons\d|pcansi|sun|wy")
"""Names of terminals that know none of the extensions below, but may print parts of them."""

_EXTENSIONS = re.compile(
    r"\x1b\[[<>][0-9;]*u"  # the keyboard protocol
    r"|\x1b\[\?[0-9]+\$p"  # questions about modes
    r"|\x1b\]22;[^\x07]*\x07"  # the shape of the pointer
    r"|\x1b\[\?(?:1004|2004|2026|2048)[hl]"  # focus, paste, frames, size in band
)

_CLEAR = "\x1b[0m\x1b[2J\x1b[H"
_LEAVE = (
    b"\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
_LEAVE_PLAIN = b"\x1b[?7h\x1b[0m\x1b[2J\x1b[H\x1b[?1049l\x1b[?25h"
_STUCK = 0.1
"""Seconds that a terminal which takes nothing more is waited for."""

Attributes = list[Any]


def plain_terminal() -> bool:
    """Whether the terminal knows cursor and letters only: no mouse, none of the extensions."""
    return _PLAIN_TERMINAL.match(os.environ.get("TERM", "")) is not None


def attributes() -> Attributes | None:
    """How the terminal on standard input is set, None where there is none."""
    try:
        return termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]
    except (AttributeError, ValueError, termios.error):
        return None


def give_back(before: Attributes | None) -> None:
    """Give the terminal back without the framework, which may be stuck."""
    if before is None:
        return
    with suppress(OSError, termios.error):
        termios.tcsetattr(0, termios.TCSANOW, before)
    with suppress(OSError):
        if select.select([], [2], [], _STUCK)[1]:
            os.write(2, _LEAVE_PLAIN if plain_terminal() else _LEAVE)


class OnTerminal(Protocol):
    """An application that wants to know when its terminal is gone."""

    def terminal_lost(self) -> None:
        """Called from a thread, maybe more than once."""


class Outlet:
    """Standard error as long as the terminal is there; afterwards writing leads nowhere."""

    def __init__(self, file: IO[str], lost: Callable[[], None]) -> None:
        """Write to `file`; `lost` is called from the thread that writes."""
        self._file = file
        self._lost = lost

    def fileno(self) -> int:
        """See `IO.fileno`."""
        return self._file.fileno()

    def write(self, words: str) -> None:
        """Write, or find out that the terminal is gone."""
        try:
            self._file.write(words)
        except OSError:
            self._away()

    def flush(self) -> None:
        """Flush, or find out that the terminal is gone."""
        try:
            self._file.flush()
        except OSError:
            self._away()

    def _away(self) -> None:
        # What is still buffered would turn the exit code into 120 when Python flushes it.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)
        self._lost()


class Terminal(LinuxDriver):
    """Textual's driver, for terminals that are poor or hang up, and programs that are stopped.

    The application it draws is `OnTerminal`.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        """See `LinuxDriver`."""
        self._plain = plain_terminal()
        self._before = attributes()
        self._drawing = False
        super().__init__(app, debug=debug, mouse=mouse and not self._plain, size=size)
        self._file: Any = Outlet(self._file, self._lost)
        threading.Thread(target=self._watch, name="kho-terminal", daemon=True).start()

    def write(self, data: str) -> None:
        """See `Driver.write`."""
        super().write(_EXTENSIONS.sub("", data) if self._plain else data)

    def start_application_mode(self) -> None:
        """See `Driver.start_application_mode`."""
        if not self._drawing:
            self._drawing = True
            super().start_application_mode()  # type: ignore[no-untyped-call]
            self.attrs_before = self._before

    def stop_application_mode(self) -> None:
        """See `Driver.stop_application_mode`."""
        if self._drawing:
            if self._plain:
                self.write(_CLEAR)
            super().stop_application_mode()
            self._drawing = False

    def disable_input(self) -> None:
        """See `Driver.disable_input`."""
        # The framework asks once more at its end; by then the terminal is somebody else's.
        if self._drawing:
            super().disable_input()

    def process_message(self, message: Message) -> None:
        """See `Driver.process_message`; ^z stops the program, as it does on a plain terminal."""
        if isinstance(message, events.Key) and message.key == "ctrl+z":
            os.kill(os.getpid(), signal.SIGTSTP)
        else:
            super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        # COLUMNS and LINES of the shell are old after the first change of size.
        with suppress(OSError):
            size = os.get_terminal_size(self.fileno)
            if size.columns and size.lines:
                return size
        # A serial line has no size of its own.
        return shutil.get_terminal_size((80, 24))

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            self._lost()

    def _watch(self) -> None:
        """Wait for a hangup; reading alone would find no end and no error, again and again."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        with suppress(OSError):
            poll.poll()
        self._lost()

    def _lost(self) -> None:
        cast(OnTerminal, self._app).terminal_lost()

    def _sigtstp_application(self, *_: object) -> None:
        # A terminal that was given back for good is not taken again when the program goes on.
        if self._drawing:
            super()._sigtstp_application()
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        if self._drawing:
            # Stopped by SIGSTOP, unasked: somebody else may have set the terminal meanwhile.
            self.suspend_application_mode()
            self._must_signal_resume = True
        if self._must_signal_resume:
            super()._sigcont_application()
