"""The verb `record`: what the machine shows, moment after moment, in one file."""

import signal
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from kho_console import resources, text
from kho_console.cli import exit_code, output, writing
from kho_console.cli.handover_note import handover_note
from kho_console.documents import over_time as documents
from kho_console.engine.opening import LIVE, Source
from kho_console.engine.recorder import Limits, Recorder, RecordingError


def record(source: Source, wanted: Namespace) -> int:
    """Record until the time is over or somebody ends it; of what stands still one moment."""
    if wanted.unit:
        sys.stdout.write(resources.unit())
        return exit_code.DONE
    if wanted.handover:
        return handover_note(source, wanted)
    place = Path(wanted.file)
    duration = wanted.duration
    if source.kind != LIVE and duration is None and wanted.every is None:
        duration = 0.0
    limits = Limits(wanted.every or 1.0, duration, wanted.max_size, wanted.max_age)
    try:
        with _ended() as ended, _opened(source, place, limits, wanted) as recorder:
            if duration is None:
                output.say(f"recording {source.name} to {place}; Ctrl-C ends it")
            recorder.run(lambda: bool(ended))
    except RecordingError as error:
        output.say(str(error))
        return exit_code.REFUSED
    except OSError as error:
        said = f"{place}: {error.strerror or error}"
        output.say(f"{said}; what was recorded before is whole")
        return exit_code.NOT_AVAILABLE
    if wanted.json:
        output.document(documents.recorded(str(place), recorder.moments, recorder.size))
    else:
        size = text.size(recorder.size)
        output.line(f"{place}: {text.count(recorder.moments, 'moment')}, {size}")
    return exit_code.INTERRUPTED if signal.SIGINT in ended else exit_code.DONE


def _opened(source: Source, place: Path, limits: Limits, wanted: Namespace) -> Recorder:
    return Recorder(source, place, limits, writing.journal_file(source, wanted))


@contextmanager
def _ended() -> Iterator[list[int]]:
    """Notes the signals that end it, so that the file ends with a moment; a second one ends it now.

    A moment may take long where the kernel answers late.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, note) for number in signals}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
