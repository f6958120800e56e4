"""What a dump taken now would get wrong, from the header of the loaded crash image."""

from collections.abc import Collection, Iterator, Sequence

from kho_console.abi import runs
from kho_console.engine.crash.causes import GOING
from kho_console.engine.crash.notes import VMCOREINFO
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import count, moment, numbers, plain, size
from kho_console.model.crash import CrashImage
from kho_console.model.event import Event
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown

_SUBJECT = "crash image"
_KCORE = "/proc/kcore"
_MOST_SHOWN = 5
_FULL = 90
"""Percent of the ranges that the header has room for, above which a warning is due."""

_WORDS = {
    "add": "added",
    "online": "brought online",
    "offline": "taken offline",
    "remove": "removed",
}


def missing(facts: Facts) -> Iterator[Found]:
    """Memory that came while another kexec operation held the lock, or after a load."""
    crash = facts.snapshot.crash
    if isinstance(crash.coverage, Unknown) or not crash.coverage.missing:
        return
    found = crash.coverage.missing
    if lost := crash.coverage.lost:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            f"A dump taken now would miss {_told(lost, facts)}: the crash image was not updated.",
            tuple(Evidence("/proc/iomem", f"System RAM {_range(item)}") for item in _few(lost)),
            _remedy(facts),
        )
        return
    updated = facts.snapshot.inventory.crash_hotplug is True
    then = ", and the kernel adds it when it goes online" if updated else ""
    yield Found(
        Severity.INFO if updated else Severity.WARNING,
        _SUBJECT,
        f"The crash image does not describe {_told(found, facts)}: it is offline, so nothing is in "
        f"it{then}.",
        tuple(Evidence("/proc/iomem", f"System RAM {_range(item)}") for item in _few(found)),
        None if updated else "Load the crash image again once it is online.",
    )


def stale(facts: Facts) -> Iterator[Found]:
    """Memory that went; x86 keeps it in the header until the next event."""
    crash = facts.snapshot.crash
    if isinstance(crash.coverage, Unknown) or not crash.coverage.stale:
        return
    found = crash.coverage.stale
    yield Found(
        Severity.WARNING,
        _SUBJECT,
        f"The crash image describes memory that is gone: {_told(found, facts, GOING)}. A dump "
        "would read where nothing answers.",
        tuple(Evidence(_KCORE, f"PT_LOAD {_range(item)}") for item in _few(found)),
        _remedy(facts),
    )


def no_notes(facts: Facts) -> Iterator[Found]:
    """CPUs whose registers the header does not name."""
    crash = facts.snapshot.crash
    if isinstance(crash.cpus, Unknown) or not crash.cpus.without:
        return
    found = crash.cpus.without
    yield Found(
        Severity.WARNING,
        _SUBJECT,
        f"A dump taken now would lack the registers of {count(len(found), 'CPU')} "
        f"({numbers('cpu', found)}).",
        (
            *_header(crash),
            Evidence(f"/sys/devices/system/cpu/cpu{found[0]}/crash_notes", "not among the notes"),
        ),
        "Load the crash image again.",
    )


def vmcoreinfo_differs(facts: Facts) -> Iterator[Found]:
    """Without this note no tool finds its way in a dump."""
    crash = facts.snapshot.crash
    if crash.vmcoreinfo is False:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "The crash image does not carry this kernel's vmcoreinfo: tools would not find "
            "their way in a dump.",
            (*_header(crash), Evidence(VMCOREINFO, "not among the notes")),
            "Load the crash image again.",
        )


def header_full(facts: Facts) -> Iterator[Found]:
    """The kernel keeps the old header when the new one does not fit."""
    room = facts.snapshot.crash.room
    # Not by bytes, which are whole pages: in a small segment one range fills as many as a hundred.
    if isinstance(room, Unknown) or room.ranges * 100 <= room.most_ranges * _FULL:
        return
    percent = room.ranges * 100 // max(room.most_ranges, 1)
    yield Found(
        Severity.WARNING,
        _SUBJECT,
        f"The core header is {percent} % full ({room.ranges} of "
        f"{room.most_ranges} ranges of memory): once it is full, memory that comes is not in a "
        "dump, and only the kernel log says so.",
        (Evidence(_KCORE, f"{room.used} of {room.size} bytes"),),
        "Bring memory online in fewer, larger pieces, or use a kernel built with a larger "
        "CONFIG_CRASH_MAX_MEMORY_RANGES.",
    )


def residue(facts: Facts) -> Iterator[Found]:
    """Unloading leaves the bytes where they are."""
    crash = facts.snapshot.crash
    if crash.residue:
        yield Found(
            Severity.INFO,
            _SUBJECT,
            "An ELF core header still lies in the memory of the crash kernel: it is what an "
            "unloaded image left behind, and arms nothing.",
            _header(crash),
        )


def udev_reloads(facts: Facts) -> Iterator[Found]:
    """Rules that were written before the kernel could update the image."""
    snapshot, reloads = facts.snapshot, facts.snapshot.crash.reloads
    if isinstance(reloads, Unknown):
        return
    if snapshot.crash.armed is True and snapshot.inventory.crash_hotplug is True:
        for path in reloads:
            yield Found(
                Severity.WARNING,
                path,
                f"udev will reload the crash image on every event ({plain(path)} has no skip "
                "rule), though the kernel updates it: while it reloads, a panic leaves no dump.",
                (Evidence(path, "an event comes to a rule that loads, where crash_hotplug is 1"),),
                "In a copy of it in /etc/udev/rules.d, put in front: "
                'SUBSYSTEM=="cpu|memory", ATTRS{crash_hotplug}=="1", GOTO="crash_hotplug_end"; '
                'and as its last line: LABEL="crash_hotplug_end".',
            )


def _told(
    found: Sequence[MemoryRange], facts: Facts, actions: Collection[str] = tuple(_WORDS)
) -> str:
    """`512 MiB (memory32-35), added at 10:42:07`, where the latest event is one of `actions`."""
    snapshot = facts.snapshot
    words = f"{size(sum(item.size for item in found))} ({_places(found, snapshot.memory)})"
    last = _last(snapshot.crash.causes, found, _block_size(snapshot.memory))
    if last is None or last.action not in actions:
        return words
    when = moment(snapshot.machine.boot_time, last.monotonic)
    return f"{words}, {_WORDS.get(last.action, 'changed')} {when}"


def _places(found: Sequence[MemoryRange], memory: MemoryLayout) -> str:
    """The memory blocks of ranges, or their addresses where no blocks are known."""
    step = _block_size(memory)
    if not step:
        shown = ", ".join(_range(item) for item in _few(found))
        return shown if len(found) <= _MOST_SHOWN else f"{shown} and more"
    return numbers("memory", [(item.start // step, (item.end - 1) // step) for item in found])


def _last(events: Sequence[Event], found: Sequence[MemoryRange], step: int) -> Event | None:
    """The latest event of a block in these ranges; None where none was seen."""
    places = runs.of_ranges((item.start, item.end) for item in found)
    wrong = (
        event
        for event in events
        if places.touches(MemoryRange(int(event.device.removeprefix("memory")) * step, step))
    )
    return max(wrong, key=lambda event: event.monotonic, default=None)


def _block_size(memory: MemoryLayout) -> int:
    """Bytes of a memory block; 0 where that is not known."""
    if isinstance(memory.blocks, Unknown) or not memory.blocks:
        return 0
    return memory.blocks[0].range.size


def _header(crash: CrashImage) -> tuple[Evidence, ...]:
    if isinstance(crash.address, Unknown) or isinstance(crash.header, Unknown):
        return ()
    text = f"ELF core header at 0x{crash.address:x}, {len(crash.header.notes)} notes"
    return (Evidence(_KCORE, text),)


def _remedy(facts: Facts) -> str:
    if facts.snapshot.inventory.crash_hotplug is True:
        return (
            "Load the crash image again; setting any other memory block offline and online "
            "mends it too."
        )
    return "Load the crash image again."


def _few(found: Sequence[MemoryRange]) -> Sequence[MemoryRange]:
    return found[:_MOST_SHOWN]


def _range(item: MemoryRange) -> str:
    return f"0x{item.start:x} to 0x{item.end:x}"


RULES = (
    Rule("crash-memory-missing", "a dump would miss memory", missing, About.CRASH),
    Rule("crash-memory-stale", "the crash image describes memory that is gone", stale, About.CRASH),
    Rule("crash-cpus-missing", "a dump would lack registers of CPUs", no_notes, About.CRASH),
    Rule(
        "crash-vmcoreinfo",
        "the crash image has another vmcoreinfo",
        vmcoreinfo_differs,
        About.CRASH,
    ),
    Rule("crash-header-full", "the core header has little room left", header_full, About.CRASH),
    Rule(
        "crash-udev-reloads",
        "udev reloads an image that the kernel updates",
        udev_reloads,
        About.CRASH,
    ),
    Rule("crash-residue", "an unloaded crash image left its header", residue, About.CRASH),
)
