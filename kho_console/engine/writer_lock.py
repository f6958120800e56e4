"""One writer at a time: a lock that names its holder.

The lock is the kernel's (flock), so it ends with its process whatever happens. Whoever may open a
file may lock it, so the file is its owner's alone. Who holds it is published in another file beside
it, which everybody may read and nobody locks.
"""

import errno
import fcntl
import json
import os
import stat
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
_CAREFUL = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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
        self._descriptor = self._published = -1
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
            self._descriptor = _opened(self._path, 0o600)
            try:
                self._take()
                self._publish()
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
                os.ftruncate(self._published, 0)
            os.close(self._published)
            os.close(self._descriptor)

    def _take(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                told = _told(self._path)
                # Without a holder it may be one who only looks, which takes no time.
                if told is not None or not left:
                    raise LockedError(self._path, told) from error
                time.sleep(_PAUSE)

    def _publish(self) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        holder = LockHolder(os.getpid(), self._who.user, self._who.tty, since)
        self._published = _opened(_beside(self._path), 0o644)
        try:
            os.ftruncate(self._published, 0)
            told = {**asdict(holder), "started": _started(holder.pid)}
            os.pwrite(self._published, json.dumps(told).encode(), 0)
        except BaseException:
            os.close(self._published)
            raise


def holder(path: Path) -> LockHolder | None:
    """Who holds the lock at `path`; None where nobody does, or where that cannot be seen.

    Where the lock itself may not be looked at, what is published counts, as long as its process is
    there.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _CAREFUL)
    except PermissionError:
        return _told(path)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(path)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def _opened(path: Path, mode: int) -> int:
    """The file at `path`, made where it is not there, with this mode whatever the umask."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _CAREFUL, mode)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise OSError(errno.EINVAL, "no file of its own", str(path))
        os.fchmod(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _started(pid: int) -> int | None:
    """When a process began, in ticks since boot; None where procfs does not tell."""
    try:
        # Its name, in brackets, may have blanks and brackets too: proc_pid_stat(5).
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _told(path: Path) -> LockHolder | None:
    """Who is published as the holder of the lock at `path`; None for a process that is gone."""
    try:
        descriptor = os.open(_beside(path), os.O_RDONLY | _CAREFUL)
    except OSError:
        return None
    try:
        told = json.loads(os.pread(descriptor, _LONGEST, 0))
        pid, tty = int(told["pid"]), told["tty"]
        if not _lives(pid, told.get("started")):
            return None
        return LockHolder(
            pid, str(told["user"]), None if tty is None else str(tty), str(told["since"])
        )
    except (OSError, ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return None
    finally:
        os.close(descriptor)


def _lives(pid: int, started: object) -> bool:
    """Whether a process is there; its number alone may be that of another one by now."""
    if pid <= 0:
        return False
    found = _started(pid)
    if found is not None and started is not None:
        return found == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It is there, and somebody else's.
    return True
