"""Pieces of a long run, and the process that does them one after the other."""

import tempfile
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz import failure, properties, screens
from tests.fuzz.catalogue import target
from tests.fuzz.failure import Failure
from tests.fuzz.guard import last_resort
from tests.fuzz.target import damaged

_MOST_WRITTEN = 3
"""Failures of one place that a process keeps."""


@dataclass(frozen=True)
class Work:
    """Cases `start` to `stop` of a target, or as many examples of a property."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class Begun:
    """A case is about to run; if the process dies, it was this one."""

    name: str
    number: int


@dataclass(frozen=True)
class Done:
    """A piece of work has ended.

    Attributes:
        work: The piece.
        seconds: How long it took.
        slowest: Seconds and number of the case that took longest.
        failures: What failed.
    """

    work: Work
    seconds: float
    slowest: tuple[float, int]
    failures: tuple[Failure, ...]


def serve(seed: int, folder: str, line: Connection) -> None:
    """Do what comes in, until nothing does.

    Args:
        seed: Seed of the run.
        folder: Where recordings are copied to.
        line: Takes `Work`, gives `Begun` and `Done`.
    """
    tempfile.tempdir = str(Path(folder))
    kept: dict[str, int] = {}
    try:
        while (work := line.recv()) is not None:
            line.send(_done(work, seed, line, kept))
    except (EOFError, KeyboardInterrupt):
        return
    finally:
        screens.close()


def _done(work: Work, seed: int, line: Connection, kept: dict[str, int]) -> Done:
    begun = time.perf_counter()
    if work.name in properties.PROPERTIES:
        found = _examples(work, seed, line)
        return Done(work, time.perf_counter() - begun, (0.0, 0), found)
    failures: list[Failure] = []
    slowest = (0.0, work.start)
    goal = target(work.name)
    for number in range(work.start, work.stop):
        line.send(Begun(work.name, number))
        changes = damaged(goal, seed, number)
        started = time.perf_counter()
        with last_resort():
            error = failure.tried(goal, changes)
        slowest = max(slowest, (time.perf_counter() - started, number))
        if error is not None:
            where = failure.place(error)
            kept[where] = kept.get(where, 0) + 1
            if kept[where] <= _MOST_WRITTEN:
                failures.append(failure.of(goal, seed, number, changes, error))
    return Done(work, time.perf_counter() - begun, slowest, tuple(failures))


def _examples(work: Work, seed: int, line: Connection) -> tuple[Failure, ...]:
    line.send(Begun(work.name, work.start))
    try:
        properties.run(work.name, f"{seed} {work.start}", work.stop - work.start)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        told = "".join(traceback.format_exception(error))
        return (Failure(work.name, seed, work.start, failure.place(error), told, {}),)
    return ()
