"""Starts the terminal UI, where there is a terminal and something to see."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kho_console import text
from kho_console.cli import exit_code, output, terminal
from kho_console.cli.broken import broken
from kho_console.config import places
from kho_console.config.settings import Settings
from kho_console.engine.opening import LIVE, Source, writable
from kho_console.model.unknown import Cause
from kho_console.tui.means import Means, Mode


def screen(source: Source, wanted: Namespace) -> int:
    """Run the TUI on a source. On a machine without KHO say so, and what there is instead."""
    settings: Settings = wanted.settings
    if _no_terminal():
        output.say("no terminal here; `kho-console status` prints the same as text or as --json")
        return exit_code.NOT_AVAILABLE
    # The rest is imported where it is needed: the first frame waits for nothing else.
    if source.kind == LIVE:
        from kho_console.engine.observe import unavailable

        missing = unavailable(source)
        if missing is not None and missing.cause is Cause.ABSENT:
            output.say(f"no Kexec HandOver on this machine: {text.reason(missing)}")
            output.say("`kho-console doctor` tells why; `kho-console demo` shows a recording")
            output.say("`crash`, `watch` and `crash simulate` need none: they work here, too")
            return exit_code.NOT_AVAILABLE
    if terminal.lines_only(os.environ):
        from kho_console.cli.plain import plain

        return plain(source, settings)
    from kho_console.tui.app import run

    try:
        with _means(source, wanted) as means:
            return run(source, terminal.suited(settings, os.environ), means)
    except Exception as error:
        return broken(error, settings)


def _no_terminal() -> bool:
    # Textual draws on stderr, so all three must be the terminal.
    return not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


@contextmanager
def _means(source: Source, wanted: Namespace) -> Iterator[Means]:
    """What it takes to change the source, or why it is only looked at."""
    if writable(source) is None:
        why = f"{source.name} is a recording: it cannot be changed; --rehearse takes a twin of it"
        yield Means(source, refusal=why)
    elif source.kind == LIVE:
        yield _live(source, wanted)
    elif wanted.twin is not None:
        from kho_console.cli import writing

        writer = writing.writer(source, wanted)
        runs = writing.runs_folder(source, wanted)
        yield Means(
            source, Mode.TWIN, writer, None, writing.journal_file(source, wanted), runs=runs
        )
    else:
        from tempfile import TemporaryDirectory

        from kho_console.engine.actions.perform import Writer
        from kho_console.engine.journal import Journal
        from kho_console.engine.who import who

        # Of a rehearsal nothing stays, its journal neither.
        with TemporaryDirectory(prefix="kho-console-") as folder:
            place = Path(folder) / "journal.jsonl"
            kept = Journal(place, who(), mirror=None)
            runs = Path(folder) / "runs"
            yield Means(source, Mode.TWIN, Writer(kept), None, place, runs=runs)


def _live(source: Source, wanted: Namespace) -> Means:
    journal, lock, runs = places.journal_file(), places.lock_file(), places.runs_folder()
    if not wanted.write:
        why = "a live machine is only looked at; --write lets it be changed"
    elif journal is None or lock is None:
        why = "there is no folder to keep the journal in; set HOME or XDG_STATE_HOME"
    else:
        from kho_console.cli import writing

        writer = writing.writer(source, wanted)
        return Means(source, Mode.WRITE, writer, None, journal, lock, runs)
    return Means(source, refusal=why, journal=journal, lock=lock, runs=runs)
