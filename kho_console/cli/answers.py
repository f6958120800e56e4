"""The file with the answers to a runbook's questions."""

from collections.abc import Collection
from pathlib import Path

from kho_console.engine.runbook.answer import wrong_answer
from kho_console.engine.runbook.error import RunbookError
from kho_console.engine.runbook.file import content, document
from kho_console.model.runbook import Kind, Runbook
from kho_console.model.value import dataclass
from kho_console.toml_lines import key_lines

_SKIP = "skip"


class AnswersError(Exception):
    """A file of answers that is not as it must be; each fault names its line."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered before anybody asked.

    Attributes:
        values: By the step that asks.
        skip: The steps to leave out.
    """

    values: dict[str, str]
    skip: frozenset[str]


NONE = Answers({}, frozenset())


def read(place: str | None, book: Runbook) -> Answers:
    """The answers in a file; none where no file is named.

    Raises:
        AnswersError: It cannot be read, or says what no step asks for.
    """
    if place is None:
        return NONE
    try:
        text = content(Path(place))
        found = document(text, place)
    except RunbookError as error:
        raise AnswersError(*error.faults) from error
    lines = key_lines(text)
    faults, values, skip = [], {}, frozenset[str]()
    for name, value in found.items():
        at = f"{place}: line {lines.get((name,), 1)}: {ascii(name)[1:-1]}: "
        if name == _SKIP:
            wrong, skip = _skipped(value, book)
        else:
            word = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            word = {True: "yes", False: "no"}[word] if isinstance(word, bool) else word
            wrong = _wrong(name, word, book)
            values[name] = word
        if wrong is not None:
            faults.append(at + wrong)
    if faults:
        raise AnswersError(*faults)
    return Answers(values, skip)


def missing(answers: Answers, book: Runbook) -> tuple[str, ...]:
    """The questions that nobody has answered, and that have no default."""
    return tuple(
        step.id
        for step in book.steps
        if step.question is not None
        and step.question.default is None
        and step.id not in answers.values
    )


def template(names: Collection[str], book: Runbook) -> tuple[str, ...]:
    """A line of the file for each of these questions, with the kind of its answer."""
    asked = ((step, step.question) for step in book.steps if step.id in names)
    return tuple(
        f'{step.id} = ""  # {", ".join(question.choices) or question.kind}: {step.what}'
        for step, question in asked
        if question is not None
    )


def _wrong(name: str, value: object, book: Runbook) -> str | None:
    step = next((step for step in book.steps if step.id == name), None)
    if step is None or step.kind is not Kind.QUESTION or step.question is None:
        asked = ", ".join(step.id for step in book.steps if step.kind is Kind.QUESTION)
        return f"{book.name} does not ask for it; it asks for {asked or 'nothing'}"
    if not isinstance(value, str):
        return "expected words"
    return wrong_answer(step.question, value)


def _skipped(value: object, book: Runbook) -> tuple[str | None, frozenset[str]]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return "expected a list of steps", frozenset()
    optional = [step.id for step in book.steps if step.optional]
    wrong = [item for item in value if item not in optional]
    if wrong:
        known = ", ".join(optional) or "none"
        return f"{ascii(wrong[0])[1:-1]} may not be skipped; those that may: {known}", frozenset()
    return None, frozenset(value)
