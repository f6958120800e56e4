"""What must survive a kexec, noted before it, and what became of it."""

from enum import StrEnum

from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


class Kind(StrEnum):
    """What a note keeps of."""

    RESERVE_MEM = "reserve_mem"
    BLOB = "blob"
    SESSION = "session"
    FILES = "memory files"
    OWNER = "owner"
    MAP = "map"
    REGION = "region"


class Fate(StrEnum):
    """What became of an item, each with the word that faces show."""

    MISSING = "missing"
    UNKNOWN = "cannot be known"
    ARRIVED = "arrived"
    UNCHANGED = "arrived and unchanged"
    RELEASED = "released by its owner"


class Standing(StrEnum):
    """How a note and the running kernel stand to each other.

    Where nothing is missing, what no interface of any kernel shows does not count: the other items
    have all arrived, or some of them cannot be known.
    """

    VERIFIED = "verified"
    PARTLY = "verified in part"
    MISSING = "missing"
    UNKNOWN = "cannot be known"
    NO_HANDOVER = "no handover"
    NOTHING = "nothing noted"
    SAME_BOOT = "same boot"
    OTHER_HOST = "other host"


@dataclass(frozen=True, slots=True)
class Noted:
    """One thing that must survive.

    Attributes:
        kind: What it is.
        name: Its name as the kernel or its owner has it; empty where there is only one.
        address: Physical address of its first byte, where that is known.
        size: Bytes.
        count: Files, or ranges of memory.
        tokens: Of a session, the tokens that its owner declared.
        sha256: Of its content, in hexadecimal.
        declared: Whether its owner declared that content.
        why: Why its content was not noted.
    """

    kind: Kind
    name: bytes
    address: int | None = None
    size: int | None = None
    count: int | None = None
    tokens: tuple[int, ...] = ()
    sha256: str | None = None
    declared: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What must survive, as it was before the kexec.

    Attributes:
        made: When, UTC, as ISO 8601.
        host: The host's name.
        release: Its kernel.
        boot: The boot's random id; None where it was not known.
        protocol: The word of the handover.
        kexec_count: Handovers up to that boot; None where the kernel does not count.
        liveupdate_number: What the outgoing `LUO` blob said; None without one.
        items: What must survive.
    """

    made: str
    host: str
    release: str
    boot: str | None
    protocol: str
    kexec_count: int | None
    liveupdate_number: int | None
    items: tuple[Noted, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """What became of an item, and what shows it."""

    item: Noted
    fate: Fate
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """A note against the running kernel.

    Attributes:
        note: The note.
        host: The host's name now.
        release: The kernel now.
        boot: This boot's random id.
        standing: The answer.
        remarks: What is odd about it, in words.
        traced: What became of each item; empty where the boot or the host is not the one.
    """

    note: Note
    host: str
    release: str
    boot: Maybe[str]
    standing: Standing
    remarks: tuple[str, ...]
    traced: tuple[Traced, ...]
