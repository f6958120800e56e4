"""The lines of a journal as they are added to it."""

import json
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_MOST_AT_ONCE = 1 << 20


class JournalTail:
    """What is new in a journal since the last look."""

    def __init__(self, path: Path) -> None:
        """Begin behind what the journal holds now."""
        self._path = path
        self._at = 0
        with suppress(OSError):
            self._at = path.stat().st_size

    def new(self) -> list[tuple[datetime, dict[str, object]]]:
        """The whole lines that were added since, each with its time; damaged ones are left out."""
        data = self._read()
        whole = data[: data.rfind(b"\n") + 1]
        if not whole and len(data) == _MOST_AT_ONCE:
            self._at += len(data)
        self._at += len(whole)
        found = (_line(line) for line in whole.split(b"\n"))
        return [item for item in found if item is not None]

    def _read(self) -> bytes:
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            descriptor = os.open(self._path, flags)
        except OSError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return b""
            if status.st_size < self._at:
                self._at = 0  # Somebody began it anew.
            file.seek(self._at)
            return file.read(_MOST_AT_ONCE)


def _line(line: bytes) -> tuple[datetime, dict[str, object]] | None:
    try:
        found = json.loads(line)
        at = datetime.fromisoformat(found["at"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)), found
