"""Runbooks, runs and steps as rows."""

from collections.abc import Mapping

from kho_console import text
from kho_console.engine.runbook import conditions
from kho_console.engine.runbook.actions import undoing
from kho_console.model.runbook import Runbook, RunSummary, Standing, Step, StepState
from kho_console.tui.action_rows import check_rows
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Piece, Row, column, row

_NAME = 22
_STEP = 12
_NARROW = 60

SIGNS: Mapping[Standing, Piece] = {
    Standing.WAITING: ("   ", ""),
    Standing.BEGUN: ("!  ", "warning"),
    Standing.DOING: ("?  ", "warning"),
    Standing.PENDING: ("?  ", "warning"),
    Standing.DONE: ("ok ", "good"),
    Standing.FAILED: ("x  ", "error"),
    Standing.SKIPPED: ("-  ", "dim"),
    Standing.PASSED: ("-  ", "dim"),
}


def book_line(book: Runbook, width: int) -> Row:
    """A runbook on one line."""
    if width < _NARROW:
        return row("   ", (column(book.name, width - 3), "strong"))
    rest = max(width - _NAME - 14, 8)
    steps = f"{len(book.steps):>2} steps  "
    return row("   ", (column(book.name, _NAME), "strong"), steps, column(book.title, rest))


def run_line(found: RunSummary, width: int) -> Row:
    """A run that goes on, on one line."""
    words = f"{found.book} stands at step {min(found.done + 1, found.steps)} of {found.steps}"
    words += f", {found.at}" if found.at else ""
    return row(("!  ", "warning"), (column(text.escaped(words), max(width - 3, 8)), "warning"))


def step_line(
    number: int, step: Step, now: StepState, answer: str | None, width: int, *, here: bool
) -> Row:
    """A step on one line: how it stands, and what it is, or what was answered."""
    sign = ("=> ", "strong") if here and now.standing is Standing.WAITING else SIGNS[now.standing]
    name = f"{number:>2} {column(step.id, _STEP)} "
    if width < _NARROW:
        words = step.what if answer is None else f"{step.id} {text.escaped(answer) or 'none'}"
        return row(sign, (column(f"{number:>2} {words}", width - 3), "strong" if here else ""))
    rest = max(width - 3 - len(name), 8)
    words = text.escaped(step.what)
    if answer is not None:
        words = text.escaped(answer) or "none"
    elif now.standing is not Standing.WAITING:
        words += f" · {now.standing}"
    return row(sign, (name, "strong"), (column(words, rest), "" if here else "dim"))


def book_detail(book: Runbook, width: int) -> list[Row]:
    """What a runbook is for."""
    rows = labelled("for", text.escaped(book.about), width)
    if book.executes:
        rows += labelled("kexec", "a run of it goes on in the next kernel", width)
    if book.twin_only:
        rows += labelled("twin", "it is kept from live machines", width)
    return rows + labelled("version", str(book.version), width, "dim")


def run_detail(found: RunSummary, width: int) -> list[Row]:
    """What is known of a run that goes on."""
    rows = labelled("run", text.escaped(found.id), width)
    rows += labelled("begun", text.escaped(found.begun), width)
    return rows + labelled("stands", f"at {text.escaped(found.at)}; Enter goes on with it", width)


def _filled(words: str, answers: Mapping[str, str]) -> str:
    known = all(name in answers for name in conditions.answers_in(words))
    return conditions.filled(words, answers) if known else words


def step_detail(step: Step, now: StepState, answers: Mapping[str, str], width: int) -> list[Row]:
    """What a step does, why, how it stands and what shows it."""
    answer = answers.get(step.id)
    rows = labelled("what", text.escaped(step.what), width)
    rows += labelled("why", text.escaped(step.why), width)
    if now.standing is not Standing.WAITING:
        words = f"{now.standing}: {text.escaped(now.text)}" if now.text else str(now.standing)
        rows += labelled("stands", words, width)
    if step.question is not None:
        asks = ", ".join(map(text.escaped, step.question.choices)) or str(step.question.kind)
        rows += labelled("asks", asks, width, "dim")
    if answer is not None:
        rows += labelled("answer", text.escaped(answer) or "none", width)
    rows += check_rows(now.checks, width)
    lists = (
        ("when", step.when),
        ("before", step.before),
        ("checks", step.conditions),
        ("after", step.after),
    )
    for name, wanted in lists:
        for item in wanted:
            rows += labelled(name, text.escaped(str(item)), width, "dim")
    if step.action:
        given = ", ".join(
            f"{name}={text.escaped(_filled(value, answers))}" for name, value in step.arguments
        )
        rows += labelled("does", f"{step.action} {given}".rstrip(), width)
        rows += labelled("undone", undoing(step.undo), width)
    if step.optional:
        rows += labelled("skip", "it may be skipped", width, "dim")
    return rows
