"""How a run begins: where it is kept, and that it may be kept there."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

from kho_console.engine.runbook.error import RunError
from kho_console.engine.runbook.journal import RunJournal
from kho_console.engine.runbook.machine import Machine, boot_of
from kho_console.engine.runbook.place import in_memory
from kho_console.engine.runbook.shelf import open_runs
from kho_console.model.record import Who
from kho_console.model.runbook import Runbook
from kho_console.source.protocol import SourceKind


def begin(book: Runbook, text: str, runs: Path, source: Machine, who: Who) -> Path:
    """Begin a run; its folder.

    Args:
        book: The runbook.
        text: The same as TOML, which the run keeps.
        runs: Where runs are kept.
        source: The machine.
        who: Who asks for it.

    Raises:
        RunError: It may not be run there.
        OSError: Its folder cannot be written.
    """
    live = source.kind is SourceKind.LIVE
    if book.twin_only and live:
        raise RunError(f"{book.name} is for a twin: give --rehearse, or --twin FILE")
    if book.executes and live and (why := in_memory(runs)):
        raise RunError(f"a run of {book.name} has to outlive this kernel, but {why}")
    for other in open_runs(runs):
        if other.book == book.name:
            raise RunError(
                f"{other.id} of the same runbook stands at {other.at}: go on with it by runbook "
                f"resume, or end it by runbook resume --abandon"
            )
    folder = runs / f"{book.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:4]}"
    RunJournal(folder, who).write(
        boot_of(source),
        "run",
        book=book.name,
        version=book.version,
        host=source.facts().hostname,
        source=str(source.kind),
        text=text,
    )
    return folder
