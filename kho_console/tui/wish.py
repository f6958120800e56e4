"""What an operator has chosen to do, and what is known of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kho_console.model.action import Action, Plan
from kho_console.model.change import KexecImage
from kho_console.model.check import Check
from kho_console.model.outcome import Outcome
from kho_console.model.value import dataclass
from kho_console.tui.lookout import Failure

if TYPE_CHECKING:
    from kho_console.engine.actions.perform import Writer
    from kho_console.engine.actions.planning import Planner
    from kho_console.engine.image_files import Watch


@dataclass(frozen=True, slots=True)
class Wish:
    """A step that the operator has chosen.

    Attributes:
        name: What it is called.
        planner: Gives its planner, which tells a watch how far it reads; called on a thread.
        image: The image that it is about; None for none.
        writer: The journal and the lock for it, where these are not those of all steps.
    """

    name: str
    planner: "Callable[[Watch], Planner]"
    image: KexecImage | None = None
    writer: "Writer | None" = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a step would do, and the name of the machine that it would do it to."""

    plan: Plan
    host: str


@dataclass(frozen=True, slots=True)
class Examined:
    """The image that was checked last, and what was found."""

    image: KexecImage
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done last, and how it ended."""

    action: Action
    outcome: Outcome | Failure
