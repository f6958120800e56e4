"""Who may change what: the lock, the journal, and the word an operator gives."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from kho_console import text
from kho_console.config import places
from kho_console.engine.actions.perform import Writer
from kho_console.engine.journal import Journal
from kho_console.engine.opening import LIVE, Source
from kho_console.engine.who import who
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.action import Action


def journal_file(source: Source, wanted: Namespace) -> Path | None:
    """Where changes of this source are written down; None where they are not kept.

    A twin in a file has its journal beside it, so that no rehearsal is taken for the machine's.
    """
    if source.kind == LIVE:
        return places.journal_file()
    return None if wanted.twin is None else Path(f"{wanted.twin}.journal")


def runs_folder(source: Source, wanted: Namespace) -> Path | None:
    """Where runs of runbooks on this source are kept; None where they are not."""
    if source.kind == LIVE:
        return places.runs_folder()
    return None if wanted.twin is None else Path(f"{wanted.twin}.runs")


def writer(source: Source, wanted: Namespace) -> Writer:
    """The journal and the lock for a source."""
    me, file = who(), journal_file(source, wanted)
    if source.kind == LIVE:
        lock = places.lock_file()
        return Writer(
            None if file is None else Journal(file, me),
            None if lock is None else WriterLock(lock, me),
        )
    if file is None:
        return Writer()
    return Writer(Journal(file, me, mirror=None), WriterLock(Path(f"{wanted.twin}.lock"), me))


def refusal(source: Source, action: Action, wanted: Namespace) -> str | None:
    """Why a live machine is not changed; None where it may be. A twin needs no word.

    Asks for the name of the host where there is somebody to ask.
    """
    if source.kind != LIVE:
        return None
    if not wanted.write:
        return "a live machine is only looked at; --write lets it be changed"
    if places.journal_file() is None or places.lock_file() is None:
        return "there is no folder to keep the journal in; set HOME or XDG_STATE_HOME"
    host = source.facts().hostname
    given = wanted.yes_i_mean
    if action.undone_by is not None and given in (None, host):
        return None
    if given is None and sys.stdin.isatty() and sys.stderr.isatty():
        given = _asked(action, host)
    if not host:
        return "this host has no name that could be typed, and nothing undoes this"
    if given == host:
        return None
    shown = text.escaped(host)
    if given is None:
        return f"nothing undoes this: say --yes-i-mean {shown}"
    return f"{text.escaped(given)} is not the name of this host ({shown})"


def _asked(action: Action, host: str) -> str:
    for effect in action.effects:
        sys.stderr.write(f"{text.harmless(effect)}\n")
    sys.stderr.write(
        f"{text.harmless(action.title)}: nothing undoes this.\n"
        f"Type the name of the host ({text.escaped(host)}) to go on: "
    )
    sys.stderr.flush()
    return os.fsdecode(sys.stdin.readline().strip())
