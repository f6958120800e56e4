"""Blocking calls under a deadline.

A read of debugfs or procfs can block in the kernel for ever, and such a thread cannot be stopped.
So every call runs in a daemon thread that is given up when the answer is late: it neither keeps the
caller waiting nor the program alive.
"""

import errno
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import SourceError

T = TypeVar("T")

DEADLINE = 2.0
"""Seconds after which a call is late."""

STUCK_PER_MOUNT = 4
STUCK_AT_ALL = 16

_MOUNTS = (
    "/sys/kernel/debug",
    "/sys/kernel/tracing",
    "/sys/kernel/security",
    "/sys/kernel/config",
    "/sys",
    "/proc",
    "/dev",
)


class DeadlineReader:
    """Runs calls in daemon threads, each with a deadline.

    A thread that answered in time serves the next call, so as many threads live as calls run at
    once. When too many are stuck under one mount, its paths are late at once, without a new thread.
    """

    def __init__(self, deadline: float = DEADLINE) -> None:
        """Give every call `deadline` seconds."""
        self._deadline = deadline
        self._idle: list[_Worker] = []
        self._stuck = _Stuck()
        weakref.finalize(self, _dismiss, self._idle)

    def run(self, path: str, job: Callable[[], T], mount: str | None = None) -> T:
        """What `job` returns or raises.

        Args:
            path: What is read, for errors and to know the mount.
            job: The blocking call; when it is late it keeps running, so it must clean up after
                itself and touch nothing of the caller's.
            mount: What may be stuck as a whole, where that is not the mount of `path`.

        Raises:
            SourceError: It is late.
        """
        mount = mount or mount_of(path)
        if self._stuck.full(mount):
            raise _late(path, f"{path}: earlier reads of {mount} never came back")
        results: list[T] = []
        failures: list[Exception] = []

        def work() -> None:
            try:
                results.append(job())
            except Exception as error:
                failures.append(error)

        worker = self._worker()
        if not worker.finish(work, self._deadline, mount):
            raise _late(path, f"{path}: no answer within {self._deadline:g} s")
        self._idle.append(worker)
        if failures:
            # An error in a list that its own traceback reaches keeps what the job held.
            raise failures.pop()
        return results[0]

    def _worker(self) -> "_Worker":
        try:
            return self._idle.pop()
        except IndexError:
            return _Worker(self._stuck)


class _Stuck:
    """How many threads are stuck, by mount; its lock also decides who was first at a deadline."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.mounts: Counter[str] = Counter()

    def full(self, mount: str) -> bool:
        with self.lock:
            return self.mounts[mount] >= STUCK_PER_MOUNT or self.mounts.total() >= STUCK_AT_ALL


class _Worker:
    """One daemon thread and its queue of jobs."""

    def __init__(self, stuck: _Stuck) -> None:
        self._stuck = stuck
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        self._given_up: str | None = None
        threading.Thread(target=self._serve, name="kho-reader", daemon=True).start()

    def finish(self, work: Callable[[], None], deadline: float, mount: str) -> bool:
        """Whether `work` was done in time; otherwise the thread is given up."""
        self._jobs.put(work)
        try:
            self._done.get(timeout=deadline)
            return True
        except Empty:
            with self._stuck.lock:
                if self._done.empty():
                    self._given_up = mount
                    self._stuck.mounts[mount] += 1
                    return False
                self._done.get()
                return True

    def dismiss(self) -> None:
        """Let the thread end."""
        self._jobs.put(None)

    def _serve(self) -> None:
        while (work := self._jobs.get()) is not None:
            work()
            del work  # an idle thread must not keep what the job held
            with self._stuck.lock:
                if self._given_up is not None:
                    self._stuck.mounts[self._given_up] -= 1
                    return
                self._done.put(None)


def mount_of(path: str) -> str:
    """The mount point that `path` lies under, by the usual places.

    It is told by name: asking the kernel could block for the same reason as the read.
    """
    return next((top for top in _MOUNTS if path == top or path.startswith(top + "/")), "/")


def _dismiss(workers: "list[_Worker]") -> None:
    for worker in workers:
        worker.dismiss()


def _late(path: str, reason: str) -> SourceError:
    return SourceError(path, Unknown(Cause.LATE, reason), errno.ETIMEDOUT)
