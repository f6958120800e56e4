"""Recordings for tests."""

from collections.abc import Mapping
from pathlib import Path

from kho_console.engine.tracing import TracingSource
from kho_console.engine.walk import walk
from kho_console.source.protocol import Source
from kho_console.source.recording.writer import RecordingWriter
from tests.source.prepared import PAGE_FLAGS

FACTS: Mapping[str, object] = {
    "host": "hv-17",
    "release": "7.3.4",
    "machine": "x86_64",
    "page_size": 4096,
    "description": "",
}
MICRO = 10**6


def whole(source: Source, path: Path) -> Path:
    """Everything that the small machine of `prepared.py` answers, as one moment."""
    traced = TracingSource(source)
    walk(traced)
    traced.memory.read(0x100000, 0x3000)
    for page in PAGE_FLAGS:
        traced.page_flags(page)
    traced.processes(), traced.memory_total(), traced.boot_time(), traced.kernel_log()
    writer = RecordingWriter(path)
    writer.run(FACTS)
    writer.moment(traced.clock(), 1_795_222_080 * MICRO, traced.taken())
    writer.close()
    return path


def counting(path: Path, moments: int, *, start: int = 0, close: bool = True) -> RecordingWriter:
    """A run whose file /n holds the number of the moment, beside a few that stay the same."""
    writer = RecordingWriter(path)
    writer.run(FACTS)
    for number in range(start, start + moments):
        value = b"v%d" % number
        new: dict[bytes, bytes | None] = {b"F/n": value, b"F/same": b"v" + b"same " * 50}
        if number % 10 == 0:
            new[b"F/now-and-then"] = b"v" + value * 20 if number % 20 else None
        writer.moment(float(number), number * MICRO, new)
    if close:
        writer.close()
    return writer
