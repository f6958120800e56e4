"""The console's own log: its latest lines in memory, all of them in a file where one is named."""

import errno
import logging
import os
import stat
from collections import deque
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from kho_console.config import places
from kho_console.config.settings import Settings

LARGEST = 1 << 20
"""Bytes of a log; a longer one becomes `FILE.1`, in place of the one before."""

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
        file = _File(settings.log)
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
    """Nothing that was read can begin a line of its own, nor steer a terminal."""

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


class _File(RotatingFileHandler):
    def __init__(self, path: Path) -> None:
        if path == places.log_file():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(path, maxBytes=LARGEST, backupCount=1, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        # The names of a machine are its operator's; and a terminal is no place for a log.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(self.baseFilename, flags, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "no regular file", self.baseFilename)
            os.fchmod(descriptor, 0o600)
        except OSError:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Drop the line: a full disk is no reason to write over the screen."""


_RING = _Ring()
