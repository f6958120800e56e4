"""The journal: one JSON line before and one after each change, on disk before anything goes on.

A line has `step` `begin` or `end`; both of an action have its `id`. A begin without an end is an
action during which the console, or the machine, went away.
"""

import json
import os
import stat
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from kho_console.engine import system_journal, whole_file
from kho_console.model.action import Action
from kho_console.model.change import described
from kho_console.model.outcome import Outcome
from kho_console.model.record import Who

SCHEMA = 1


class Journal:
    """Appends to one file; reading it is `kho_console.engine.journal_records`."""

    def __init__(self, path: Path, who: Who, mirror: Path | None = system_journal.SOCKET) -> None:
        """Write to `path`.

        Args:
            path: The file, made when it is first written to.
            who: Who asks for the changes.
            mirror: The socket of the system journal; None for no copy there.
        """
        self._path = path
        self._who = who
        self._mirror = mirror

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def begin(self, action: Action, machine: Mapping[str, str], known: str = "") -> str:
        """Write what is about to be done; the id for its end.

        Args:
            action: What.
            machine: `source`, `host` and `boot` of the machine it is done to.
            known: An id from `new_id` that was written elsewhere before; empty for one of its own.

        Raises:
            OSError: It is not on disk.
        """
        known = known or new_id()
        expected = [{"path": item.path, "value": item.value} for item in action.expects]
        self._append(
            {
                "step": "begin",
                "id": known,
                **machine,
                "who": asdict(self._who),
                "action": action.name,
                "changes": [described(item) for item in action.changes],
                "expected": expected,
                "undone_by": action.undone_by,
            }
        )
        self._tell(f"begins: {action.title}", known, action.name)
        return known

    def end(self, known: str, action: Action, outcome: Outcome) -> None:
        """Write how it ended.

        Raises:
            OSError: It is not on disk.
        """
        explained = outcome.explained
        self._append(
            {
                "step": "end",
                "id": known,
                "ending": outcome.ending.name.lower(),
                "errno": None if explained is None else explained.name,
                "found": [{"path": item.path, "value": item.found} for item in outcome.found],
                "text": outcome.text,
            }
        )
        self._tell(f"{outcome.ending}: {outcome.text}", known, action.name)

    def _append(self, content: Mapping[str, object]) -> None:
        line = {"schema": SCHEMA, "at": _now(), **content}
        append(self._path, json.dumps(line).encode() + b"\n")

    def _tell(self, words: str, known: str, action: str) -> None:
        if self._mirror is not None:
            fields = {"KHO_ACTION": action, "KHO_JOURNAL_ID": known}
            system_journal.tell(f"{action} by {self._who.user} {words}", fields, self._mirror)


def new_id() -> str:
    """An id that no other action has."""
    return uuid.uuid4().hex


def append(path: Path, line: bytes) -> None:
    """Append a whole line, and wait until it is on disk; one that was torn stays apart.

    Raises:
        OSError: It could not be written, or the file is none that a journal may be.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = not path.exists()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is no regular file")
        torn = found.st_size and os.pread(descriptor, 1, found.st_size - 1) != b"\n"
        _write_all(descriptor, b"\n" + line if torn else line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        whole_file.sync(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
