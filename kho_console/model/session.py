"""Live-update sessions and the files they preserve."""

from enum import StrEnum
from typing import TYPE_CHECKING

from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    from kho_console.model.preserved import Runs


class Direction(StrEnum):
    """Which kernel a session is for; told by what is there, never by probing a descriptor."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """A process that keeps a session alive."""

    pid: int
    command: bytes


@dataclass(frozen=True, slots=True)
class SessionFile:
    """A file of a session: its token, its handler's word, and its size in bytes."""

    token: int
    handler: bytes
    size: Maybe[int]
    state: Maybe["Memfd"]


@dataclass(frozen=True, slots=True)
class Session:
    """A live-update session.

    Attributes:
        name: Up to 63 arbitrary bytes.
        direction: Which kernel it is for.
        holders: Who keeps it alive, lowest pid first; empty for one read from records.
        files: Its files, or why they cannot be known.
    """

    name: bytes
    direction: Direction
    holders: tuple[Holder, ...]
    files: Maybe[tuple[SessionFile, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Memfd:
    """A preserved memfd by its own records (mm/memfd_luo.c, 6.19 and later).

    Attributes:
        version: 1 or 2 (with seals, from 7.1).
        address: Physical address of its state.
        position: File position.
        size: File size in bytes.
        seals: F_SEAL_* bits; None in version 1.
        folios: Number of folio records.
        content: Runs of physical memory that hold the file's pages.
        records: The pages that hold the state, the folio records, and the chunks listing them.
    """

    version: int
    address: int
    position: int
    size: int
    seals: int | None
    folios: int
    content: "Runs"
    records: tuple[MemoryRange, ...]
