"""What is worth an operator's attention."""

from enum import StrEnum

from kho_console.model.value import dataclass


class Severity(StrEnum):
    """How bad a finding is, with an order."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info up to 2 for error."""
        return list(Severity).index(self)


class About(StrEnum):
    """What a finding is about, in the large."""

    AVAILABILITY = "availability"
    ARRIVAL = "arrival"
    LIFE_CYCLE = "life cycle"
    COMMAND_LINE = "command line"
    SCRATCH = "scratch"
    PRESERVED = "preserved"
    BLOBS = "blobs"
    """Blobs and root trees."""
    SESSIONS = "sessions"
    KEXEC = "kexec"
    CRASH = "crash"
    KERNEL_LOG = "kernel log"
    PKRAM = "PKRAM"
    KSTATE = "kstate"
    FILE = "file"
    """A file of one format, of no machine."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Which one of them.

    Attributes:
        name: Its own name: of a blob, or the role of a scratch area; None for a root tree, and
            where a finding is about no single thing.
        incoming: Whether a blob or a root tree came in; the others go out, or have no side.
    """

    name: str | None = None
    incoming: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read where."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact, what it means, and what to do about it.

    Attributes:
        id: Stable identifier.
        severity: How bad it is.
        subject: What it is about: a file, a blob, a session, an area.
        text: What is so and what it means; names in it are escaped already.
        evidence: What was read that shows it.
        remedy: What to do; None where there is nothing to do.
        about: What kind of thing it is about.
        thing: Which of them.
    """

    id: str
    severity: Severity
    subject: str
    text: str
    evidence: tuple[Evidence, ...]
    remedy: str | None
    about: About
    thing: Thing = Thing()
