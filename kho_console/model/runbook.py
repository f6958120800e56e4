"""A guided procedure, and how far one run of it has come."""

from enum import StrEnum

from kho_console.model.check import Check
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass

EXECUTE = "execute"
"""The action that the running kernel ends with."""

NOTHING = "nothing"
"""What undoes a step that nothing undoes."""


class Kind(StrEnum):
    """What a step is."""

    QUESTION = "question"
    CHECK = "check"
    PREFLIGHT = "preflight"
    ACTION = "action"
    RECORD = "record"
    VERIFY = "verify"


class AnswerKind(StrEnum):
    """What an answer must be."""

    TEXT = "text"
    FILE = "file"
    """A file that is there, or a kernel that only a twin has."""
    NUMBER = "number"
    YES_NO = "yes-no"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Question:
    """What a step asks the operator.

    Attributes:
        kind: What the answer must be.
        default: What it is where nobody answers; None where somebody must.
        choices: The answers that there are, for a choice.
    """

    kind: AnswerKind
    default: str | None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be true of the machine.

    Attributes:
        subject: A key of `status --json`, dotted; `crash.` before one of `crash --json`.
        operator: `is`, `is not`, `has`, `lacks`, `at least` or `at most`.
        value: What it is held against; `{ID}` is the answer to a question.
    """

    subject: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.subject} {self.operator} {self.value}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a runbook.

    Attributes:
        id: Its name.
        kind: What it is.
        what: What is done, in a phrase.
        why: What it is good for.
        question: What it asks.
        action: The action that it is, by its name.
        arguments: What the action or the preflight is given; `{ID}` is the answer to a question.
        conditions: What it checks.
        file: The recording that it writes or verifies against, in the folder of the run.
        when: Where one of these is false, there is no such step on the machine.
        before: What must be true before it.
        after: What must be true after it.
        undo: The action that undoes it, or `nothing`.
        timeout: Seconds in which what it wants must become true.
        optional: Whether it may be skipped.
    """

    id: str
    kind: Kind
    what: str
    why: str
    question: Question | None = None
    action: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    file: str = ""
    when: tuple[Condition, ...] = ()
    before: tuple[Condition, ...] = ()
    after: tuple[Condition, ...] = ()
    undo: str = NOTHING
    timeout: float = 0.0
    optional: bool = False

    @property
    def executes(self) -> bool:
        """Whether the running kernel ends with it."""
        return self.action == EXECUTE


@dataclass(frozen=True, slots=True)
class Runbook:
    """A procedure.

    Attributes:
        name: Its name.
        version: Counted up when its steps change.
        title: What it is for, in a phrase.
        about: The same in sentences.
        twin_only: Whether it is kept from live machines.
        steps: In order.
    """

    name: str
    version: int
    title: str
    about: str
    twin_only: bool
    steps: tuple[Step, ...]

    @property
    def executes(self) -> bool:
        """Whether a run of it has to survive the end of the running kernel."""
        return any(step.executes for step in self.steps)

    def step(self, name: str) -> Step:
        """The step called `name`.

        Raises:
            KeyError: There is none.
        """
        for step in self.steps:
            if step.id == name:
                return step
        raise KeyError(name)


class Standing(StrEnum):
    """How a step of a run stands."""

    WAITING = "waiting"
    BEGUN = "begun"
    """Its intent is written, its outcome is not: it is not repeated before that is known."""
    DOING = "not checked yet"
    """The action is done; what must be true after it was not looked at."""
    PENDING = "pending"
    """The kexec is on its way; the next kernel goes on."""
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    PASSED = "not needed here"


OVER = (Standing.DONE, Standing.SKIPPED, Standing.PASSED)
"""Standings that the next step may follow."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What was written before an action.

    Attributes:
        action: Its name.
        boot: The boot that it was asked of.
        record: Its id in the machine's journal.
        expects: Path, value expected, and value before.
        journalled: How many actions the machine's journal had then; None where that is not known.
        undoes: Whether it takes the step back.
    """

    action: str
    boot: str
    record: str
    expects: tuple[tuple[str, str | None, str | None], ...]
    journalled: int | None
    undoes: bool


@dataclass(frozen=True, slots=True)
class StepState:
    """How a step of a run stands.

    Attributes:
        standing: In one word.
        text: The same in words.
        at: When that was written, UTC; empty for a step that waits.
        boot: The boot in which it was written.
        effect: Whether it has changed the machine, and was not undone.
        intent: What was written before the action; None for none.
        checks: What was found.
        record: The id in the machine's journal of the action that was begun last.
    """

    standing: Standing = Standing.WAITING
    text: str = ""
    at: str = ""
    boot: str = ""
    effect: bool = False
    intent: Intent | None = None
    checks: tuple[Check, ...] = ()
    record: str = ""


class Need(StrEnum):
    """What a run wants next."""

    ANSWER = "an answer"
    CHECK = "a check"
    ACT = "an action"
    DECIDE = "a decision"
    """Whether an interrupted action was done cannot be told: somebody must say."""
    REBOOT = "the next kernel"
    NOTHING = "nothing"
    """It is over."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands on the machine as it is.

    Attributes:
        need: What it wants next.
        step: The step that it stands at; None where it is over.
        text: What there is to say of that.
        checks: What was found where something does not hold.
    """

    need: Need
    step: Step | None
    text: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run that is kept in a folder.

    Attributes:
        id: Its name.
        book: The name of its runbook.
        begun: When, UTC.
        over: How it ended; None where it goes on.
        done: How many of its steps are over.
        steps: How many it has.
        at: The step that it stands at; empty where it is over.
        damage: Why it cannot be read; None where it can.
    """

    id: str
    book: str
    begun: str
    over: str | None
    done: int
    steps: int
    at: str
    damage: Unknown | None = None
