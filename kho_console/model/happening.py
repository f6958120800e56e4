"""What happened to CPUs and memory, as an operator would tell it."""

from collections.abc import Sequence

from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

NO_IMAGE = Unknown(Cause.ABSENT, "no crash image is loaded")
"""How the crash image stands where there is none."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How the crash image stands at a moment.

    Attributes:
        entries: Program headers of the ELF core header.
        missing: Bytes that a dump would lack.
        stale: Bytes that it would describe and the machine has not.
    """

    entries: int
    missing: int
    stale: int


@dataclass(frozen=True, slots=True)
class Happening:
    """Events of one action on neighbouring devices, told in one line.

    Attributes:
        action: `add`, `online`, `offline`, `remove` ...
        subsystem: `cpu` or `memory`.
        devices: Numbers of the CPUs or memory blocks, ascending; none where the device has no
            number.
        node: NUMA node of the devices, where all lie in one.
        size: Bytes of the memory blocks; 0 for CPUs.
        events: The events, in the kernel's order.
        before: How the crash image stood before.
        after: How it stands since.
        number: Its own among happenings and gaps; it keeps it while it grows and others come.
    """

    action: str
    subsystem: str
    devices: Sequence[int]
    node: Maybe[int]
    size: Maybe[int]
    events: tuple[Event, ...]
    before: Maybe[Effect]
    after: Maybe[Effect]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that did not arrive, or may not have.

    Attributes:
        lost: What was lost for certain; None for a gap in SEQNUM, which proves nothing alone.
        missed: Numbers that are missing in SEQNUM; 0 where that is not known.
        found: What the re-scan found, in words; a reason as long as there was none.
        number: Its own among happenings and gaps.
    """

    monotonic: float
    lost: EventsLost | None
    missed: int
    found: Maybe[str]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """How events arrive.

    Attributes:
        seen: Events so far.
        rate: Events a second, lately.
        backlog: Events that arrived and no look has answered yet.
        lost: How often events were lost for certain.
        gaps: How often SEQNUM jumped.
    """

    seen: int
    rate: float
    backlog: int
    lost: int
    gaps: int
