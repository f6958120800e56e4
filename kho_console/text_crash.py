"""The crash image in words: what both faces say of a dump."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from kho_console import text
from kho_console.model.crash import Coverage, CpuNotes, CrashImage, Dump, Room
from kho_console.model.happening import NO_IMAGE, Effect, Gap, Happening
from kho_console.model.memory import MemoryBlock, MemoryRange
from kho_console.model.unknown import Cause, Maybe, Unknown

_NO_ANSWER = (Cause.ABSENT, Cause.TRUNCATED, Cause.INVALID, Cause.UNREADABLE)
"""Causes whose word would say something of the image, where only what is known of it is meant."""


def outlook(crash: CrashImage) -> str:
    """What a dump taken now would be: `would be complete`, `would miss 512.0 MiB`."""
    if crash.armed is False:
        return "none: a panic leaves no dump"
    if isinstance(crash.armed, Unknown):
        return "whether a panic leaves one is not known"
    if isinstance(crash.coverage, Unknown):
        return f"what it would contain is not known: {text.reason(crash.coverage)}"
    wrong = _wrong(crash, crash.coverage)
    if wrong:
        return f"would {' and '.join(wrong)}"
    if crash.dump is Dump.UNKNOWN:
        return "would hold all memory; whether it has all notes is not known"
    if crash.coverage.idle:
        return f"would be complete, without {text.size(text.total(crash.coverage.idle))} offline"
    return "would be complete"


def _wrong(crash: CrashImage, coverage: Coverage) -> list[str]:
    """What a dump would lack, or describe in vain."""
    wrong = []
    if coverage.lost:
        wrong.append(f"miss {text.size(text.total(coverage.lost))}")
    if coverage.stale:
        wrong.append(f"describe {text.size(text.total(coverage.stale))} that is gone")
    if not isinstance(crash.cpus, Unknown) and crash.cpus.without:
        wrong.append(f"lack the registers of {text.count(len(crash.cpus.without), 'CPU')}")
    if crash.vmcoreinfo is False:
        wrong.append("lack this kernel's vmcoreinfo")
    return wrong


def header(crash: CrashImage) -> str:
    """What is known of the header: `7 entries at 0x0000_6f00_0000`."""
    if isinstance(crash.header, Unknown):
        return text.why(crash.header)
    words = text.count(crash.header.entries, "entry", "entries")
    if not isinstance(crash.address, Unknown):
        words += f" at {text.address(crash.address)}"
    return f"{words}, left behind by an unloaded image" if crash.residue else words


def notes(found: CpuNotes) -> str:
    """CPUs and their notes: `2 of 2 possible have notes`."""
    words = f"{found.noted:,} of {text.told(found.possible, '{:,}'.format)} possible have notes"
    if found.unread is not None:
        return f"{words}; whose is not known: {text.why(found.unread)}"
    return f"{words}, not cpu{text.orders(found.without)}" if found.without else words


def vmcoreinfo(own: Maybe[bool]) -> str:
    """Whether a dump has what tools find their way with."""
    return text.explained(own, lambda known: "this kernel's" if known else "not this kernel's")


def room(found: Room) -> str:
    """How full the header's segment is: `4.0 KiB of 452.0 KiB, 3 of 8,260 ranges`."""
    used, size = text.size(found.used), text.size(found.size)
    return f"{used} of {size}, {found.ranges:,} of {found.most_ranges:,} ranges"


def updates(hotplug: Maybe[bool], reloads: Maybe[Sequence[str]]) -> str:
    """Who brings the image up to date when CPUs or memory come or go."""
    if isinstance(hotplug, Unknown) and hotplug.cause is Cause.ABSENT:
        words = "not by the kernel, which has no crash_hotplug: a change needs a reload"
    else:
        words = text.explained(
            hotplug,
            lambda known: (
                "by the kernel" if known else "not by the kernel: a change needs a reload"
            ),
        )
    if isinstance(reloads, Unknown) or not reloads:
        return words
    files = ", ".join(text.escaped(path) for path in reloads)
    return f"{words}; udev reloads it at every event ({files})"


def place(item: MemoryRange, blocks: Maybe[tuple[MemoryBlock, ...]]) -> str:
    """A range, the memory blocks that it lies in, and their node."""
    words = f"{text.address(item.start)}  {text.size(item.size):>10}"
    if isinstance(blocks, Unknown) or not blocks:
        return words
    size = blocks[0].range.size
    first, last = item.start // size, (item.end - 1) // size
    name = f"memory{first}" if first == last else f"memory{first}-{last}"
    start = bisect_left(blocks, first, key=lambda block: block.number)
    end = bisect_right(blocks, last, start, key=lambda block: block.number)
    nodes = {block.node for block in blocks[start:end] if not isinstance(block.node, Unknown)}
    node = "".join(f", node {number}" for number in sorted(nodes))
    return f"{words}  {name}{node}"


def age(now: float, taken: float) -> str:
    """How old a fact is: `just now`, `12 s ago`."""
    seconds = int(now - taken)
    return "just now" if seconds < 1 else f"{seconds:,} s ago"


def briefly(item: Happening | Gap) -> str:
    """What it is about: `online memory32-35`, `events lost`."""
    if isinstance(item, Gap):
        return "events lost" if item.lost else "events may be lost"
    if not item.devices:
        return text.event(item.events[0])
    devices = f"{text.escaped(item.subsystem)}{text.orders(item.devices)}"
    return f"{text.escaped(item.action)} {devices}"


def happened(item: Happening | Gap, *, node: bool = True) -> str:
    """All that is said of it in one line: `online memory32-35, 512.0 MiB, node 1`."""
    if isinstance(item, Gap):
        return _gap(item)
    parts = [briefly(item)]
    if isinstance(item.size, Unknown):
        parts.append("size not known")
    elif item.size:
        parts.append(text.size(item.size))
    if node and not isinstance(item.node, Unknown):
        parts.append(f"node {item.node}")
    return ", ".join(parts)


def change(before: Maybe[Effect], after: Maybe[Effect], arrow: str = "->") -> str:
    """What became of the program headers: `7 -> 8 entries`, `8 unchanged`."""
    if isinstance(after, Unknown):
        return _in_short(after)
    if isinstance(before, Unknown):
        return text.count(after.entries, "entry", "entries")
    if before.entries == after.entries:
        return f"{after.entries:,} unchanged"
    return f"{before.entries:,} {arrow} {text.count(after.entries, 'entry', 'entries')}"


def covered(effect: Maybe[Effect]) -> str:
    """How a dump stands at a moment: `complete`, `missing 512.0 MiB`, `stale 512.0 MiB`."""
    if isinstance(effect, Unknown):
        return _in_short(effect)
    found = [item for item in (("missing", effect.missing), ("stale", effect.stale)) if item[1]]
    size = text.size if len(found) == 1 else text.short_size
    return ", ".join(f"{name} {size(number)}" for name, number in found) or "complete"


def _in_short(effect: Unknown) -> str:
    """Why it is not known how the image stands, in a word or two: `no image`, `not recorded`."""
    if effect == NO_IMAGE:
        return "no image"
    return "not known" if effect.cause in _NO_ANSWER else text.word(effect)


def _gap(item: Gap) -> str:
    if item.lost is not None:
        said = f"events were lost ({text.escaped(item.lost.reason)})"
    else:
        said = f"{text.count(item.missed, 'number')} of SEQNUM skipped, events may be lost"
    return f"{said}; re-scan: {text.explained(item.found, text.escaped)}"
