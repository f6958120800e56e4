"""What the lines of a run come to: how each step stands, and what was answered."""

from collections.abc import Iterable, Mapping
from typing import Any

from kho_console.engine.runbook import file
from kho_console.engine.runbook.error import RunbookError, RunError
from kho_console.engine.runbook.journal import SCHEMA
from kho_console.model.check import Check, Result
from kho_console.model.runbook import (
    OVER,
    Intent,
    Kind,
    Runbook,
    Standing,
    Step,
    StepState,
)
from kho_console.model.value import dataclass

_ENDINGS = {
    "done": Standing.DOING,
    "pending": Standing.PENDING,
    "kernel_refused": Standing.FAILED,
    "refused": Standing.FAILED,
    "unproven": Standing.FAILED,
}
_MAY_HAVE_CHANGED = ("done", "pending", "unproven")


@dataclass(frozen=True, slots=True)
class State:
    """How a run stands, as it was written.

    Attributes:
        id: The run.
        book: Its runbook, as it was when the run began.
        begun: When, UTC.
        host: Of which machine.
        source: `live` or `twin`.
        steps: How each step stands.
        answers: What was answered, by the step that asked.
        boot: The boot in which the latest line was written.
        over: How it ended; None while it goes on.
        records: The ids of all its actions in the machine's journal.
    """

    id: str
    book: Runbook
    begun: str
    host: str
    source: str
    steps: Mapping[str, StepState]
    answers: Mapping[str, str]
    boot: str
    over: str | None
    records: frozenset[str]

    @property
    def current(self) -> Step | None:
        """The first step that is not over; None where all are."""
        for step in self.book.steps:
            if self.steps[step.id].standing not in OVER:
                return step
        return None


def state(name: str, lines: Iterable[Mapping[str, Any]]) -> State:
    """The state of a run.

    Args:
        name: The run.
        lines: Its journal.

    Raises:
        RunError: The lines tell of no run.
    """
    every = list(lines)
    head = every[0] if every else {}
    try:
        if head["line"] != "run" or head["schema"] != SCHEMA:
            raise RunError(f"{name} is no run that this console can read")
        text, book_name = head["text"], head["book"]
        book = file.parse(str(text), str(book_name), f"the runbook of {name}")
    except (LookupError, TypeError) as error:
        raise RunError(f"{name} is no run: its first line is damaged") from error
    except RunbookError as error:
        raise RunError(f"{name}: {error}") from error
    fold = _Fold(book)
    for line in every[1:]:
        fold.take(line)
    return State(
        id=name,
        book=book,
        begun=_word(head, "at"),
        host=_word(head, "host"),
        source=_word(head, "source"),
        steps=fold.steps,
        answers=fold.answers,
        boot=_word(every[-1], "boot"),
        over=fold.over,
        records=frozenset(fold.records),
    )


class _Fold:
    """Takes line after line; one that tells nothing is left out."""

    def __init__(self, book: Runbook) -> None:
        self._book = book
        self.steps = {step.id: StepState() for step in book.steps}
        self.answers: dict[str, str] = {}
        self.over: str | None = None
        self.records: set[str] = set()

    def take(self, line: Mapping[str, Any]) -> None:
        if line["line"] == "over":
            self.over = _word(line, "how")
            return
        name = _word(line, "step")
        if name not in self.steps:
            return
        step, before = self._book.step(name), self.steps[name]
        match line["line"]:
            case "answer":
                self.answers[name] = _word(line, "value")
                self._put(line, before, Standing.DONE, self.answers[name] or "none")
            case "begin":
                self._begin(line, before)
            case "end":
                self._end(line, step, before)
            case "checked":
                self._checked(line, before)
            case "skipped":
                self._put(line, before, Standing.SKIPPED, _word(line, "text"))
            case "passed":
                self._put(line, before, Standing.PASSED, _word(line, "text"))

    def _begin(self, line: Mapping[str, Any], before: StepState) -> None:
        intent = _intent(line)
        record = before.record
        if intent is not None and intent.record:
            self.records.add(intent.record)
            record = record if intent.undoes else intent.record
        self._put(
            line,
            before,
            Standing.BEGUN,
            "what came of it is not written yet",
            intent=intent,
            record=record,
        )

    def _end(self, line: Mapping[str, Any], step: Step, before: StepState) -> None:
        ending, text = _word(line, "ending"), _word(line, "text")
        if line.get("undoes") is True:
            self._undo(line, step, before)
            return
        standing = _ENDINGS.get(ending, Standing.FAILED)
        effect = step.kind is Kind.ACTION and ending in _MAY_HAVE_CHANGED
        intent = before.intent if ending in ("pending", "unproven") else None
        self._put(line, before, standing, text, effect=effect, intent=intent)

    def _undo(self, line: Mapping[str, Any], step: Step, before: StepState) -> None:
        """What was not taken back is looked at again; what may have been has to be told first."""
        ending, text = _word(line, "ending"), f"not undone: {_word(line, 'text')}"
        if ending == "done":
            self._wait_again(step)
        elif ending == "unproven":
            self._put(line, before, Standing.BEGUN, text, intent=before.intent)
        else:
            self._put(line, before, Standing.DOING, text)

    def _checked(self, line: Mapping[str, Any], before: StepState) -> None:
        standing = Standing.DONE if line.get("holds") is True else Standing.FAILED
        checks = tuple(map(_check, line.get("checks") or ()))
        self._put(line, before, standing, _word(line, "text"), checks=checks)

    def _wait_again(self, step: Step) -> None:
        """It and what came after it; answers stay."""
        at = self._book.steps.index(step)
        for later in self._book.steps[at:]:
            if later.kind is not Kind.QUESTION:
                self.steps[later.id] = StepState()

    def _put(
        self,
        line: Mapping[str, Any],
        before: StepState,
        standing: Standing,
        text: str,
        *,
        effect: bool | None = None,
        intent: Intent | None = None,
        checks: tuple[Check, ...] = (),
        record: str | None = None,
    ) -> None:
        self.steps[_word(line, "step")] = StepState(
            standing,
            text,
            _word(line, "at"),
            _word(line, "boot"),
            before.effect if effect is None else effect,
            intent,
            checks,
            before.record if record is None else record,
        )


def _intent(line: Mapping[str, Any]) -> Intent | None:
    if not isinstance(line.get("action"), str):
        return None
    journalled = line.get("journalled")
    try:
        return Intent(
            action=line["action"],
            boot=_word(line, "boot"),
            record=_word(line, "record"),
            expects=tuple((path, value, was) for path, value, was in line["expects"]),
            journalled=journalled if type(journalled) is int else None,
            undoes=line.get("undoes") is True,
        )
    except (LookupError, TypeError, ValueError):
        return Intent(line["action"], _word(line, "boot"), "", (), None, line.get("undoes") is True)


def _check(found: Any) -> Check:
    try:
        return Check(
            str(found["id"]),
            Result(found["result"]),
            str(found["text"]),
            None if found["evidence"] is None else str(found["evidence"]),
            None if found["remedy"] is None else str(found["remedy"]),
        )
    except (LookupError, TypeError, ValueError):
        return Check("damaged", Result.UNKNOWN, "what was found here cannot be read")


def _word(line: Mapping[str, Any], key: str) -> str:
    found = line.get(key)
    return found if isinstance(found, str) else ""
