"""What can be made to go wrong on a twin."""

from dataclasses import field, replace
from typing import TypeAlias, TypeVar

from kho_console.model.value import dataclass

ASKED_FOR = "a fault that was asked for"
"""Why a call fails that nothing else is wrong with."""


@dataclass(frozen=True, slots=True)
class WriteFails:
    """The n-th write from now on answers an errno, and does nothing."""

    number: int
    errno: int


@dataclass(frozen=True, slots=True)
class LoadFails:
    """The n-th load from now on answers an errno; a crash image is gone by then."""

    number: int
    errno: int


@dataclass(frozen=True, slots=True)
class MemoryShort:
    """The kernel finds only so many more pages."""

    pages: int


@dataclass(frozen=True, slots=True)
class ProducerRefuses:
    """The next finalize, or the next freeze of live update, fails with an errno."""

    errno: int


@dataclass(frozen=True, slots=True)
class NextKernelPanics:
    """The kernel that is started next gives up."""

    reason: str = ASKED_FOR


Fault: TypeAlias = WriteFails | LoadFails | MemoryShort | ProducerRefuses | NextKernelPanics


@dataclass
class Faults:
    """Faults that wait for their moment.

    Attributes:
        writes: Counted down at each write.
        loads: Counted down at each load.
        producer: Errno of the next producer, None for none.
        panic: Why the next kernel panics, None where it does not.
    """

    writes: list[WriteFails] = field(default_factory=list)
    loads: list[LoadFails] = field(default_factory=list)
    producer: int | None = None
    panic: str | None = None

    def write(self) -> int | None:
        """Errno of this write, None where it goes through."""
        self.writes, due = _counted(self.writes)
        return due

    def load(self) -> int | None:
        """Errno of this load, None where it goes through."""
        self.loads, due = _counted(self.loads)
        return due

    def refusal(self) -> int | None:
        """Errno of the producer that is asked now, None where it goes along."""
        due, self.producer = self.producer, None
        return due


Counted = TypeVar("Counted", WriteFails, LoadFails)


def _counted(waiting: list[Counted]) -> tuple[list[Counted], int | None]:
    """The faults that still wait after one more call, and the errno of one that is due."""
    due = next((item.errno for item in waiting if item.number <= 1), None)
    return [replace(item, number=item.number - 1) for item in waiting if item.number > 1], due
