"""The crash image in memory, against the machine as it is."""

from collections.abc import Iterator, Sequence

from kho_console.engine.crash.causes import causes
from kho_console.engine.crash.coverage import coverage
from kho_console.engine.crash.events import seen_events
from kho_console.engine.crash.header import Found, HeaderSearch
from kho_console.engine.crash.notes import cpu_notes, vmcoreinfo
from kho_console.engine.crash.reload_rules import reload_rules
from kho_console.engine.crash.room import room
from kho_console.model.crash import CoreHeader, CpuNotes, CrashImage
from kho_console.model.event import Event
from kho_console.model.machine import Cpus, KexecState, MemoryLayout
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceKind

_NO_REGION = Unknown(Cause.ABSENT, "no memory is reserved for a crash kernel")
_NOT_LOADED = Unknown(Cause.ABSENT, "no crash image is loaded")
_RESIDUE = Unknown(Cause.ABSENT, "the header is what an unloaded image left behind")


def crash_image(
    source: Source,
    kexec: KexecState,
    memory: MemoryLayout,
    cpus: Cpus,
    previous: CrashImage | None = None,
    cpus_before: Cpus | None = None,
    events: Sequence[Event] = (),
    *,
    updatable: Maybe[bool] = True,
) -> CrashImage:
    """Read the header of the crash image and compare it with the machine.

    Args:
        source: The machine.
        kexec: What sysfs says of images.
        memory: Its memory.
        cpus: Its CPUs.
        previous: The image as it was seen before.
        cpus_before: The CPUs as they were then; while these and the notes are the same, so is
            what the notes tell of them.
        events: What happened since.
        updatable: What `crash_hotplug` says.
    """
    armed = kexec.crash_loaded
    rules = reload_rules(source) if previous is None else previous.reloads
    taken = source.clock()
    # x86 updates each image that kexec_file_load put at the first byte.
    first_is_old = updatable is False and source.facts().machine == "x86_64"
    found = _header(source, memory, previous, armed, first_is_old=first_is_old)
    if isinstance(found, Unknown):
        why = _NOT_LOADED if armed is False and found is not _NO_REGION else found
        return CrashImage(taken, armed, why, why, False, why, why, why, why, (), rules)
    header = found.header
    if armed is False:
        left = (_RESIDUE, _RESIDUE, _RESIDUE, _RESIDUE)
        return CrashImage(taken, armed, found.address, header, True, *left, (), rules)
    contains = coverage(source, header, memory)
    return CrashImage(
        taken=taken,
        armed=armed,
        address=found.address,
        header=header,
        residue=False,
        cpus=_cpus(source, header, cpus, previous if cpus == cpus_before else None),
        vmcoreinfo=vmcoreinfo(source, header),
        coverage=contains,
        room=room(source, found, kexec.elfcorehdr_size),
        causes=causes(contains, memory, _known_events(source, previous, events)),
        reloads=rules,
    )


def _header(
    source: Source,
    memory: MemoryLayout,
    previous: CrashImage | None,
    armed: Maybe[bool],
    *,
    first_is_old: bool,
) -> Maybe[Found]:
    regions = memory.crash_regions
    if isinstance(regions, Unknown):
        return regions
    if not regions:
        return _NO_REGION
    seen = None if previous is None or isinstance(previous.address, Unknown) else previous.address
    in_vain = None if previous is None else _searched_in_vain(previous)
    scan = armed is True and in_vain is None
    found = HeaderSearch(source).find(regions, seen, scan=scan, first_is_old=first_is_old)
    return in_vain if armed is True and in_vain and isinstance(found, Unknown) else found


def _searched_in_vain(previous: CrashImage) -> Unknown | None:
    """Why a search of the regions found nothing; they stay as they are while an image is loaded."""
    header = previous.header
    if previous.armed is not True or not isinstance(header, Unknown):
        return None
    # It was rewritten just then, or something else lies there: that may have an end.
    return None if header.cause is Cause.INVALID else header


def _cpus(
    source: Source, header: CoreHeader, cpus: Cpus, previous: CrashImage | None
) -> Maybe[CpuNotes]:
    """What the notes tell of CPUs; they stay where they are for the whole uptime."""
    if (
        previous is None
        or isinstance(previous.header, Unknown)
        or previous.header.notes != header.notes
        or isinstance(previous.cpus, Unknown)
    ):
        return cpu_notes(source, header, cpus)
    return previous.cpus


def _known_events(
    source: Source, previous: CrashImage | None, events: Sequence[Event]
) -> Iterator[Event]:
    """What there was to tell before, and what came; all of a machine that stands still."""
    if source.kind is SourceKind.LIVE and previous is not None:
        yield from previous.causes
    yield from events
    if source.kind is not SourceKind.LIVE:
        recorded = seen_events(source)
        if not isinstance(recorded, Unknown):
            yield from (event for event in recorded if isinstance(event, Event))
