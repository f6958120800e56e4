"""The journal of one run: JSON lines, each on disk before anything goes on.

The first line, `run`, carries the runbook itself, so that a run ends as it began whatever is
installed meanwhile. Then, each with its `step`: `answer`; `begin`, the intent before a step, and
`end`, how it ended; `checked`, what was found of what must be true; `skipped`, `passed`; `undone`.
`over` is the last one.
"""

import errno
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kho_console.engine import journal, journal_records
from kho_console.engine.journal_records import Now
from kho_console.engine.runbook.error import RunError
from kho_console.model.action import Action
from kho_console.model.change import described
from kho_console.model.outcome import Outcome
from kho_console.model.record import Who
from kho_console.model.runbook import Step
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import SourceError
from kho_console.source.regular import read_regular

SCHEMA = 1
FILE = "journal.jsonl"

_LARGEST = 16 << 20
_UNKNOWN = Unknown(Cause.NOT_YET, "it does not matter here")
NO_KERNEL = Now(_UNKNOWN, _UNKNOWN, _UNKNOWN)
"""For who reads the machine's journal without asking what became of a kexec."""


class RunJournal:
    """The lines of one run."""

    def __init__(self, folder: Path, who: Who) -> None:
        """Those in a folder; nothing is written yet."""
        self.folder = folder
        self._path = folder / FILE
        self._who = who

    def write(self, boot: str, line: str, **content: object) -> None:
        """Append a line.

        Raises:
            OSError: It is not on disk.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        whole = {
            "schema": SCHEMA,
            "at": at,
            "line": line,
            "boot": boot,
            "who": asdict(self._who),
            **content,
        }
        journal.append(self._path, json.dumps(whole).encode() + b"\n")

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """All lines that can be read; one that was torn as it was written is none.

        Raises:
            RunError: There is no journal.
        """
        try:
            content = read_regular(str(self._path.absolute()), str(self._path), _LARGEST)
        except SourceError as error:
            raise RunError(f"no run: {error.unknown.reason}") from error
        for raw in content.split(b"\n"):
            try:
                found = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and isinstance(found.get("line"), str):
                yield found


class StepJournal(journal.Journal):
    """The machine's journal while it takes a step of a run: the run's own goes around it."""

    def __init__(
        self, run: RunJournal, step: Step, inner: journal.Journal | None, *, undoes: bool
    ) -> None:
        """Write to the run's journal before, and after, the machine's.

        Args:
            run: The run's.
            step: The step.
            inner: The machine's; None where none is kept.
            undoes: Whether the step is taken back.
        """
        self._run = run
        self._step = step
        self._inner = inner
        self._undoes = undoes
        self._boot = ""

    @property
    def path(self) -> Path:
        """The file that cannot be written where one cannot."""
        return self._run.folder / FILE if self._inner is None else self._inner.path

    def begin(self, action: Action, machine: Mapping[str, str], known: str = "") -> str:
        """See `Journal.begin`; both journals have the same id, so that no other action fits."""
        self._boot = machine["boot"]
        known = known or journal.new_id()
        self._run.write(
            self._boot,
            "begin",
            step=self._step.id,
            action=action.name,
            undoes=self._undoes,
            record=known,
            changes=[described(item) for item in action.changes],
            expects=[(item.path, item.value, item.before) for item in action.expects],
            journalled=None if self._inner is None else journalled(self._inner.path),
        )
        return known if self._inner is None else self._inner.begin(action, machine, known)

    def end(self, known: str, action: Action, outcome: Outcome) -> None:
        """See `Journal.end`."""
        try:
            if self._inner is not None:
                self._inner.end(known, action, outcome)
        finally:
            self._run.write(
                self._boot,
                "end",
                step=self._step.id,
                undoes=self._undoes,
                ending=outcome.ending.name.lower(),
                text=outcome.text,
            )


def journalled(path: Path) -> int | None:
    """How many actions a journal has; None where that cannot be told for good."""
    try:
        found = journal_records.read(path, NO_KERNEL)
    except OSError as error:
        return 0 if error.errno == errno.ENOENT else None
    return None if any(item.line == 0 for item in found.damage) else len(found.records)
