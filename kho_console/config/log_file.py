"""The file that the console's own log goes to."""

import errno
import logging
import os
import stat
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from kho_console.config import places

LARGEST = 1 << 20
"""Bytes of a log; a longer one becomes `FILE.1`, in place of the one before."""


class LogFile(RotatingFileHandler):
    """Appends lines, for its owner's eyes only."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            OSError: It cannot be written, or is no regular file.
        """
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
