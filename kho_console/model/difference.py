"""What is different between two moments of a machine, or between two machines."""

from enum import StrEnum

from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


class Subject(StrEnum):
    """What a difference is about, in the order of reading."""

    MACHINE = "machine"
    HANDOVER = "handover"
    SCRATCH = "scratch"
    PRESERVED = "preserved memory"
    BLOBS = "blobs"
    PROPERTIES = "properties"
    SESSIONS = "sessions"
    KEXEC = "kexec"
    CRASH = "crash"
    CPUS = "CPUs"
    MEMORY = "memory"
    FINDINGS = "findings"


class Change(StrEnum):
    """How the second moment stands to the first one."""

    ADDED = "added"
    GONE = "gone"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Told:
    """A value with what it means.

    Attributes:
        value: A number, bytes of a name or a property, or a word of this console.
        meaning: As `Field.meaning` has it, or `words` for a sentence whose names are escaped.
    """

    value: int | bytes | str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        subject: What it is about.
        change: How it differs.
        name: Which thing: an area, an owner, a blob, a session, a CPU; as it was read. Empty for
            the subject itself.
        what: Which fact of the thing; empty where the thing as a whole came, went or moved.
        before: As it was first; None where it was not there.
        after: As it is then; None where it is not there.
    """

    subject: Subject
    change: Change
    name: bytes
    what: str
    before: Maybe[Told] | None
    after: Maybe[Told] | None
