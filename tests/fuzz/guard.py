"""Ends a case that hangs, and measures what one allocates. Both limits are far above any case."""

import signal
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

HANG_SECONDS = 30
MOST_BYTES = 64 << 20


class Hang(BaseException):
    """A case that does not end; no decoder may catch it."""


@contextmanager
def no_hang(what: str) -> Iterator[None]:
    """Raises `Hang` where the body takes half a minute; cases take milliseconds."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"{what} takes more than {HANG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def peak_of(run: Callable[[], object]) -> int:
    """Most bytes that `run` had allocated at once."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
