"""What of a recording cannot be read any more."""

from collections.abc import Iterator

from kho_console.abi.recording.framing import HEADER
from kho_console.engine.noted import behind
from kho_console.model.check import Check, Result
from kho_console.source.protocol import Source
from kho_console.source.recording import RecordedSource, Recording, RecordingError

_QUICK = 1 << 20
"""Bytes of a recording that is read through whenever it is opened."""


def at_a_glance(source: Source) -> str:
    """What is damaged, in words; of a large recording only its end. Empty for nothing."""
    recording = _recording(source)
    if recording is None:
        return ""
    file = recording.timeline.file
    found = _lost(recording) if file.end < _QUICK else ""
    return "; ".join(filter(None, (found, _torn(recording))))


def check(source: Source) -> Iterator[Check]:
    """Whether all of a recording can be read; nothing for any other source."""
    recording = _recording(source)
    if recording is None:
        return
    found = "; ".join(filter(None, (_lost(recording), _torn(recording))))
    result = Result.WARNING if found else Result.PASS
    yield Check("recording", result, found or "all of it can be read", f"{len(recording)} moments")


def _recording(source: Source) -> Recording | None:
    inner = behind(source)
    return inner.recording if isinstance(inner, RecordedSource) else None


def _lost(recording: Recording) -> str:
    """The bytes that cannot be read, and the moments that went with them."""
    size, before = 0, len(HEADER)
    for record in recording.timeline.file.frames(before):
        size += record.start - before
        before = record.end
    if not size:
        return ""
    stretches = []
    expected = 0
    for number in (*_readable(recording), len(recording)):
        if number == expected + 1:
            stretches.append(f"moment {expected}")
        elif number > expected:
            stretches.append(f"moments {expected} to {number - 1}")
        expected = number + 1
    moments = f", and with them {', '.join(stretches)}" if stretches else ""
    return f"damaged: {size} bytes cannot be read{moments}"


def _readable(recording: Recording) -> Iterator[int]:
    expected, doubted = 0, True
    for moment in recording.moments():
        # Behind a gap the run may be missing that tells whose moments they are.
        doubted = doubted or moment.number != expected
        expected = moment.number + 1
        if doubted:
            try:
                recording.at(moment.number)
            except RecordingError:
                continue
        doubted = False
        yield moment.number


def _torn(recording: Recording) -> str:
    size = recording.timeline.file.torn
    return f"it ends in the middle of a record: the last {size} bytes are left out" if size else ""
