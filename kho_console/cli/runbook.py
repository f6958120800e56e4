"""The verb `runbook`: guided procedures, begun, gone on with and taken back."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kho_console import text
from kho_console.cli import answers, exit_code, output, writing
from kho_console.cli.answers import AnswersError
from kho_console.cli.guided import CODES, Guide
from kho_console.cli.predicted import planned
from kho_console.cli.progress import Progress
from kho_console.cli.runbook_options import LIST, RESUME, RUN, SHOW, UNDO
from kho_console.documents import acting as action_documents
from kho_console.documents import runbook as documents
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import plan
from kho_console.engine.opening import LIVE, Source, writable
from kho_console.engine.runbook import shelf
from kho_console.engine.runbook.actions import undoing
from kho_console.engine.runbook.begin import begin
from kho_console.engine.runbook.error import RunbookError, RunError
from kho_console.engine.runbook.machine import Machine
from kho_console.engine.runbook.run import Run
from kho_console.engine.who import who
from kho_console.engine.writer_lock import LockedError
from kho_console.model.action import NotApplicable
from kho_console.model.runbook import Kind, Runbook, Step
from kho_console.model.unknown import Cause, Unknown

_NOT_PREDICTED = Unknown(Cause.ABSENT, "what is undone is not predicted")


class _Refused(Exception):
    """The call ends here, with an exit code."""

    def __init__(self, code: int, *words: str) -> None:
        super().__init__("; ".join(words))
        self.code = code
        self.words = words


def runbook(source: Source, wanted: Namespace) -> int:
    """List, show, run, resume or undo."""
    verbs = {LIST: _list, SHOW: _show, RUN: _run, RESUME: _resume, UNDO: _undo}
    try:
        return verbs[wanted.what](source, wanted)
    except _Refused as refused:
        for words in refused.words:
            output.say(text.escaped(words))
        return refused.code
    except (LockedError, RunError) as error:
        output.say(text.escaped(str(error)))
        return exit_code.REFUSED
    except BrokenPipeError:
        raise
    except OSError as error:
        output.say(text.escaped(str(error)))
        return exit_code.REFUSED


def _list(source: Source, wanted: Namespace) -> int:
    folder = writing.runs_folder(source, wanted)
    runs = () if folder is None else shelf.runs(folder)
    books = shelf.shipped()
    if wanted.json:
        output.document(documents.runbooks(books, runs))
        return exit_code.DONE
    rows = [(item.name, str(len(item.steps)), item.title) for item in books]
    output.table(rows, ("runbook", "steps", "what it is for"), right=(1,))
    if runs:
        output.line()
        stands = [
            (item.id, f"{item.done}/{item.steps}", item.over or f"stands at {item.at}")
            if item.damage is None
            else (item.id, "", text.why(item.damage))
            for item in runs
        ]
        output.table([tuple(map(text.escaped, item)) for item in stands], ("run", "done", "how"))
    return exit_code.DONE


def _show(source: Source, wanted: Namespace) -> int:
    book = _book(wanted.name)
    if wanted.json:
        output.document(documents.runbook(book))
        return exit_code.DONE
    output.line(f"{book.name}, version {book.version}: {text.escaped(book.title)}")
    output.line(text.escaped(book.about))
    for number, step in enumerate(book.steps, 1):
        output.line()
        for line in _step(number, step):
            output.line(line)
    return exit_code.DONE


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"{number:>2}  {step.id}: {text.escaped(step.what)}"
    yield f"    why     {text.escaped(step.why)}"
    if step.question is not None:
        default = step.question.default
        told = "must be answered" if default is None else f"default {text.escaped(default) or '-'}"
        yield f"    asks    {step.question.kind}, {told}"
    if step.action:
        given = ", ".join(f"{name}={text.escaped(value)}" for name, value in step.arguments)
        yield f"    does    {step.action} {given}".rstrip()
    if step.file:
        yield f"    {step.kind:<7} {step.file}"
    lists = (
        ("when", step.when),
        ("before", step.before),
        ("checks", step.conditions),
        ("after", step.after),
    )
    for name, conditions in lists:
        yield from (f"    {name:<7} {text.escaped(str(item))}" for item in conditions)
    if step.action:
        yield f"    undone  {undoing(step.undo)}"
    notes = [f"waits up to {step.timeout:g} s"] if step.timeout else []
    notes += ["may be skipped"] if step.optional else []
    if notes:
        yield f"    note    {', '.join(notes)}"


def _run(source: Source, wanted: Namespace) -> int:
    book = _book(wanted.name)
    given = _answers(wanted, book)
    missing = answers.missing(given, book)
    if missing and not _somebody():
        words = f"no answer to {', '.join(missing)}: give --answers FILE, with"
        raise _Refused(exit_code.USAGE, words, *answers.template(missing, book))
    machine = _machine(source, wanted, book)
    with _kept(source, wanted) as (folder, writer):
        content = shelf.path(wanted.name).read_text("utf-8")
        begun = begin(book, content, folder, machine, who())
        run = Run(begun, machine, writer, who(), documents.facts)
        if not wanted.json:
            kept = f"kept in {text.escaped(str(run.folder))}"
            if writing.runs_folder(source, wanted) is None:
                kept = "of which nothing is kept: --twin FILE keeps a rehearsal"
            output.report(f"run {run.folder.name} of {book.name}, {kept}")
        return Guide(run, source, wanted, given).go()


def _resume(source: Source, wanted: Namespace) -> int:
    with _opened(source, wanted) as run:
        if wanted.abandon:
            run.abandon()
            Progress(run.folder.name, wanted.json).end(run.state.book, run.position())
            return exit_code.DONE
        given = _answers(wanted, run.state.book)
        return Guide(run, source, wanted, given).go()


def _undo(source: Source, wanted: Namespace) -> int:
    with _opened(source, wanted) as run:
        run.position()
        step = run.undoable()
        if isinstance(step, str):
            raise _Refused(exit_code.NOT_AVAILABLE, step)
        machine, planner = writable(source), run.planner(step, undo=True)
        assert machine is not None
        found = plan(machine, planner)
        if isinstance(found, NotApplicable):
            raise _Refused(exit_code.NOT_AVAILABLE, f"{step.id}: {found.reason}")
        if wanted.dry_run:
            return planned(source, planner, found, as_json=wanted.json)
        if found.obstacles:
            words = "; ".join(item.text for item in found.obstacles)
            raise _Refused(exit_code.REFUSED, f"{step.undo}: {words}")
        refusal = writing.refusal(source, found, wanted)
        if refusal is not None:
            raise _Refused(exit_code.REFUSED, f"{step.undo}: {refusal}")
        for effect in () if wanted.json else found.effects:
            output.report(f"effect  {effect}")
        ended = perform(machine, planner, found, run.writer(step, undo=True))
        if wanted.json:
            output.document(action_documents.action(found, ended, _NOT_PREDICTED))
        else:
            words = f"{ended.ending}: {text.escaped(ended.text)}"
            output.report(f"{step.id} undone by {step.undo}: {words}")
        return CODES[ended.ending]


def _book(word: str) -> Runbook:
    try:
        return shelf.read(word)
    except RunbookError as error:
        code = exit_code.USAGE if word.endswith(".toml") else exit_code.NOT_AVAILABLE
        raise _Refused(code, *error.faults) from error


def _answers(wanted: Namespace, book: Runbook) -> answers.Answers:
    try:
        return answers.read(wanted.answers, book)
    except AnswersError as error:
        raise _Refused(exit_code.USAGE, *error.faults) from error


def _somebody() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def _opened(source: Source, wanted: Namespace) -> Iterator[Run]:
    """The run that is named, or the one that goes on, with the lock."""
    folder = writing.runs_folder(source, wanted)
    if folder is None:
        words = "runs are kept of this machine, and of a twin in a file: give --twin FILE"
        raise _Refused(exit_code.NOT_AVAILABLE, words)
    name = wanted.run or _only(folder)
    if "/" in name or name in ("", ".", "..") or not (folder / name).is_dir():
        raise _Refused(exit_code.NOT_AVAILABLE, f"{folder} has no run {name}")
    machine = _machine(source, wanted, shelf.told(folder / name).book)
    with _kept(source, wanted) as (_, writer):
        any_host = wanted.any_host
        yield Run(folder / name, machine, writer, who(), documents.facts, any_host=any_host)


def _only(folder: Path) -> str:
    found = shelf.open_runs(folder)
    if not found:
        damaged = [
            f"{item.id} cannot be read: {item.damage.reason}"
            for item in shelf.runs(folder)
            if item.damage is not None
        ]
        words = f"no {'other ' if damaged else ''}run goes on in {folder}"
        raise _Refused(exit_code.NOT_AVAILABLE, *damaged, words)
    if len(found) > 1:
        names = ", ".join(item.id for item in found)
        raise _Refused(exit_code.USAGE, f"several runs go on: name one of {names}")
    return found[0].id


def _machine(source: Source, wanted: Namespace, book: Runbook) -> Machine:
    """The machine as one that a run may be on."""
    machine = writable(source)
    if machine is None:
        words = f"{source.name} is a recording: --rehearse takes a twin of it"
        raise _Refused(exit_code.NOT_AVAILABLE, words)
    changes = any(step.kind is Kind.ACTION for step in book.steps)
    looks_only = wanted.what == UNDO and wanted.dry_run
    if source.kind == LIVE and changes and not (wanted.write or looks_only):
        words = "a live machine is only looked at; --write lets it be changed"
        raise _Refused(exit_code.REFUSED, words)
    return machine


@contextmanager
def _kept(source: Source, wanted: Namespace) -> Iterator[tuple[Path, Writer]]:
    """Where runs are kept, and the machine's journal with its lock taken."""
    writer = writing.writer(source, wanted)
    with ExitStack() as stack:
        if writer.lock is not None:
            stack.enter_context(writer.lock)
        folder = writing.runs_folder(source, wanted)
        if folder is None:
            if source.kind == LIVE:
                words = "there is no folder to keep the run in; set HOME or XDG_STATE_HOME"
                raise _Refused(exit_code.REFUSED, words)
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="kho-console-")))
        yield folder, writer
