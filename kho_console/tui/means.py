"""What a console may do to the machine that it shows, and who else does something to it."""

from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from kho_console.config.places import MACHINE_LOCK
from kho_console.engine import writer_lock
from kho_console.engine.observer import Source
from kho_console.engine.writer_lock import LockedError
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    from kho_console.engine.actions.perform import Writer


class Mode(StrEnum):
    """Whether the console may change the machine, as the top line says it."""

    READ_ONLY = "R/O"
    WRITE = "WRITE"
    TWIN = "TWIN"


@dataclass(frozen=True, slots=True)
class Means:
    """What it takes to change a machine.

    Attributes:
        source: The machine.
        mode: What was asked for.
        writer: Its journal and its lock; None where it cannot be changed.
        refusal: Why nothing is changed from here; None where it may be.
        journal: The journal that is shown; None for none.
        lock: The lock of whoever changes it; None where nobody else can.
        runs: Where runs of runbooks are kept; None where they are not.
    """

    source: Source
    mode: Mode = Mode.READ_ONLY
    writer: "Writer | None" = None
    refusal: str | None = None
    journal: Path | None = None
    lock: Path | None = None
    runs: Path | None = None


class Lease:
    """The lock of the machine, kept as long as the console is open."""

    def __init__(self, means: Means) -> None:
        """Take it at the first `renew`, where it is wanted."""
        self._means = means
        writer = means.writer if means.refusal is None else None
        self._lock = None if writer is None else writer.lock
        self._entered = False

    @property
    def wanted(self) -> bool:
        """Whether the machine may be changed only by who holds it."""
        return self._lock is not None

    def renew(self) -> str | None:
        """Take the lock where it is free; who else has it in words, None where nobody has."""
        if self._entered:
            return None
        if self._lock is None:
            return self._somebody()
        try:
            self._lock.__enter__()
        except (LockedError, OSError) as error:
            return str(error)
        self._entered = True
        return None

    def release(self) -> None:
        """Give it back."""
        if self._entered and self._lock is not None:
            self._entered = False
            with suppress(OSError):
                self._lock.__exit__(None, None, None)

    def _somebody(self) -> str | None:
        """Who changes a machine that is only looked at here."""
        own = self._means.lock
        # A user looks at his own and at root's, who may change the machine too.
        for path in () if own is None else dict.fromkeys((own, MACHINE_LOCK)):
            found = writer_lock.holder(path)
            if found is not None:
                return str(LockedError(path, found))
        return None
