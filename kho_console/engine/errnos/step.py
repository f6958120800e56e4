"""Errors of `finalize` and `active`, by generation.

kernel/kexec_handover.c (6.16 to 6.18) ORs the errors of libfdt and of producers together, so a
libfdt code can come out as an error number that means something else everywhere else.
"""

import errno

from kho_console.engine.errnos.failure import Advice, Failure, not_permitted
from kho_console.model.change import Write
from kho_console.model.generation import Finalize, State

_LIBFDT = {
    3: ("FDT_ERR_NOSPACE", "a tree did not have room for all that producers hand over"),
    7: ("FDT_ERR_BADSTATE", "a tree was written to in an order that libfdt does not take"),
}
"""Codes of libfdt (libfdt.h) that kernels have been seen to pass off as error numbers."""


def meaning(failure: Failure, change: Write) -> Advice:
    """What the answer of the file means."""
    if failure.number in (errno.EACCES, errno.EPERM):
        return not_permitted(failure) or ("the kernel keeps this file shut", "run as root")
    if failure.number == errno.ENOENT and not failure.there:
        return "the file is not there: this kernel has no such step", "see `kho-console status`"
    kind, on = failure.snapshot.generation.finalize, change.data.strip() != b"0"
    found = _BY_KIND[kind](failure, on) if kind in _BY_KIND else None
    return found or _any(failure, on)


def _reversible(failure: Failure, on: bool) -> Advice | None:
    """6.16 to 6.18."""
    finalized = failure.snapshot.state is State.FINALIZED
    if failure.number == errno.EEXIST and on:
        if finalized:
            return "the handover is finalized already", "abort first, to collect anew"
        text = "a blob that an earlier failed try left in out/sub_fdts is in the way"
        return text, "reboot: this kernel removes such blobs only after a step that succeeds"
    if failure.number == errno.ENOENT and not on:
        return "nothing is finalized, so there is nothing to abort", "nothing is to be done"
    if on and failure.number in _LIBFDT:
        word, text = _LIBFDT[failure.number]
        text = f"libfdt's {word}, which this kernel gives as an error number: {text}"
        return text, "preserve less, or in fewer and smaller blobs, then try again"
    if failure.number == errno.EINVAL and on:
        text = "a producer refused; on 6.16 and 6.17 memblock does, where a reserve_mem region is "
        text += "not page aligned in start or size"
        return text, "look at the kernel log; give reserve_mem= sizes and aligns of whole pages"
    if failure.number == errno.EBUSY:
        return "a producer is busy and objects", "try again when it is done"
    return None


def _latching(failure: Failure, on: bool) -> Advice | None:
    """6.19 and 7.0."""
    if failure.number == errno.EINVAL and not on:
        return "finalize latches on this kernel: it takes 1 only", "reboot to drop the handover"
    if failure.number == errno.EINVAL:
        text = "the preserved map is not consistent, as kernels built for debugging find out"
        return text, "look at the kernel log"
    if failure.number == errno.EOPNOTSUPP:
        return "the handover is off in this kernel", "boot with kho=on"
    return None


def _active(failure: Failure, on: bool) -> Advice | None:
    """The 2024 series: any failure of a producer is EINVAL."""
    if failure.number == errno.ENOMEM:
        text = "no scratch area is reserved; without one this kernel refuses every write"
        return text, "boot with kho_scratch=SIZE"
    if failure.number == errno.EINVAL and on:
        text = "a producer failed; this kernel gives EINVAL for every such failure"
        return text, "look at the kernel log; a tree beyond dt_max is one reason"
    return None


def _any(failure: Failure, on: bool) -> Advice:
    match failure.number:
        case errno.EBUSY:
            return "the kernel is busy with it already", "try again in a second"
        case errno.ENOMEM:
            return "the kernel had no memory to write the map down in", "free memory, try again"
        case errno.EINVAL:
            return "the kernel does not take this value now", "look at the kernel log"
    text = f"a producer refused {'to hand over' if on else 'to take it back'}: {failure.reason}"
    return text, "look at the kernel log; the state stays as it was"


_BY_KIND = {
    Finalize.REVERSIBLE: _reversible,
    Finalize.LATCHING: _latching,
    Finalize.ACTIVE_FILE: _active,
}
