"""What rules could not look at: there the absence of a finding says nothing.

Coarse on purpose: for most rules by what they are about. What is not there, not written yet or
given back by the kernel is known well enough; what could not be read is not.
"""

from collections.abc import Callable, Iterator, Mapping

from kho_console.engine.diagnose import CATALOGUE
from kho_console.model.finding import About
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Unknown

_KNOWN = (Cause.ABSENT, Cause.NOT_YET, Cause.RELEASED, Cause.INVALID)
"""Not to be had, and that tells all there is; of damage a rule of its own speaks."""

Inputs = Callable[[Snapshot], Iterator[object]]


def unseen(snapshot: Snapshot) -> dict[str, str]:
    """Why a rule could not look, by its id; those that could are left out."""
    found = {}
    for rule in CATALOGUE:
        inputs = _OF_RULES.get(rule.id) or _OF_ABOUT.get(rule.about, _nothing)
        for value in inputs(snapshot):
            if isinstance(value, Unknown) and value.cause not in _KNOWN:
                found[rule.id] = value.reason
                break
    return found


def _nothing(snapshot: Snapshot) -> Iterator[object]:
    yield from ()


def _log(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.machine.kernel_log


def _command_line(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.machine.command_line


def _handover(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.unavailable


def _arrival(snapshot: Snapshot) -> Iterator[object]:
    """One that was taken was not refused, whatever the log has lost of it."""
    if snapshot.booted_through_handover is not True:
        yield from (snapshot.booted_through_handover, snapshot.offered)
        yield snapshot.machine.kernel_log


def _image(snapshot: Snapshot) -> Iterator[object]:
    yield from (snapshot.unavailable, snapshot.kexec.loaded)


def _sides(snapshot: Snapshot) -> Iterator[Side]:
    yield snapshot.outgoing
    if not isinstance(snapshot.incoming, Unknown):
        yield snapshot.incoming


def _trees(snapshot: Snapshot) -> Iterator[object]:
    yield from (snapshot.unavailable, snapshot.incoming)
    yield from (side.tree for side in _sides(snapshot))


def _blobs(snapshot: Snapshot) -> Iterator[object]:
    yield from (snapshot.unavailable, snapshot.incoming)
    for side in _sides(snapshot):
        yield side.blobs
        if not isinstance(side.blobs, Unknown):
            yield from (blob.state for blob in side.blobs)


def _reserved(snapshot: Snapshot) -> Iterator[object]:
    yield from _command_line(snapshot)
    yield from _blobs(snapshot)


def _preserved(snapshot: Snapshot) -> Iterator[object]:
    yield from (snapshot.unavailable, snapshot.inventory.preserved, snapshot.memory.blocks)


def _sessions(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.inventory.sessions


def _armed(snapshot: Snapshot) -> Iterator[object]:
    yield from (snapshot.kexec.crash_loaded, snapshot.kexec.crash_size)


def _updated(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.kexec.crash_loaded
    if snapshot.kexec.crash_loaded is True:
        yield snapshot.inventory.crash_hotplug


def _crash_log(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.kexec.crash_loaded
    if snapshot.kexec.crash_loaded is True:
        yield snapshot.machine.kernel_log


def _dump(snapshot: Snapshot) -> Iterator[object]:
    yield snapshot.kexec.crash_loaded
    if snapshot.kexec.crash_loaded is True:
        yield snapshot.crash.coverage


_OF_ABOUT: Mapping[About, Inputs] = {
    About.AVAILABILITY: _handover,
    About.ARRIVAL: _arrival,
    About.LIFE_CYCLE: _image,
    About.COMMAND_LINE: _command_line,
    About.SCRATCH: _handover,
    About.PRESERVED: _preserved,
    About.BLOBS: _blobs,
    About.SESSIONS: _sessions,
    About.KEXEC: _image,
    About.CRASH: _dump,
    About.KERNEL_LOG: _log,
}
_OF_RULES: Mapping[str, Inputs] = {
    "liveupdate-error": _log,
    "reserve-mem-lost": _reserved,
    "memory-unclaimed": _reserved,
    "tree-damaged": _trees,
    "tree-read-differently": _trees,
    "crash-not-loaded": _armed,
    "crash-not-reserved": _armed,
    "crash-not-updatable": _updated,
    "crash-event-lost": _crash_log,
    "crash-update-failed": _crash_log,
}
