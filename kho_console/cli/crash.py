"""The verb `crash`: what a dump taken now would contain."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from kho_console import text, text_crash
from kho_console.cli import exit_code, output
from kho_console.documents import crash as documents
from kho_console.engine.crash.events import seen_events
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.model.crash import CrashImage
from kho_console.model.event import Event, EventsLost
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown

_LABEL = 14
_RECORDED = "fixture"


def crash(source: Source, wanted: Namespace) -> int:
    """The loaded crash image against the machine as it is."""
    snapshot = observe(source)
    seen = seen_events(source)
    if wanted.json:
        output.document(documents.crash(snapshot, seen))
        return exit_code.DONE
    for name, words in _answer(snapshot, _ages(source, snapshot)):
        output.line(f"{name:<{_LABEL}}{words}")
    events = text.reason(seen) if isinstance(seen, Unknown) else _counted(seen)
    output.line(f"{'events':<{_LABEL}}{events}")
    for name, words in _differences(snapshot):
        output.line(f"{name:<{_LABEL}}{words}")
    return exit_code.DONE


def _answer(snapshot: Snapshot, ages: str) -> Iterator[tuple[str, str]]:
    """Whether a dump would be complete, and what that rests on."""
    image, kexec, inventory = snapshot.crash, snapshot.kexec, snapshot.inventory
    yield "crash", text.armed(image.armed)
    yield "dump", text_crash.outlook(image)
    if not isinstance(image.header, Unknown) and not image.residue:
        yield from _evidence(image)
    yield "header", text_crash.header(image)
    if image.armed is True:
        yield "updated", text_crash.updates(inventory.crash_hotplug, image.reloads)
    yield "reserved", text.explained(kexec.crash_size, text.exact)
    regions = snapshot.memory.crash_regions
    if isinstance(regions, Unknown):
        yield "region", text.why(regions)
    else:
        for region in regions:
            yield "region", f"{text.address(region.start)}  {text.exact(region.size)}"
    size = text.explained(kexec.elfcorehdr_size, lambda known: f"{text.exact(known)} recommended")
    yield "elfcorehdr", size
    if isinstance(image.header, Unknown) or image.residue:
        possible = text.explained(snapshot.cpus.possible, lambda known: f"{len(known)} possible")
        yield "CPUs", possible
    yield "machine", f"{text.escaped(snapshot.machine.hostname)}, {_named(snapshot)}"
    yield "read", ages


def _evidence(image: CrashImage) -> Iterator[tuple[str, str]]:
    yield (
        "memory",
        text.explained(
            image.coverage,
            lambda found: f"{text.exact(found.described)} of {text.size(found.expected)}",
        ),
    )
    yield "CPUs", text.explained(image.cpus, text_crash.notes)
    yield "vmcoreinfo", text_crash.vmcoreinfo(image.vmcoreinfo)
    yield "room", text.explained(image.room, text_crash.room)


def _named(snapshot: Snapshot) -> str:
    return f"{snapshot.source.kind} {text.escaped(snapshot.source.name)}"


def _ages(source: Source, snapshot: Snapshot) -> str:
    """How old the facts are; the kernel takes its lock to tell the size, so that one is older."""
    if snapshot.source.kind == _RECORDED:
        captured = snapshot.machine.captured_at
        return "when recorded" + (f", {captured:%Y-%m-%d %H:%M:%S} UTC" if captured else "")
    now = source.clock()
    return (
        f"header and memory {text_crash.age(now, snapshot.crash.taken)}, "
        f"reserved and updated {text_crash.age(now, snapshot.inventory.lock_taken)}"
    )


def _counted(seen: Sequence[Event | EventsLost]) -> str:
    """`10 recorded, 3 unreadable`."""
    lost = sum(isinstance(item, EventsLost) for item in seen)
    words = f"{len(seen) - lost:,} recorded"
    return f"{words}, {lost:,} unreadable" if lost else words


def _differences(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """What a dump would get wrong, by range and memory block."""
    found = snapshot.crash.coverage
    if isinstance(found, Unknown):
        return
    blocks = snapshot.memory.blocks
    for name, ranges, there in (
        ("missing", found.lost, ""),
        ("stale", found.stale, ""),
        ("offline", found.offline, "; described"),
        ("offline", found.idle, "; not described"),
    ):
        for item in ranges:
            yield name, f"{text_crash.place(item, blocks)}{there}"
