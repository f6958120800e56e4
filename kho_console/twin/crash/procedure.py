"""The steps of a procedure as they run, with what fails, what is logged and where it stops."""

from collections.abc import Container, Mapping
from dataclasses import field

from kho_console.model.crash_simulation import Fault, ProcedureStep
from kho_console.model.value import dataclass


class Panicked(Exception):
    """The panic came in the middle of a step."""


class Gone(Exception):
    """A step failed, and the procedure leaves."""


@dataclass
class Procedure:
    """One run of a design's numbered steps.

    Attributes:
        words: What each numbered step does.
        faults: What goes wrong.
        until: The step in whose middle the panic comes; None where none comes.
        ran: The steps so far.
        messages: What was logged.
        hashed: Bytes that went into digests.
        written: Bytes of the image that were rewritten.
    """

    words: Mapping[int, str]
    faults: Container[Fault] = ()
    until: int | None = None
    ran: list[ProcedureStep] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    hashed: int = 0
    written: int = 0

    def step(self, number: int) -> None:
        """Begin a step.

        Raises:
            Panicked: The panic comes in it.
        """
        self.ran.append(ProcedureStep(number, self.words[number]))
        if number == self.until:
            raise Panicked

    def fail(self, message: str = "") -> None:
        """Note that the step that runs failed, and what was logged."""
        last = self.ran[-1]
        self.ran[-1] = ProcedureStep(last.number, last.words, failed=True)
        if message:
            self.messages.append(f"crash hp: {message}")

    def leave(self, message: str = "") -> Gone:
        """As `fail`, where the procedure ends there: raise what it returns."""
        self.fail(message)
        return Gone()
