"""The long run: hundreds of thousands of cases in a few processes, with progress."""

import multiprocessing
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tests.fuzz.catalogue import catalogue
from tests.fuzz.failure import Failure
from tests.fuzz.properties import PROPERTIES
from tests.fuzz.work import Begun, Done, Work, serve

MADE_UP = 0.05
"""Share of all cases that hypothesis makes up."""

PIECE = 100
_SPOKEN_EVERY = 10.0
_SLOWEST = 5


@dataclass
class Report:
    """What a run has done so far."""

    cases: int = 0
    deaths: int = 0
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    slowest: list[tuple[float, str, int]] = field(default_factory=list)

    def take(self, done: Done) -> None:
        """Add a piece of work."""
        name = done.work.name
        self.cases += done.work.stop - done.work.start
        self.failures += done.failures
        self.seconds[name] = self.seconds.get(name, 0.0) + done.seconds
        slow = [*self.slowest, (done.slowest[0], name, done.slowest[1])]
        self.slowest = sorted(slow, reverse=True)[:_SLOWEST]


@dataclass
class _Worker:
    process: BaseProcess
    line: Connection
    work: Work | None = None
    at: Begun | None = None


def plan(cases: int, only: str) -> list[Work]:
    """The pieces of a run, those of all targets mixed.

    Args:
        cases: How many cases in all.
        only: A part of the names of the targets that are meant; empty for all.
    """
    shares = {name: item.share * (1 - MADE_UP) for name, item in catalogue().items()}
    shares |= {name: MADE_UP / len(PROPERTIES) for name in PROPERTIES}
    chosen = {name: share for name, share in shares.items() if only in name}
    whole = sum(chosen.values())
    rows = [list(_pieces(name, round(cases * chosen[name] / whole))) for name in chosen]
    longest = max(map(len, rows), default=0)
    placed = [
        ((place + 0.5) * longest / len(row), work) for row in rows for place, work in enumerate(row)
    ]  # fmt: skip
    return [work for _, work in sorted(placed, key=lambda item: item[0])]


def run(works: Sequence[Work], seed: int, processes: int) -> Report:
    """Do all pieces; ends early, with what was done, on Ctrl-C."""
    report, left = Report(), deque(works)
    total = sum(work.stop - work.start for work in works)
    workers: list[_Worker] = []
    spoken = begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kho-fuzz-") as folder:
        try:
            workers += [_started(seed, folder) for _ in range(processes)]
            for worker in workers:
                _feed(worker, left)
            while any(worker.work for worker in workers):
                ready = wait([worker.line for worker in workers if worker.work], _SPOKEN_EVERY)
                for index, worker in enumerate(workers):
                    if worker.line in ready and not _heard(worker, report, left, seed):
                        workers[index] = _started(seed, folder)
                        _feed(workers[index], left)
                if time.monotonic() - spoken >= _SPOKEN_EVERY:
                    spoken = time.monotonic()
                    _speak(report, total, spoken - begun)
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.join()
    return report


def _pieces(name: str, cases: int) -> Iterator[Work]:
    for start in range(0, max(cases, 1), PIECE):
        yield Work(name, start, min(start + PIECE, max(cases, 1)))


def _started(seed: int, folder: str) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(seed, folder, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _feed(worker: _Worker, left: deque[Work]) -> None:
    worker.work = left.popleft() if left else None
    worker.line.send(worker.work)


def _heard(worker: _Worker, report: Report, left: deque[Work], seed: int) -> bool:
    """Take what a worker says; False where it has died, with the case that it died of."""
    try:
        said = worker.line.recv()
    except (EOFError, OSError):
        worker.process.join()
        report.deaths += 1
        work, at = worker.work, worker.at
        worker.work = None
        if work is not None and at is not None:
            words = f"the process ended with {worker.process.exitcode}"
            report.failures.append(Failure(at.name, seed, at.number, words, words, {}))
            if at.number + 1 < work.stop:
                left.appendleft(Work(work.name, at.number + 1, work.stop))
        return False
    if isinstance(said, Begun):
        worker.at = said
    else:
        report.take(said)
        _feed(worker, left)
    return True


def _speak(report: Report, total: int, seconds: float) -> None:
    rate = report.cases / seconds
    rest = (total - report.cases) / rate / 60 if rate else 0.0
    print(
        f"{report.cases:>9,} of {total:,} cases, {rate:,.0f} a second, "
        f"{rest:.0f} min to go, {len(report.failures)} failures",
        file=sys.stderr,
        flush=True,
    )
