"""Limits of one case: time and memory, both far above what any case needs.

Time is counted twice: as work of the processor, which a busy machine does not lengthen, and by
the clock, for a case that waits. Memory is limited as address space, which covers arrays, maps
and what libraries in C take, and costs nothing; tracing each allocation would see Python's and
numpy's alone and make a run several times longer. The limit counts from where the process stands
when the case begins, so every case has all of it.
"""

import faulthandler
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

WORK_SECONDS = 20.0
CLOCK_SECONDS = 120.0
MOST_BYTES = 256 << 20
"""The largest files that are read whole have 16 MiB, and a map of them takes a few times that."""

_STDERR = 2
"""Not Python's own: whatever runs may have put something else in its place."""

_PAGE = resource.getpagesize()


class Hang(BaseException):
    """A case that does not end; no code under test may catch it."""


@contextmanager
def limited() -> Iterator[None]:
    """Ends the body with `Hang` or `MemoryError` where it takes more than one case may."""
    timers = (signal.ITIMER_VIRTUAL, WORK_SECONDS), (signal.ITIMER_REAL, CLOCK_SECONDS)
    alarms = (signal.SIGVTALRM, signal.SIGALRM)
    before = [signal.signal(number, _ring) for number in alarms]
    space = resource.getrlimit(resource.RLIMIT_AS)
    most = _address_space() + MOST_BYTES
    if space[0] != resource.RLIM_INFINITY:
        most = min(most, space[0])
    resource.setrlimit(resource.RLIMIT_AS, (most, space[1]))
    for timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer, _ in timers:
            signal.setitimer(timer, 0)
        resource.setrlimit(resource.RLIMIT_AS, space)
        for number, handler in zip(alarms, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def last_resort() -> Iterator[None]:
    """Ends the process with a traceback where code in C holds up the alarms of `limited`."""
    faulthandler.dump_traceback_later(CLOCK_SECONDS * 2, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _ring(number: int, frame: FrameType | None) -> None:
    raise Hang(f"more than {WORK_SECONDS:g} s of work, or {CLOCK_SECONDS:g} s by the clock")


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * _PAGE
