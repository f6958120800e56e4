"""Runbooks, their runs, and what their conditions are about."""

from collections.abc import Iterable, Mapping

from kho_console import text
from kho_console.documents.crash import crash
from kho_console.documents.machine import status
from kho_console.documents.shape import Document, check_list, document
from kho_console.model.finding import Finding
from kho_console.model.runbook import Runbook, RunSummary, Step, StepState
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown

_NOT_HEARD = Unknown(Cause.NOT_YET, "events are not listened for")


def facts(
    snapshot: Snapshot,
    findings: Iterable[Finding],
    verdict: Mapping[str, str],
    unseen: Mapping[str, str],
) -> Document:
    """What the conditions of a runbook are about: `status --json`, with `crash --json` in it.

    `unseen` has for findings that could not be looked for why, by their ids.
    """
    more = {"crash": crash(snapshot, _NOT_HEARD), "findings_unseen": dict(unseen)}
    return status(snapshot, findings, verdict) | more


def runbooks(books: Iterable[Runbook], runs: Iterable[RunSummary]) -> Document:
    """The runbooks that there are, and the runs of them."""
    return document(
        runbooks=[
            {
                "name": item.name,
                "version": item.version,
                "title": item.title,
                "steps": len(item.steps),
                "executes": item.executes,
                "twin_only": item.twin_only,
            }
            for item in books
        ],
        runs=[_run(item) for item in runs],
    )


def runbook(book: Runbook) -> Document:
    """A runbook with its steps."""
    return document(
        name=book.name,
        version=book.version,
        title=book.title,
        about=book.about,
        executes=book.executes,
        twin_only=book.twin_only,
        steps=[_step(item) for item in book.steps],
    )


def progress(run: str, book: Runbook, step: Step, now: StepState) -> Document:
    """How a step of a run stands."""
    return document(
        run=run,
        runbook=book.name,
        step=step.id,
        number=book.steps.index(step) + 1,
        steps=len(book.steps),
        kind=step.kind,
        what=text.escaped(step.what),
        standing=now.standing,
        text=text.escaped(now.text),
        checks=check_list(now.checks),
    )


def run_stands(run: str, book: Runbook, *, step: Step | None, need: str, words: str) -> Document:
    """Where a run was left: what it needs to go on, or how it ended."""
    over = Unknown(Cause.ABSENT, "it is over")
    return document(
        run=run,
        runbook=book.name,
        step=over if step is None else step.id,
        need=need,
        text=text.escaped(words),
    )


def _run(found: RunSummary) -> Document:
    goes_on = Unknown(Cause.NOT_YET, "it goes on")
    if found.damage is not None:
        goes_on = found.damage
    return {
        "id": text.escaped(found.id),
        "runbook": text.escaped(found.book),
        "begun": text.escaped(found.begun),
        "over": goes_on if found.over is None else text.escaped(found.over),
        "done": found.done,
        "steps": found.steps,
        "at": found.at or Unknown(Cause.ABSENT, "it is over, or cannot be read"),
    }


def _step(step: Step) -> Document:
    nothing = Unknown(Cause.ABSENT, "it asks nothing")
    asks = step.question
    return {
        "id": step.id,
        "kind": step.kind,
        "what": text.escaped(step.what),
        "why": text.escaped(step.why),
        "question": nothing
        if asks is None
        else {
            "type": asks.kind,
            "default": Unknown(Cause.ABSENT, "it must be answered")
            if asks.default is None
            else text.escaped(asks.default),
            "choices": [text.escaped(item) for item in asks.choices],
        },
        "action": step.action or Unknown(Cause.ABSENT, "it changes nothing"),
        "arguments": {name: text.escaped(value) for name, value in step.arguments},
        "check": [str(item) for item in step.conditions],
        "file": step.file or Unknown(Cause.ABSENT, "it writes none"),
        "when": [str(item) for item in step.when],
        "before": [str(item) for item in step.before],
        "after": [str(item) for item in step.after],
        "undo": step.undo,
        "timeout": step.timeout,
        "optional": step.optional,
    }
