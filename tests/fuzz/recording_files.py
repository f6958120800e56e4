"""Recordings as targets: whole files, and bodies whose checksums are right."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from kho_console.abi.reader import Bytes
from kho_console.abi.recording import bodies, content, framing
from kho_console.abi.recording.framing import HEADER, Frame, Kind
from kho_console.model.event import Event
from kho_console.source.protocol import SourceError
from kho_console.source.recording import Recording, RecordingError
from kho_console.source.recording.source import event_content
from tests.fuzz.target import Changes, Target, refused
from tests.source.recorded import counting

_BODIES = {
    Kind.RUN: bodies.read_run,
    Kind.CONTENT: content.read,
    Kind.MOMENT: bodies.read_moment,
    Kind.MARK: bodies.read_mark,
    Kind.TABLE: bodies.read_table,
    Kind.CHECKPOINT: bodies.read_checkpoint,
    Kind.INDEX: bodies.read_index,
}
_FILE = "recording"


def _written() -> bytes:
    """A recording with a record of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.kho"
        writer = counting(path, 80, close=False)
        event = event_content(Event(1.0, "online", "cpu", "cpu1", 7))
        writer.mark(bodies.Mark(bodies.Happened.EVENT, 1.0, 1, event))
        writer.moment(80.0, 80, {b"P": b"v[]", b"L/": b"vn"})
        writer.close()
        return path.read_bytes()


_GOOD = _written()


def _bodies() -> dict[str, bytes]:
    """The last body of each kind, by its name."""
    found, at = {}, len(HEADER)
    while at < len(_GOOD):
        record = framing.read_frame(Bytes(_GOOD), at)
        found[Kind(record.kind).name] = record.body
        at = record.end
    return found


def _run(changes: Changes) -> None:
    for name, good in _PIECES.items():
        data = changes.get(name, good)
        if data is not None:
            _whole(data) if name == _FILE else _body(Kind[name], data)


def _body(kind: Kind, data: bytes) -> None:
    record = Frame(kind, data, 1 << 20, (1 << 20) + len(data))
    with refused():
        found = _BODIES[kind](record)
        if isinstance(found, content.Content):
            content.value(found, b"0123456789", record.start)


def _whole(data: bytes) -> None:
    descriptor = os.memfd_create("recording")
    try:
        os.write(descriptor, data)
        with suppress(RecordingError):
            _read(Recording(Path(f"/proc/self/fd/{descriptor}")))
    finally:
        os.close(descriptor)


def _read(recording: Recording) -> None:
    for number in (0, len(recording) // 2, len(recording) - 1):
        with suppress(RecordingError):
            source = recording.at(number)
            source.processes(), source.events(), source.exists("/n")
            with suppress(SourceError):
                source.read("/n")
    list(recording.moments())


_PIECES = {_FILE: _GOOD, **_bodies()}

TARGET = Target("recordings", _PIECES, _run, 0.05, (_FILE,))
