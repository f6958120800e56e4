"""The words of the Crash screen: what a dump taken now would contain, and what that rests on."""

from collections.abc import Iterable, Iterator

from kho_console import text, text_crash
from kho_console.engine.observer import View
from kho_console.model.crash import CoreHeader, Coverage, CrashImage, LoadKind
from kho_console.model.happening import Effect
from kho_console.model.memory import MemoryRange
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.tui.bar import Part, bar
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Piece, Row, clipped, plain, row, wrapped

COVERED, MISSING, STALE = "█", "░", "▒"
"""What a bar of a dump is drawn with."""

_X86_64 = 62
"""Its `e_machine`; there kexec_file_load puts the header at the first byte of the region."""

_COMPLETE = "would be complete"
_RECORDED = "fixture"
_LIVE, _RECORDING = "live", "recording"
_LABEL = 11
_NARROW = 60
_LOW = 20
_BAR = 40
"""Columns of the bar at most."""

_LEAST_BAR = 8
_MOST_NAMED = 3
_MOST_RANGES = 100
"""Ranges of a kind that are named."""


def answer(crash: CrashImage) -> tuple[Piece, str]:
    """Whether a panic leaves a dump, and what it would contain: a word with its look, a phrase."""
    if isinstance(crash.armed, Unknown):
        return ("NOT KNOWN", "warning"), f"whether a panic leaves a dump: {text.why(crash.armed)}"
    if not crash.armed:
        left = "; the header of an unloaded image is still in memory" if crash.residue else ""
        return ("NOT ARMED", "error"), f"a panic leaves no dump{left}"
    return ("ARMED", _armed_look(crash)), _outlook(crash, "a dump taken now")


def _outlook(crash: CrashImage, dump: str) -> str:
    if isinstance(crash.coverage, Unknown):
        return f"what {dump} would contain is not known: {text.why(crash.coverage)}"
    return f"{dump} {text_crash.outlook(crash)}"


def in_short(snapshot: Snapshot) -> str:
    """The same for one line among others: `armed · dump would be complete`."""
    crash, cpus = snapshot.crash, snapshot.cpus
    if crash.armed is not True:
        (word, _), phrase = answer(crash)
        known = crash.armed is False
        room = f" · {_reserved(snapshot.memory.crash_regions)}" if known else ""
        return f"{word.lower()}: {phrase}{room}"
    present = text.told(cpus.present, lambda found: f"{len(found)}")
    possible = text.told(cpus.possible, lambda found: f"{len(found)}")
    return f"armed · {_outlook(crash, 'dump')} ({present} of {possible} possible CPUs present)"


def _reserved(regions: Maybe[tuple[MemoryRange, ...]]) -> str:
    if isinstance(regions, Unknown):
        return f"reserved memory {text.why(regions)}"
    return f"{text.size(text.total(regions))} reserved" if regions else "no memory is reserved"


def head(view: View, width: int, height: int) -> list[Row]:
    """The answer, and its evidence as far as there is room."""
    crash = view.snapshot.crash
    word, phrase = answer(crash)
    phrase += _places(view.snapshot)
    first = row((f" {'CRASH':<{_LABEL}}", "strong"), word, " · ")
    if width < _NARROW:
        first = row(" ", word, " · ")
    memory = _memory(crash, width)
    if height < _LOW:
        # A reason takes the room of the bar that it is in place of.
        told = crash.armed is True and isinstance(crash.coverage, Unknown)
        rows = wrapped(phrase, width, first, "strong", most=3 if told else 2)
        return rows if told else [*rows, memory]
    rows = wrapped(phrase, width, first, "strong", most=2)
    return [*rows, *(clipped(item, width) for item in _evidence(view, width)), memory]


def _places(snapshot: Snapshot) -> str:
    """The memory blocks that a dump would miss, or that are gone, where there are blocks."""
    coverage, blocks = snapshot.crash.coverage, snapshot.memory.blocks
    known = snapshot.crash.armed is True and not isinstance(blocks, Unknown) and blocks
    if isinstance(coverage, Unknown) or not known:
        return ""
    size = known[0].range.size
    told = ""
    for name, ranges in (("missing", coverage.lost), ("gone", coverage.stale)):
        named = [_blocks(item, size) for item in ranges[:_MOST_NAMED]]
        more = f" and {len(ranges) - _MOST_NAMED:,} more" if len(ranges) > _MOST_NAMED else ""
        told += f"; {name}: {', '.join(named)}{more}" if named else ""
    return told


def _blocks(item: MemoryRange, size: int) -> str:
    first, last = item.start // size, (item.end - 1) // size
    return f"memory{first}" if first == last else f"memory{first}-{last}"


def whole(view: View, width: int) -> list[Row]:
    """All that is known of the image and of what a dump would lack."""
    crash = view.snapshot.crash
    hotplug = view.snapshot.inventory.crash_hotplug
    rows: list[Row] = []
    if crash.armed is True:
        rows += labelled("updated", text_crash.updates(hotplug, crash.reloads), width)
    if not isinstance(crash.coverage, Unknown):
        rows += _ranges(crash.coverage, view, width)
    for name, words in _facts(view):
        rows += labelled(name, words, width)
    if not isinstance(crash.header, Unknown) and not isinstance(crash.address, Unknown):
        rows += labelled("lies at", text.address(crash.address), width)
    reserved = text.explained(view.snapshot.kexec.crash_size, text.exact)
    rows += labelled("size", reserved, width)
    return rows + labelled("read", _when_read(view.snapshot), width)


def _when_read(snapshot: Snapshot) -> str:
    """How old the facts are; the kernel takes its lock to tell some, so that those are older."""
    if snapshot.source.kind == _RECORDED:
        return "as recorded"
    header = _age(snapshot.taken - snapshot.crash.taken)
    locked = _age(snapshot.taken - snapshot.inventory.lock_taken)
    return f"header and memory {header}, updated and size {locked}"


def _ranges(coverage: Coverage, view: View, width: int) -> Iterator[Row]:
    """What a dump would get wrong, range by range."""
    blocks = view.snapshot.memory.blocks
    for name, ranges in (
        ("missing", coverage.missing),
        ("stale", coverage.stale),
        ("offline", coverage.offline),
    ):
        for item in ranges[:_MOST_RANGES]:
            yield from labelled(name, text_crash.place(item, blocks), width)
        if len(ranges) > _MOST_RANGES:
            yield from labelled(name, f"{len(ranges) - _MOST_RANGES:,} more", width, "dim")


def standing(effect: Maybe[Effect], *, short: bool = False) -> Piece:
    """How a dump stands at a moment: `complete`, `missing 512.0 MiB`, `stale 512.0 MiB`."""
    words = text_crash.covered(effect)
    if isinstance(effect, Unknown):
        return words, "dim"
    if not effect.missing and not effect.stale:
        return words, "good"
    return words.partition(" ")[0] if short else words, "warning"


def _armed_look(crash: CrashImage) -> str:
    return "good" if text_crash.outlook(crash) == _COMPLETE else "warning"


def _memory(crash: CrashImage, width: int) -> Row:
    """A bar of the memory of a dump, with the words for it."""
    label = row((f" {'memory':<{_LABEL}}" if width >= _NARROW else " ", "strong"))
    coverage = crash.coverage
    if crash.armed is False:
        return (*label, ("no dump", "error"))
    if isinstance(crash.armed, Unknown):
        return clipped((*label, ("not known whether there is a dump", "warning")), width)
    if isinstance(coverage, Unknown):
        return clipped((*label, (text.why(coverage), "dim")), width)
    missing, stale = text.total(coverage.missing), text.total(coverage.stale)
    word, look = standing(Effect(0, missing, stale))
    amount = f"{text.size(coverage.described)} of {text.size(coverage.expected)}"
    words = row(" ", (word, look), f"  {amount}" if width >= _NARROW else "")
    room = min(width - len(plain(label)) - len(plain(words)) - 1, _BAR if width < 100 else 2 * _BAR)
    drawn = bar(coverage_parts(coverage.described, missing, stale), room)
    return clipped((*label, *(drawn if room >= _LEAST_BAR else ()), *words), width)


def coverage_parts(described: int, missing: int, stale: int) -> tuple[Part, ...]:
    """The parts of a dump's bar."""
    return (
        Part(COVERED, "good", described),
        Part(MISSING, "error", missing),
        Part(STALE, "warning", stale),
    )


def _evidence(view: View, width: int) -> Iterator[Row]:
    for name, words in _facts(view):
        yield from wrapped(words, width, row((f" {name:<{_LABEL}}", "strong")), most=1)


def _facts(view: View) -> Iterator[tuple[str, str]]:
    """What the answer rests on, each with its name."""
    crash = view.snapshot.crash
    yield "region" if crash.armed is False else "image", _image(view)
    yield "header", _header(crash)
    yield "CPUs", _cpus(crash)


def _image(view: View) -> str:
    regions, crash = view.snapshot.memory.crash_regions, view.snapshot.crash
    if isinstance(regions, Unknown):
        return text.why(regions)
    if not regions:
        return "no memory is reserved for a crash kernel"
    places = (f"{text.size(item.size)} at {text.address(item.start)}" for item in regions)
    call = ""
    if crash.armed is not False and not isinstance(crash.header, Unknown):
        call = _loaded_by(crash, crash.header, regions)
    return " · ".join(filter(None, (call, *places)))


def _loaded_by(crash: CrashImage, header: CoreHeader, regions: Iterable[MemoryRange]) -> str:
    """The system call that put a header there, as far as its place and what it says tell."""
    if any(load.kind is LoadKind.BACKUP for load in header.loads):
        return "by kexec_load"
    if header.machine != _X86_64:
        return ""
    first = any(crash.address == item.start for item in regions)
    return "by kexec_file_load" if first else "by kexec_load"


def _header(crash: CrashImage) -> str:
    if isinstance(crash.header, Unknown):
        return text.why(crash.header)
    parts = ["left behind by an unloaded image"] if crash.residue else []
    parts.append(text.count(crash.header.entries, "entry", "entries"))
    if not isinstance(crash.room, Unknown):
        parts.append(text_crash.room(crash.room))
    return " · ".join(parts)


def _cpus(crash: CrashImage) -> str:
    if isinstance(crash.cpus, Unknown):
        return text.why(crash.cpus)
    told = text_crash.vmcoreinfo(crash.vmcoreinfo)
    return f"{text_crash.notes(crash.cpus)} · vmcoreinfo {told}"


def nothing(view: View) -> str:
    """What stands where nothing happened."""
    if view.snapshot.source.kind == _LIVE:
        return "no event of a CPU or memory so far"
    if view.snapshot.source.kind == _RECORDING:
        return "no event of a CPU or memory up to this moment"
    return "no events were recorded"


def flow(view: View, width: int) -> Row:
    """How events arrive, and how old the header is."""
    found, snapshot = view.flow, view.snapshot
    lost, live = found.lost, snapshot.source.kind == _LIVE
    parts = []
    if lost:
        parts.append(row((f"{text.count(lost, 'loss', 'losses')}", "warning")))
    elif live:
        parts.append(row("0 lost"))
    if found.gaps:
        parts.append(row(text.count(found.gaps, "gap")))
    if live or found.rate:
        parts.append(row(f"{found.rate:,.1f}/s"))
    if found.backlog:
        parts.append(row((f"{found.backlog:,} waiting", "info")))
    parts.append(row(_read(snapshot)))
    reloads = snapshot.crash.reloads
    if not isinstance(reloads, Unknown) and reloads:
        parts.append(row(("udev: reloads on every event", "warning")))
    told = parts[0]
    for part in parts[1:]:
        told = (*told, (" · ", "dim"), *part)
    return clipped(row(" ", *told), width)


def _read(snapshot: Snapshot) -> str:
    """When the header was read, or that there is none."""
    if isinstance(snapshot.crash.header, Unknown):
        return "no header read"
    if snapshot.source.kind == _RECORDED:
        return "header as recorded"
    return f"header read {_age(snapshot.taken - snapshot.crash.taken)}"


def _age(seconds: float) -> str:
    """How old something is, so coarse that no clock ticks on the screen."""
    if seconds < 10:
        return "just now"
    if seconds < 60:
        return "less than a minute ago"
    minutes = int(seconds // 60)
    return f"{minutes:,} min ago" if minutes < 120 else f"{minutes // 60:,} h ago"
