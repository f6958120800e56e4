"""What an operator can have done to a machine, as a value that says everything beforehand."""

from enum import StrEnum

from kho_console.model.change import Change
from kho_console.model.check import Check, Result
from kho_console.model.value import dataclass


class Risk(StrEnum):
    """What may go wrong, in the order of how much."""

    SMALL = "small: it can be undone"
    LOSS = "something is given up that no step brings back"
    REBOOT = "the running kernel ends"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A file that tells whether an action worked.

    Attributes:
        path: The file.
        value: What it must hold then, without its newline; None where it must be gone.
        before: What it held when the action was planned; None where it was not there or not read.
    """

    path: str
    value: str | None
    before: str | None = None

    @property
    def tells(self) -> bool:
        """Whether it can tell the machine after the action from the one before."""
        return self.value != self.before


@dataclass(frozen=True, slots=True)
class Action:
    """One step that changes a machine.

    Attributes:
        name: The verb: `finalize`, `load` ...
        title: What it does, in a phrase.
        changes: The exact writes and calls, in order.
        preconditions: What must hold first, with evidence; a failed one forbids the step.
        undone_by: The verb that undoes it; None where nothing does.
        risk: What may go wrong.
        expects: What the probe looks at afterwards; empty where the proof lies in the next boot.
        effects: What it does to the machine besides, one sentence each.
        certain: Ids of the preconditions that forbid the step too where they have no answer.
    """

    name: str
    title: str
    changes: tuple[Change, ...]
    preconditions: tuple[Check, ...]
    undone_by: str | None
    risk: Risk
    expects: tuple[Expectation, ...]
    effects: tuple[str, ...] = ()
    certain: frozenset[str] = frozenset()

    @property
    def obstacles(self) -> tuple[Check, ...]:
        """The preconditions that forbid it."""
        return tuple(
            item
            for item in self.preconditions
            if item.result is Result.FAIL
            or (item.result is Result.UNKNOWN and item.id in self.certain)
        )


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A step that this machine does not have.

    Attributes:
        name: The verb that was asked for.
        reason: Why there is no such step here.
        instead: What happens, or what to do, in its place.
    """

    name: str
    reason: str
    instead: str


Plan = Action | NotApplicable
