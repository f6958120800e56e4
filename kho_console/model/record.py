"""What the journal tells: who did what to a machine, and how it ended."""

from enum import StrEnum

from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Who:
    """One operator, or script.

    Attributes:
        uid: Effective user id.
        user: Its name; the number where it has none.
        login: The user that logged in, by the audit id or by sudo; None where nobody did.
        tty: The terminal; None without one.
        ssh: Client address, its port, our address, our port; None where it is not by ssh.
    """

    uid: int
    user: str
    login: str | None
    tty: str | None
    ssh: str | None


class Standing(StrEnum):
    """How a recorded action stands when the journal is read."""

    DONE = "done"
    REFUSED = "refused"
    """By the console: the kernel was not asked."""
    KERNEL_REFUSED = "the kernel refused"
    UNPROVEN = "not proven"
    INTERRUPTED = "interrupted"
    """Begun, and the end was not written: what the kernel did is not known."""
    PENDING = "pending"
    """The kexec is on its way, or did not happen."""
    ARRIVED = "arrived"
    """The next kernel took the handover."""
    LOST = "lost"
    """Another boot followed, and it took no handover."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Record:
    """One action of the journal.

    Attributes:
        id: Its own id.
        at: When it began, UTC, as the journal has it.
        ended: When it ended; None where that was not written.
        boot: Boot id of the kernel that it was asked of.
        host: The machine's name.
        source: `live` or `twin`.
        who: Who asked.
        action: The verb.
        changes: The writes and calls, each as `described` gives them.
        standing: How it ended, or stands.
        text: The same in words.
        errno: The name of the kernel's answer; None where it did not refuse.
        found: What the probe read, by path; None for a file that was gone.
    """

    id: str
    at: str
    ended: str | None
    boot: str
    host: str
    source: str
    who: Who
    action: str
    changes: tuple[dict[str, str | int | None], ...]
    standing: Standing
    text: str
    errno: str | None
    found: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """A line of the journal that cannot be read: its number from 1, and why."""

    line: int
    reason: str
