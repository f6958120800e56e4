"""Ends the console on a signal or with its terminal, within a second whatever it is doing."""

import os
import signal
import threading
from collections.abc import Callable
from types import TracebackType

from kho_console.tui import terminal

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_PATIENCE = 0.7
"""Seconds that the application has to end by itself."""


class Ending:
    """While it is entered, a signal ends the application: politely, then by force."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        """Make it; `leave` asks the application to end with an exit code, from any thread."""
        self._leave = leave
        self._before = terminal.attributes()
        self._handlers: dict[int, object] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> "Ending":
        """Catch the signals that are not ignored, as under nohup or in the background."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(
                    number, lambda found, _: self.end(128 + found)
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the signals to whoever had them."""
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def end(self, code: int) -> None:
        """End the application; the first one to ask says with which exit code."""
        if self._timer is None:
            self._timer = threading.Timer(_PATIENCE, self._force, (code,))
            self._timer.daemon = True
            self._timer.start()
            self._leave(code)

    def hang_up(self) -> None:
        """End it because its terminal is gone."""
        self.end(128 + signal.SIGHUP)

    def _force(self, code: int) -> None:
        terminal.give_back(self._before)
        os._exit(code)
