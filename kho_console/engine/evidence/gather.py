"""Gathers evidence in a folder: a capture or a recording, the journal, and what was said of it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from kho_console.engine.capture import capture
from kho_console.engine.evidence.manifest import Manifest
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source, SourceError
from kho_console.source.regular import read_regular

CAPTURE, RECORDING, JOURNAL = "capture", "recording", "journal.jsonl"

_LARGEST_JOURNAL = 64 << 20


def gather(
    source: Source, folder: Path, recording: Path | None, journal: Path | None, *, redacted: bool
) -> tuple[Source, Manifest]:
    """Write evidence into a folder; the source that it shows, and what it is.

    Args:
        source: The machine.
        folder: An empty folder.
        recording: The file that the source is a moment of; it is taken as a whole.
        journal: What was done to the machine; it names people, and is not taken where `redacted`.
        redacted: Whether others shall see it: then it is a scrambled capture of one moment.

    Raises:
        OSError: It cannot be read or written.
    """
    shown, opens = source, f"{RECORDING}/{'' if recording is None else recording.name}"
    if recording is not None and not redacted:
        (folder / RECORDING).mkdir(mode=0o700)
        shutil.copyfile(recording, folder / opens)
    else:
        capture(source, folder / CAPTURE, scrambled=redacted)
        shown, opens = FixtureSource(folder / CAPTURE), CAPTURE
    if journal is not None and not redacted:
        _copy(journal, folder / JOURNAL)
    facts = shown.facts()
    captured = (facts.captured_at or datetime.now(UTC)).isoformat()
    return shown, Manifest(captured, facts.hostname, facts.release, redacted, opens, {})


def _copy(journal: Path, target: Path) -> None:
    """A machine to which nothing was done has no journal."""
    try:
        target.write_bytes(read_regular(str(journal), str(journal), _LARGEST_JOURNAL))
    except SourceError as error:
        if journal.exists():
            raise OSError(error.errno, error.unknown.reason, str(journal)) from error
