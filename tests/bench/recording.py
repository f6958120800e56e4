"""A day's recording against a minute's, and what an unchanged tick costs."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from kho_console.engine.observe import observe
from kho_console.engine.tracing import TracingSource
from kho_console.source.fixture import FixtureSource
from kho_console.source.recording import Recording
from kho_console.source.recording.writer import RecordingWriter
from tests.bench.table import Row, mebibytes, milliseconds
from tests.recordings import folder
from tests.source.recorded import FACTS, MICRO

DAY, MINUTE = 86_400, 60
_UNCHANGED = 100
"""Bytes."""
_DAY_SIZE = 10_000_000
_MEMINFO = b"vMemTotal:        2243248 kB\nMemAvailable:    %d kB\n"


def rows(place: Path, day: int = DAY, rounds: int = 21) -> Iterator[Row]:
    """Opening and jumping, then sizes."""
    long, tick = record(place / "day.kho", day)
    short, _ = record(place / "minute.kho", MINUTE)
    places = random.Random(1)
    opened, jumped = [], []
    for _ in range(rounds + 1):
        pairs = [_times(path, places.random()) for path in (short, long)]
        opened.append((pairs[0][0], pairs[1][0]))
        jumped.append((pairs[0][1], pairs[1][1]))
    for what, found in (("opening a day's recording", opened), ("a jump in it", jumped)):
        theirs, ours = (median(times) for times in zip(*found[1:], strict=True))
        ratio = median(our / their for their, our in found[1:])
        yield Row(what, f"a minute's {milliseconds(theirs)}", milliseconds(ours), ratio, 3)
    yield Row("an unchanged tick", f"{_UNCHANGED} B", f"{tick} B", tick / _UNCHANGED, 1)
    size = long.stat().st_size
    yield Row("a quiet day", mebibytes(_DAY_SIZE), mebibytes(size), size / _DAY_SIZE, 1)


def record(path: Path, moments: int) -> tuple[Path, int]:
    """A recording of a real machine on which little happens; bytes of a tick without news."""
    traced = TracingSource(FixtureSource(folder("linux-7.3.4/sessions")))
    observe(traced)
    writer = RecordingWriter(path)
    writer.run(FACTS)
    writer.moment(0.0, 0, traced.taken())
    noise, unchanged = random.Random(2), 0
    for number in range(1, moments):
        before = writer.size
        new: dict[bytes, bytes | None] = {}
        if number % 4:
            new[b"F/proc/meminfo"] = _MEMINFO % noise.randint(2_000_000, 2_000_999)
        writer.moment(float(number), number * MICRO, new)
        if not new and not unchanged:
            unchanged = writer.size - before
    writer.close()
    return path, unchanged


def _times(path: Path, where: float) -> tuple[float, float]:
    """Seconds to open a recording, and to see its machine at a moment."""
    started = time.perf_counter()
    recording = Recording(path)
    opened = time.perf_counter()
    observe(recording.at(int(len(recording) * where)))
    return opened - started, time.perf_counter() - opened
