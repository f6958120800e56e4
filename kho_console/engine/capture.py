"""One moment of a machine as a fixture folder."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from kho_console.engine import fixture_writer, scramble
from kho_console.engine.crash.events import seen_events
from kho_console.engine.doctor import examine
from kho_console.engine.essential import essential
from kho_console.engine.fixture_writer import Moment, Written
from kho_console.engine.observe import observe
from kho_console.engine.tracing import TracingSource
from kho_console.engine.walk import everything, look_at, read_residue
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source, SourceError, SourceKind


def capture(source: Source, folder: Path, *, scrambled: bool = False) -> Written:
    """Look at a machine, and write all that it answered.

    Args:
        source: The machine.
        folder: A new folder, or an empty one.
        scrambled: Whether it is for others to see: see `kho_console.engine.scramble`.

    Raises:
        OSError: The folder cannot be written, or is not empty.
    """
    traced = TracingSource(source)
    snapshot = observe(traced)
    examine(traced, snapshot)
    read_residue(traced, snapshot)
    if scrambled:
        moment = scramble.scrambled(_moment(traced, snapshot), snapshot, source)
    else:
        _read_all(traced)
        moment = _moment(traced, snapshot)
    return fixture_writer.write(moment, folder)


def _read_all(traced: TracingSource) -> None:
    everything(traced)
    if traced.kind in (SourceKind.LIVE, SourceKind.TWIN):
        _read_what_was_listed(traced)


def _moment(traced: TracingSource, snapshot: Snapshot) -> Moment:
    found = traced.taken()
    if traced.kind is SourceKind.LIVE:
        found = {key: essential(key, value) for key, value in found.items()}
    facts, events = traced.facts(), seen_events(traced.source)
    return Moment(
        facts,
        snapshot.taken,
        facts.captured_at or datetime.now(UTC),
        found,
        () if isinstance(events, Unknown) else tuple(events),
    )


def _read_what_was_listed(traced: TracingSource) -> None:
    """A fixture has no names without what they stand for."""
    known = traced.paths()
    for folder in traced.folders():
        with suppress(SourceError):
            for name in traced.list(folder):
                path = f"{folder.rstrip('/')}/{name}"
                if path not in known:
                    look_at(traced, path)
