"""Kernel events: CPUs and memory blocks that come and go."""

from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One kernel uevent of the cpu or memory subsystem.

    Attributes:
        monotonic: Seconds of the machine's monotonic clock when it was seen.
        action: `add`, `remove`, `online`, `offline`, `change` ...
        subsystem: `cpu` or `memory`.
        device: Last part of the device path, for example `memory32`.
        sequence: The kernel's SEQNUM; numbers are global, so a gap alone proves nothing.
        follows: SEQNUM of the event that was seen before it, where that was of another subsystem.
    """

    monotonic: float
    action: str
    subsystem: str
    device: str
    sequence: int | None
    follows: int | None = None


@dataclass(frozen=True, slots=True)
class EventsLost:
    """The receive buffer overflowed: an unknown number of events is gone, a re-scan is due."""

    monotonic: float
    reason: str
