"""Live-update sessions and their files behind a kexec."""

import os

from kho_console.abi import luo
from kho_console.engine.verify.note import liveupdate_number
from kho_console.engine.verify.producers import in_tree
from kho_console.model.blob import BlobState
from kho_console.model.session import Session
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.verification import Fate, Note, Noted

Answer = tuple[Fate, str]


def session(seen: Snapshot, side: Side, note: Note, item: Noted) -> Answer:
    """What became of a session.

    The records tell as long as nobody opened the device; then only who holds a session does.
    """
    lost = _lost(seen, side)
    if lost is not None:
        return lost
    found = seen.inventory.sessions
    if isinstance(found, Unknown):
        return Fate.UNKNOWN, found.reason
    for known in found:
        if known.name == item.name:
            return _held(known) if known.holders else _waiting(known, item)
    waiting = seen.inventory.waiting
    if isinstance(waiting, Unknown):
        went = _went_through(seen, note)
        return Fate.UNKNOWN, f"{waiting.reason}: retrieved and finished, or not asked for yet{went}"
    if seen.inventory.unseen:
        return Fate.UNKNOWN, f"{seen.inventory.unseen} processes do not show what they hold"
    return Fate.MISSING, f"the records of the kernel before list {waiting} sessions, not this one"


def files(seen: Snapshot, side: Side, note: Note, item: Noted) -> Answer:
    """How many memory files came; what is in them their owners know."""
    lost = _lost(seen, side)
    if lost is not None:
        return lost
    sessions, waiting = seen.inventory.sessions, seen.inventory.waiting
    if isinstance(waiting, Unknown) or isinstance(sessions, Unknown):
        why = waiting.reason if isinstance(waiting, Unknown) else "sessions are not seen"
        return Fate.UNKNOWN, f"{why}{_went_through(seen, note)}"
    if any(isinstance(known.files, Unknown) for known in sessions):
        return Fate.UNKNOWN, "the files of a session that is held are not listed"
    count = sum(len(known.files) for known in sessions if not isinstance(known.files, Unknown))
    if item.count is not None and count < item.count:
        return Fate.MISSING, f"the sessions that came in have {count} of them"
    return Fate.ARRIVED, f"{count} wait in the sessions that came in; they are counted only"


def records(side: Side) -> Answer:
    """What became of the pages of the kernel's own records."""
    blob = side.blob(luo.NAME)
    if blob is not None and blob.state is BlobState.VALID:
        return Fate.ARRIVED, "the blob that points at them is whole"
    return Fate.UNKNOWN, "the blob that points at them was released"


def _lost(seen: Snapshot, side: Side) -> Answer | None:
    """Why no session can have come in, or be had, or whether one can; None where it can."""
    shown = isinstance(side.blobs, Unknown) or side.blob(luo.NAME) is not None
    came = shown or in_tree(side, luo.NAME)
    if came is False:
        return Fate.MISSING, "no LUO blob came in"
    if seen.liveupdate_device is False:
        off = "live update is off in this kernel: its memory stays reserved and out of reach"
        return Fate.MISSING, off
    if isinstance(came, Unknown):
        return Fate.UNKNOWN, f"the LUO blob: {came.reason}"
    return None


def _held(found: Session) -> Answer:
    holder = found.holders[0]
    told = f"held by process {holder.pid} ({os.fsdecode(holder.command)})"
    return Fate.ARRIVED, f"{told}: retrieved, or a new one of this name"


def _waiting(found: Session, item: Noted) -> Answer:
    if isinstance(found.files, Unknown):
        return Fate.ARRIVED, f"it waits to be retrieved; its files: {found.files.reason}"
    tokens = {file.token for file in found.files}
    lost = [f"0x{token:x}" for token in item.tokens if token not in tokens]
    if lost:
        return Fate.MISSING, f"it came in without the declared tokens {', '.join(lost[:8])}"
    files = "1 file" if len(tokens) == 1 else f"{len(tokens)} files"
    compared = (
        "the declared ones among them" if item.tokens else "which it had before was not noted"
    )
    return Fate.ARRIVED, f"it waits to be retrieved, with {files}; {compared}"


def _went_through(seen: Snapshot, note: Note) -> str:
    """What the counter of live updates proves."""
    number = liveupdate_number(seen)
    if note.liveupdate_number is None or number != note.liveupdate_number + 1:
        return ""
    return "; by the counter this kernel came out of the live update"
