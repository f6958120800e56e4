"""The crash image, what a dump would contain, and the events that touch it."""

from kho_console import text
from kho_console.documents.shape import Document, document, each, mapped, memory_range
from kho_console.model.crash import CoreHeader, Coverage, CpuNotes, CrashImage, Room
from kho_console.model.event import Event, EventsLost
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

_NOT_ARMED = Unknown(Cause.ABSENT, "it is told of a loaded crash image only")


def crash(snapshot: Snapshot, seen: Maybe[list[Event | EventsLost]]) -> Document:
    """The loaded crash image against the machine as it is."""
    image = snapshot.crash
    return document(
        armed=image.armed,
        dump=image.dump,
        cpus=_cpus(image.cpus, mapped(snapshot.cpus.possible, len)),
        crash_size=snapshot.kexec.crash_size,
        elfcorehdr_size=snapshot.kexec.elfcorehdr_size,
        regions=each(snapshot.memory.crash_regions, memory_range),
        elfcorehdr=mapped(image.header, lambda header: _header(image, header)),
        coverage=mapped(image.coverage, _coverage),
        vmcoreinfo=image.vmcoreinfo,
        room=mapped(image.room, _room),
        updatable=snapshot.inventory.crash_hotplug if image.armed is True else _NOT_ARMED,
        udev_reloads=each(image.reloads, text.escaped),
        read_at=image.taken,
        crash_size_read_at=snapshot.inventory.lock_taken,
        updatable_read_at=snapshot.inventory.lock_taken,
        events=mapped(seen, _events),
    )


def _cpus(notes: Maybe[CpuNotes], possible: Maybe[int]) -> Document:
    if isinstance(notes, Unknown):
        return {"noted": notes, "possible": possible, "without": notes}
    without = notes.unread or list(notes.without)
    return {"noted": notes.noted, "possible": possible, "without": without}


def _header(image: CrashImage, header: CoreHeader) -> Document:
    return {
        "address": image.address,
        "entries": header.entries,
        "notes": len(header.notes),
        "loads": [{**memory_range(load.range), "kind": load.kind} for load in header.loads],
        "residue": image.residue,
    }


def _coverage(found: Coverage) -> Document:
    return {
        "described": found.described,
        "expected": found.expected,
        "missing": [memory_range(item) for item in found.missing],
        "stale": [memory_range(item) for item in found.stale],
        "offline": [memory_range(item) for item in found.offline],
        "idle": [memory_range(item) for item in found.idle],
    }


def _room(found: Room) -> Document:
    return {
        "used": found.used,
        "size": found.size,
        "ranges": found.ranges,
        "most_ranges": found.most_ranges,
    }


def _events(seen: list[Event | EventsLost]) -> Document:
    lost = sum(isinstance(item, EventsLost) for item in seen)
    return {"seen": len(seen) - lost, "lost": lost}
