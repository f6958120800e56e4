"""What of a note has arrived, item by item, as far as the new kernel lets it be seen.

It frees or rewrites some things by design: the map and the pages of its trackers at boot, the
page of the `LUO` struct from 7.2 on, session records when the device is first opened.
"""

import os

from kho_console.abi import kho_test
from kho_console.engine.verify import producers, sessions
from kho_console.engine.verify.note import liveupdate_number
from kho_console.model.owner import OwnerKind
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.verification import (
    Fate,
    Kind,
    Note,
    Noted,
    Standing,
    Traced,
    Verification,
)
from kho_console.source.protocol import Source

_NOT_SHOWN = "no interface of this kernel shows it"


def verify(source: Source, seen: Snapshot, note: Note, *, any_host: bool = False) -> Verification:
    """Hold a note against the running kernel; `any_host` takes it for one that was renamed."""
    host = seen.machine
    boot = host.boot_id
    if note.host != host.hostname and not any_host:
        return _ended(note, seen, Standing.OTHER_HOST)
    if note.boot is not None and note.boot == boot:
        return _ended(note, seen, Standing.SAME_BOOT)
    came = seen.booted_through_handover
    if isinstance(came, Unknown):
        return _unknown(note, seen, came)
    if not came:
        why = "this kernel did not come through a handover"
        if seen.offered is True:
            why = "a handover, of the note or of a later boot, was offered to this kernel, which "
            why += "did not take it"
        traced = tuple(Traced(item, Fate.MISSING, why) for item in note.items)
        return _ended(note, seen, Standing.NO_HANDOVER, traced)
    side = seen.incoming
    if isinstance(side, Unknown):
        return _unknown(note, seen, side)
    traced = tuple(_traced(source, seen, side, note, item) for item in note.items)
    return _ended(note, seen, _standing(traced), traced)


def _standing(traced: tuple[Traced, ...]) -> Standing:
    if not traced:
        return Standing.NOTHING
    fates = {found.fate for found in traced if found.item.kind is not Kind.OWNER}
    if Fate.MISSING in fates:
        return Standing.MISSING
    return Standing.PARTLY if Fate.UNKNOWN in fates else Standing.VERIFIED


def _unknown(note: Note, seen: Snapshot, why: Unknown) -> Verification:
    traced = tuple(Traced(item, Fate.UNKNOWN, why.reason) for item in note.items)
    return _ended(note, seen, Standing.UNKNOWN, traced)


def _ended(
    note: Note, seen: Snapshot, standing: Standing, traced: tuple[Traced, ...] = ()
) -> Verification:
    host = seen.machine
    remarks = () if standing in (Standing.OTHER_HOST, Standing.SAME_BOOT) else _remarks(note, seen)
    return Verification(note, host.hostname, host.release, host.boot_id, standing, remarks, traced)


def _traced(source: Source, seen: Snapshot, side: Side, note: Note, item: Noted) -> Traced:
    match item.kind:
        case Kind.BLOB:
            fate, why = producers.blob(side, item)
        case Kind.RESERVE_MEM:
            fate, why = producers.region(source, seen, side, item)
        case Kind.REGION:
            fate, why = producers.declared(source, item)
        case Kind.SESSION:
            fate, why = sessions.session(seen, side, note, item)
        case Kind.FILES:
            fate, why = sessions.files(seen, side, note, item)
        case Kind.MAP:
            fate, why = Fate.RELEASED, "a kernel reads the map at boot and frees its pages"
        case Kind.OWNER:
            fate, why = _owner(side, item)
    return Traced(item, fate, why)


def _owner(side: Side, item: Noted) -> tuple[Fate, str]:
    if item.name == OwnerKind.ROOT_TREE.encode():
        if isinstance(side.tree, Unknown):
            return Fate.UNKNOWN, side.tree.reason
        return Fate.ARRIVED, f"this kernel took a tree of {_word(side.tree.compatible)}"
    lists = (OwnerKind.KHO_TEST, OwnerKind.VMALLOC)
    if item.name.startswith(tuple(kind.encode() for kind in lists)) and side.blob(kho_test.NAME):
        return Fate.ARRIVED, "the blob that lists it came in"
    if item.name == OwnerKind.LIVE_UPDATE.encode():
        return sessions.records(side)
    return Fate.UNKNOWN, _NOT_SHOWN


def _word(compatible: Maybe[bytes]) -> str:
    return "no version" if isinstance(compatible, Unknown) else os.fsdecode(compatible)


def _remarks(note: Note, seen: Snapshot) -> tuple[str, ...]:
    """What is odd, and may mean that the note is not of the kernel before this one."""
    found = []
    if note.boot is None or isinstance(seen.machine.boot_id, Unknown):
        found.append("the boot ids are not known: this may be the boot of the note")
    before = seen.previous_release
    if not isinstance(before, Unknown) and os.fsdecode(before) != note.release:
        found.append(
            f"the kernel before this one was {os.fsdecode(before)}, the note is of {note.release}"
        )
    count = seen.kexec_count
    if note.kexec_count is not None and isinstance(count, int) and count != note.kexec_count + 1:
        told = f"{note.kexec_count} handovers at the note and {count} now"
        found.append(f"this is not the boot behind the note: {told}")
    number = liveupdate_number(seen)
    noted = note.liveupdate_number
    if noted is not None and number is not None and number != noted + 1:
        found.append(f"the next live update was number {noted} at the note, and is {number} now")
    return tuple(found)
