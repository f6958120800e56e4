"""One writer at a time: a lock that names its holder.

The lock is the kernel's (flock), so it ends with its process whatever happens; what is written in
the file is only who that was.
"""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from kho_console.model.record import Who
from kho_console.model.value import dataclass

_LONGEST = 4096
_TRIES, _PAUSE = 10, 0.01


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who may change the machine just now.

    Attributes:
        pid: The process.
        user: Its user.
        tty: Its terminal; None without one.
        since: When it took the lock, UTC.
    """

    pid: int
    user: str
    tty: str | None
    since: str


class LockedError(Exception):
    """Somebody else holds the lock.

    Attributes:
        holder: Who; None where the file does not tell.
    """

    def __init__(self, path: Path, holder: LockHolder | None) -> None:
        if holder is None:
            super().__init__(f"another process holds {path}")
        else:
            where = "" if holder.tty is None else f" on {holder.tty}"
            told = f"process {holder.pid} of {holder.user}{where} since {holder.since}"
            super().__init__(f"{told} changes this machine (lock {path})")
        self.holder = holder


class WriterLock:
    """The right to change a machine, for a `with` block; a second block inside is no harm."""

    def __init__(self, path: Path, who: Who) -> None:
        """Lock the file at `path`, which is made where it is not there."""
        self._path = path
        self._who = who
        self._descriptor = -1
        self._depth = 0

    @property
    def held(self) -> bool:
        """Whether we hold it."""
        return self._depth > 0

    def __enter__(self) -> "WriterLock":
        """Take it.

        Raises:
            LockedError: Somebody else holds it.
            OSError: The file cannot be made or opened.
        """
        if not self._depth:
            self._descriptor = _opened(self._path)
            try:
                self._take()
            except BaseException:
                os.close(self._descriptor)
                raise
        self._depth += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        self._depth -= 1
        if not self._depth:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)

    def _take(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                told = _told(self._descriptor)
                # Without a holder it may be one who only looks, which takes no time.
                if told is not None or not left:
                    raise LockedError(self._path, told) from error
                time.sleep(_PAUSE)
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        holder = LockHolder(os.getpid(), self._who.user, self._who.tty, since)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(holder)).encode(), 0)


def holder(path: Path) -> LockHolder | None:
    """Who holds the lock at `path`; None where nobody does, or where that cannot be seen."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags, 0o644)


def _told(descriptor: int) -> LockHolder | None:
    try:
        told = json.loads(os.pread(descriptor, _LONGEST, 0))
        tty = told["tty"]
        return LockHolder(
            int(told["pid"]), str(told["user"]), None if tty is None else str(tty), told["since"]
        )
    except (OSError, ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return None
