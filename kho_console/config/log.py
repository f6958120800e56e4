"""The console's own log: its latest lines in memory, all of them in a file where one is named."""

import logging
import time
from collections import deque

from kho_console.config.settings import Settings

LINES_KEPT = 500

_ROOT = logging.getLogger("kho_console")


def start(settings: Settings) -> None:
    """Keep a log from now on; a second call takes the place of the first.

    Raises:
        OSError: The file cannot be written, or is no regular file.
    """
    stop()
    _ROOT.propagate = False
    _ROOT.setLevel(logging.DEBUG if settings.debug else logging.INFO)
    _RING.setFormatter(_Lines("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    _ROOT.addHandler(_RING)
    if settings.log is not None:
        from kho_console.config.log_file import LogFile

        file = LogFile(settings.log)
        file.setFormatter(_Lines("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        _ROOT.addHandler(file)


def stop() -> None:
    """Keep no log any more."""
    for handler in list(_ROOT.handlers):
        _ROOT.removeHandler(handler)
        handler.close()


def recent() -> tuple[str, ...]:
    """The latest lines, oldest first."""
    return _RING.lines()


class _Lines(logging.Formatter):
    """Nothing that was read can begin a line of its own, nor steer a terminal. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return _harmless(super().formatMessage(record))

    def formatException(self, ei: "logging._SysExcInfoType") -> str:  # noqa: N802
        return "\n".join(map(_harmless, super().formatException(ei).split("\n")))


def _harmless(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in line)


class _Ring(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.extend(self.format(record).split("\n"))

    def lines(self) -> tuple[str, ...]:
        self.acquire()
        try:
            return tuple(self._kept)
        finally:
            self.release()


_RING = _Ring()
