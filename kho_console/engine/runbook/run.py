"""One run of a runbook: where it stands, and each way to go on.

Faces drive it: they ask for the position, get what it needs, and hand it over. What changes the
machine goes through `kho_console.engine.actions` as everywhere; a run gives it the planner and the
journal. Whoever drives a run holds the machine's lock, so that there is one at a time.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from kho_console.engine.actions.perform import Writer
from kho_console.engine.actions.planning import Planner
from kho_console.engine.diagnose import diagnose
from kho_console.engine.findings.unseen import unseen
from kho_console.engine.image_files import NOBODY, Watch
from kho_console.engine.observe import observe
from kho_console.engine.runbook import actions, conditions
from kho_console.engine.runbook.answer import wrong_answer
from kho_console.engine.runbook.became import Became, became
from kho_console.engine.runbook.error import RunError
from kho_console.engine.runbook.evidence import preflight, record, verify
from kho_console.engine.runbook.journal import RunJournal, StepJournal
from kho_console.engine.runbook.machine import Machine, boot_of
from kho_console.engine.runbook.others import still_own
from kho_console.engine.runbook.position import forbids, need, on_its_way, since_kexec
from kho_console.engine.runbook.state import State, state
from kho_console.engine.runbook.telling import foreseen, told
from kho_console.engine.verdict import judge
from kho_console.model.check import Check, Result
from kho_console.model.finding import Finding
from kho_console.model.record import Who
from kho_console.model.runbook import (
    NOTHING,
    AnswerKind,
    Condition,
    Kind,
    Need,
    Position,
    Standing,
    Step,
    StepState,
)
from kho_console.model.snapshot import Snapshot

_Words = Mapping[str, str]
Facts = Callable[[Snapshot, Sequence[Finding], _Words, _Words], Mapping[str, Any]]
"""Makes the document that conditions are about: of the machine, its findings, the verdict, and
why findings could not be looked for."""

_EACH_LOOK = 1.0
"""Seconds between two looks while something must become true."""


class Run:
    """A run in its folder, on the machine as it is."""

    def __init__(
        self,
        folder: Path,
        source: Machine,
        writer: Writer,
        who: Who,
        facts: Facts,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        *,
        any_host: bool = False,
    ) -> None:
        """Go on with a run.

        Args:
            folder: Its folder.
            source: The machine.
            writer: The machine's journal and lock.
            who: Who goes on with it.
            facts: What conditions are about.
            pause: Waits for seconds.
            clock: Monotonic seconds.
            any_host: Take the machine for the run's, renamed.

        Raises:
            RunError: It is none, or it is another machine's.
        """
        self._source = source
        self._writer = writer
        self._journal = RunJournal(folder, who)
        self._facts = facts
        self._pause = pause
        self._clock = clock
        self._any_host = any_host
        host, found = source.facts().hostname, self.state
        other = found.host != host and not any_host
        if other or found.source != str(source.kind):
            hint = "; where it was renamed: runbook resume --any-host" if other else ""
            raise RunError(
                f"{found.id} is a run on {found.host} ({found.source}), not on {host} "
                f"({source.kind}){hint}"
            )

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self._journal.folder

    @property
    def state(self) -> State:
        """How it stands, as it was written.

        Raises:
            RunError: It cannot be read any more.
        """
        return state(self.folder.name, self._journal.lines())

    def position(self) -> Position:
        """What it needs next, after what can be settled by looking is settled.

        Raises:
            RunError: It cannot be read any more.
            OSError: What was found cannot be written.
        """
        while True:
            found = self.state
            if found.over is not None:
                return Position(Need.NOTHING, None, found.over)
            lost = self._lost(found)
            if lost:
                self._over(f"lost: {lost}")
                continue
            step = found.current
            if step is None:
                self._over("finished")
                continue
            now = found.steps[step.id]
            if now.standing is Standing.WAITING and self._not_needed(step, found):
                continue
            if now.intent is not None:
                waits = self._settle(found, step, now)
                if waits is None:
                    continue
                return waits
            return Position(need(step, now), step, now.text, now.checks)

    def ready(self, step: Step) -> tuple[Check, ...]:
        """What must be true before a step, once it is or its time is over; nothing after it."""
        now = self.state.steps[step.id]
        if now.effect or now.standing is Standing.DOING:
            return ()
        return self._wait(step.before, step.timeout)

    def answer(self, step: Step, word: str) -> str | None:
        """Take an answer; why it is none, or None.

        Raises:
            OSError: It cannot be written.
        """
        question = step.question
        wrong = "this is no question" if question is None else wrong_answer(question, word)
        if question is None or wrong is not None:
            return wrong
        if question.kind is AnswerKind.FILE:
            word = actions.whole_path(word)
        self._write("answer", step, value=word)
        return None

    def check(self, step: Step, watch: Watch = NOBODY) -> bool:
        """Look at what a step checks, records or verifies, and at what must be true after it.

        Raises:
            CancelledError: The reading of an image was called off.
            OSError: What was found cannot be written.
        """
        if step.kind is not Kind.ACTION:
            self._write("begin", step)
        text, found = self._looked(step, watch)
        holds = not any(forbids(step, item) for item in found)
        if holds and step.after:
            after = self._wait(step.after, step.timeout)
            found = (*found, *after)
            holds = all(item.result is Result.PASS for item in after)
        said = text if holds and text else told(found)
        self._write("checked", step, holds=holds, text=said, checks=_plain(found))
        return holds

    def fail(self, step: Step, text: str, checks: Iterable[Check] = ()) -> None:
        """Write that a step could not be begun.

        Raises:
            OSError: It cannot be written.
        """
        self._write("checked", step, holds=False, text=text, checks=_plain(checks))

    def skip(self, step: Step) -> str | None:
        """Leave a step out; why not, or None.

        Raises:
            OSError: It cannot be written.
        """
        if not step.optional:
            return f"{step.id} may not be skipped"
        self._write("skipped", step, text="skipped by the operator")
        return None

    def decide(self, step: Step, *, done: bool) -> None:
        """Take the operator's word for what became of an action.

        Raises:
            OSError: It cannot be written.
        """
        now = self.state.steps[step.id]
        undoes = now.intent is not None and now.intent.undoes
        text = f"the operator says that it was {'' if done else 'not '}done"
        self._end(step, "done" if done else "refused", text, undoes=undoes)

    def abandon(self) -> None:
        """End it where it stands.

        Raises:
            OSError: It cannot be written.
        """
        self._over("abandoned")

    def planner(self, step: Step, watch: Watch = NOBODY, *, undo: bool = False) -> Planner:
        """What plans a step's action, or the one that undoes it."""
        arguments = self.arguments(step)
        planner = actions.planner(step.undo if undo else step.action, arguments, watch)
        found = self.state
        touched = step if undo else _own_load(found) if step.executes else None
        path = self._machine_journal
        if touched is None or path is None:
            return planner
        return partial(still_own, planner, path, found.steps[touched.id].record, found.records)

    def arguments(self, step: Step) -> dict[str, str]:
        """The arguments of a step, with the answers in them."""
        answers = self.state.answers
        return {name: conditions.filled(value, answers) for name, value in step.arguments}

    def writer(self, step: Step, *, undo: bool = False) -> Writer:
        """The journals and the lock for a step's action."""
        journal = StepJournal(self._journal, step, self._writer.journal, undoes=undo)
        return replace(self._writer, journal=journal)

    def undoable(self) -> Step | str:
        """The latest step that changed this machine, or why it is not undone from here."""
        found = self.state
        if found.over is not None:
            return f"the run is over ({found.over}): nothing of it is taken back from here"
        for step in reversed(since_kexec(found)):
            if found.steps[step.id].effect:
                return f"nothing undoes {step.id}" if step.undo == NOTHING else step
        return "this run has changed nothing in this boot that could be undone"

    def _lost(self, found: State) -> str:
        """What was done in a boot that is over; empty where nothing was."""
        boot = boot_of(self._source)
        gone = []
        for step in since_kexec(found):
            now = found.steps[step.id]
            begun = now.intent is not None and not step.executes
            if (now.effect or begun) and now.boot != boot and not step.executes:
                gone.append(step.id)
        if not gone or on_its_way(found):
            return ""
        return f"the machine was started again in between, and {', '.join(gone)} with it is gone"

    def _not_needed(self, step: Step, found: State) -> bool:
        """Whether the machine has no such step; then that is written."""
        if not step.when:
            return False
        checks = self._evaluated(step.when, found)
        wrong = [item.evidence or item.text for item in checks if item.result is Result.FAIL]
        if wrong:
            self._write("passed", step, text="; ".join(wrong))
        return bool(wrong)

    def _settle(self, found: State, step: Step, now: StepState) -> Position | None:
        """Write what became of an action; where that cannot be told, what is needed to."""
        intent = now.intent
        assert intent is not None
        told = became(
            intent,
            self._source,
            boot_of(self._source),
            self._machine_journal,
            own=found.records,
            standing=now.standing,
        )
        match told.became:
            case Became.DONE:
                self._end(step, "done", told.text, undoes=intent.undoes)
            case Became.NOT_DONE:
                self._end(step, "refused", told.text, undoes=intent.undoes)
            case Became.LOST:
                self._over(f"lost: {told.text}")
            case Became.ON_ITS_WAY:
                late = not 0 <= _seconds_since(now.at) < step.timeout
                return Position(Need.DECIDE if late else Need.REBOOT, step, told.text)
            case Became.UNKNOWN:
                return Position(Need.DECIDE, step, told.text)
        return None

    def _looked(self, step: Step, watch: Watch) -> tuple[str, tuple[Check, ...]]:
        match step.kind:
            case Kind.CHECK:
                return "", self._wait(step.conditions, step.timeout)
            case Kind.PREFLIGHT:
                found = preflight(self._source, self.arguments(step), watch)
                return "", foreseen(self.state.book, step, found)
            case Kind.RECORD:
                return record(self._source, self.folder, step.file), ()
            case Kind.VERIFY:
                return "", verify(self._source, self.folder, step.file, any_host=self._any_host)
            case Kind.QUESTION | Kind.ACTION:
                return "", ()

    def _wait(self, wanted: tuple[Condition, ...], timeout: float) -> tuple[Check, ...]:
        """The conditions as soon as all hold, or when the time is over."""
        if not wanted:
            return ()
        end = self._clock() + timeout
        while True:
            found = self._evaluated(wanted, self.state)
            left = end - self._clock()
            if left <= 0 or all(item.result is Result.PASS for item in found):
                return found
            self._pause(min(_EACH_LOOK, left))

    def _evaluated(self, wanted: tuple[Condition, ...], found: State) -> tuple[Check, ...]:
        seen = observe(self._source)
        findings = diagnose(seen)
        facts = self._facts(seen, findings, asdict(judge(seen, findings)), unseen(seen))
        return conditions.evaluate(wanted, facts, found.answers)

    @property
    def _machine_journal(self) -> Path | None:
        return None if self._writer.journal is None else self._writer.journal.path

    def _end(self, step: Step, ending: str, text: str, *, undoes: bool) -> None:
        self._write("end", step, ending=ending, text=text, undoes=undoes)

    def _over(self, how: str) -> None:
        self._journal.write(boot_of(self._source), "over", how=how)

    def _write(self, line: str, step: Step, **content: object) -> None:
        self._journal.write(boot_of(self._source), line, step=step.id, **content)


def _own_load(found: State) -> Step | None:
    """The step that loaded the image which an execute would start."""
    for step in reversed(since_kexec(found)):
        crash = dict(step.arguments).get("crash") in actions.CRASH
        if step.action == "load" and not crash and found.steps[step.id].effect:
            return step
    return None


def _seconds_since(at: str) -> float:
    """By the wall clock, as only that is written down."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    except (ValueError, TypeError):
        return -1.0


def _plain(checks: Iterable[Check]) -> list[dict[str, Any]]:
    return [asdict(item) for item in checks]
