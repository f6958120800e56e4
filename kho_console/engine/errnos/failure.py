"""A refused change with what is known around it, and what a refusal means."""

import errno
import sys

from kho_console.model.change import Change
from kho_console.model.machine import KexecState
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass

_NAMES = {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EAGAIN: "EAGAIN", errno.EDEADLK: "EDEADLK"}
"""Numbers that have two names."""

Advice = tuple[str, str]
"""What an error means here, and what to do."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One change that was refused.

    Attributes:
        change: What was asked.
        number: The error number.
        path: The file or call that answered.
        reason: What the source says of it.
        snapshot: The machine right before.
        kexec: Images and limits right after.
        refusal: Why this process has no right to; None where it has, or where that is not guarded.
        there: Whether a file at `path` is there.
    """

    change: Change
    number: int
    path: str
    reason: str
    snapshot: Snapshot
    kexec: KexecState
    refusal: Unknown | None
    there: bool


def name(number: int) -> str:
    """The name of an error number, as `EBUSY`."""
    return _NAMES.get(number) or errno.errorcode.get(number, str(number))


def not_asked(failure: Failure) -> Advice | None:
    """The process that calls the kernel did not start, or broke; None where the kernel answered."""
    if failure.path != sys.executable:
        return None
    return failure.reason, "free memory, see whether Python itself works here, then try again"


def not_permitted(failure: Failure) -> Advice | None:
    """EACCES and EPERM for want of a right or by lockdown; None where it must be something else."""
    mode = failure.snapshot.machine.lockdown
    # Lockdown keeps root from opening a file, too; a user without the right gets EACCES.
    if failure.number == errno.EPERM and isinstance(mode, str) and mode != "none":
        advice = "boot without lockdown= and without Secure Boot"
        return f"kernel lockdown ({mode}) forbids it", advice
    if failure.refusal is not None:
        return failure.refusal.reason, "run as root of this machine, outside of containers"
    return None
