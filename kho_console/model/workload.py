"""The same load carried by several mechanisms, and what each of them makes of it."""

from enum import StrEnum

from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class WorkloadRange:
    """Memory in one piece, as `reserve_mem` has it."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class WorkloadObject:
    """A file in memory.

    Attributes:
        name: What it is called.
        size: Bytes, a multiple of its pages.
        order: Order of its pages.
    """

    name: str
    size: int
    order: int


@dataclass(frozen=True, slots=True)
class WorkloadRecords:
    """Records of state that a driver saves.

    Attributes:
        name: What they are called.
        count: How many.
        size: Bytes of each.
    """

    name: str
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Workload:
    """What is to be carried over a kexec."""

    name: str
    about: str
    ranges: tuple[WorkloadRange, ...]
    objects: tuple[WorkloadObject, ...]
    records: tuple[WorkloadRecords, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What carrying it takes.

    Attributes:
        metadata: Bytes that describe memory and hold the records.
        reserved_pages: Pages of 4 KiB that the next kernel has to keep, the load included.
        copies: How often a record of state was written on its way.
    """

    metadata: int
    reserved_pages: int
    copies: int


class Crossing(StrEnum):
    """How a kernel of another version takes what was left for it."""

    TAKEN = "taken"
    REFUSED = "refused"
    LOST = "lost"
    MISREAD = "misread"
    PANIC = "panic"


@dataclass(frozen=True, slots=True)
class Crossed:
    """What became of it under another version.

    Attributes:
        to: The version.
        result: How it ended.
        reason: What that kernel said or did.
    """

    to: str
    result: Crossing
    reason: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A mechanism in one version, and what it made of a workload.

    Attributes:
        mechanism: `kho`, `pkram` or `kstate`.
        version: Its release or series.
        compact: The cost with each file in one piece of memory.
        scattered: The cost with every page of a file apart from the others.
        newer: What the version behind it makes of what it left.
        older: What the version before it makes of that.
        changed: What becomes of records when their layout gets one field more.
        notes: How it carries what it has no form for, and which posted defects it meets.
    """

    mechanism: str
    version: str
    compact: Maybe[Cost]
    scattered: Maybe[Cost]
    newer: Maybe[Crossed]
    older: Maybe[Crossed]
    changed: Maybe[Crossed]
    notes: tuple[str, ...]
