"""How an action ended."""

from enum import StrEnum

from kho_console.model.check import Check
from kho_console.model.value import dataclass


class Ending(StrEnum):
    """The ways in which an action ends."""

    DONE = "done"
    """The kernel took it, and what it changed was read back."""
    REFUSED = "refused"
    """By us: nothing was asked of the kernel."""
    KERNEL_REFUSED = "the kernel refused"
    UNPROVEN = "not proven"
    """The kernel took it, but the files do not say so."""
    PENDING = "pending"
    """The proof lies in the next boot."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A kernel's error number, in words of the call that got it.

    Attributes:
        number: The error number.
        name: Its name, as `EBUSY`.
        call: What was asked: the system call, or the file that was written.
        text: What it means for this call on this machine.
        advice: What to do.
        evidence: What was read that tells it apart from its other meanings, each a sentence.
        log: The lines of the kernel log that go with it.
    """

    number: int
    name: str
    call: str
    text: str
    advice: str
    evidence: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What the probe read.

    Attributes:
        path: The file.
        expected: What it had to hold; None where it had to be gone.
        found: What it holds; None where it is gone.
        telling: Whether it read otherwise before, so that it proves something.
    """

    path: str
    expected: str | None
    found: str | None
    telling: bool

    @property
    def fits(self) -> bool:
        """Whether it is as expected."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended.

    Attributes:
        ending: Which way.
        text: The same in a sentence, with the reason.
        found: What the probe read.
        explained: The kernel's answer where it refused.
        obstacles: The preconditions that failed where we refused.
    """

    ending: Ending
    text: str
    found: tuple[Found, ...] = ()
    explained: Explained | None = None
    obstacles: tuple[Check, ...] = ()
