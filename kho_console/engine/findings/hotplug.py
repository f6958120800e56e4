"""Memory that may go away while something in it is to be handed over."""

from collections.abc import Callable, Iterator, Sequence

from kho_console.abi import runs
from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import count, plain
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import IomemEntry, MemoryBlock, MemoryRange
from kho_console.model.unknown import Unknown

_MOST_SHOWN = 5
_STAY = "Bring them online again before the kexec, and keep hotplug away from them until then."


def offline_block(facts: Facts) -> Iterator[Found]:
    """A block that is offline, or about to be: its memory may be unplugged at any time."""
    held = _held(facts)
    blocks = _known_blocks(facts.snapshot.memory)
    for state, severity in (("offline", Severity.ERROR), ("going-offline", Severity.WARNING)):
        found = [block for block in blocks if block.state == state and held(block.range)]
        if found:
            yield Found(
                severity,
                f"memory{found[0].number}",
                f"{count(len(found), f'{state} memory block')} "
                f"{'holds' if len(found) == 1 else 'hold'} {_what(found, held)}: what is in "
                "them may be gone, and nobody may write to it.",
                tuple(_state(block) for block in found[:_MOST_SHOWN]),
                _STAY,
            )


def movable_block(facts: Facts) -> Iterator[Found]:
    """A block of the zone that is there to be taken away.

    The file `removable` tells nothing: since 5.15 it says whether the kernel can offline memory
    at all. So the block must lie in the Movable zone of its node, and in no other one.
    """
    held, memory = _held(facts), facts.snapshot.memory
    movable = _movable(memory)
    found = [
        block
        for block in _known_blocks(memory)
        if block.state == "online" and movable(block) and held(block.range)
    ]
    if found:
        yield Found(
            Severity.WARNING,
            f"memory{found[0].number}",
            f"{count(len(found), 'memory block')} of the Movable zone "
            f"{'holds' if len(found) == 1 else 'hold'} {_what(found, held)}: that zone is there "
            "to be taken offline.",
            tuple(
                Evidence("/proc/zoneinfo", f"memory{block.number} lies in zone Movable only")
                for block in found[:_MOST_SHOWN]
            ),
            "Do not set these blocks offline and do not unplug them before the kexec.",
        )


def driver_memory(facts: Facts) -> Iterator[Found]:
    """Memory that a driver added, and that goes when the driver gives it back."""
    held, entries = _held(facts), facts.snapshot.memory.iomem
    found = [
        entry
        for entry in (() if isinstance(entries, Unknown) else entries)
        if _of_driver(entry) and held(entry.range)
    ]
    if found:
        yield Found(
            Severity.WARNING,
            found[0].name,
            f"{count(len(found), 'range')} of memory that a driver added "
            f"({plain(found[0].name)}) {'holds' if len(found) == 1 else 'hold'} "
            f"{_what(found, held)}: the driver may take it away again.",
            tuple(
                Evidence("/proc/iomem", f"0x{item.range.start:x} to 0x{item.range.end:x}")
                for item in found[:_MOST_SHOWN]
            ),
            "Leave the driver bound until the kexec, and check that the next kernel has it.",
        )


_Held = Callable[[MemoryRange], str]


def _held(facts: Facts) -> _Held:
    """Answers what of the handover lies in a range; empty for nothing, or nothing known."""
    areas, preserved = facts.snapshot.scratch, facts.snapshot.inventory.preserved
    known = () if isinstance(areas, Unknown) else [item.range for item in areas if item.size]

    def held(place: MemoryRange) -> str:
        parts = []
        if not isinstance(preserved, Unknown) and preserved.ranges.touches(place):
            parts.append("preserved memory")
        if any(area.overlaps(place) for area in known):
            parts.append("scratch")
        return " and ".join(parts)

    return held


def _what(found: Sequence[MemoryBlock | IomemEntry], held: _Held) -> str:
    words = {word for item in found for word in held(item.range).split(" and ")}
    return " and ".join(sorted(words))


def _known_blocks(memory: MemoryLayout) -> tuple[MemoryBlock, ...]:
    return () if isinstance(memory.blocks, Unknown) else memory.blocks


def _movable(memory: MemoryLayout) -> Callable[[MemoryBlock], bool]:
    """Answers whether all that is known of a block's zones is that they are movable."""
    zones = () if isinstance(memory.zones, Unknown) else memory.zones
    movable, others = (
        runs.of_ranges(
            (zone.range.start, zone.range.end)
            for zone in zones
            if (zone.name == "Movable") is wanted
        )
        for wanted in (True, False)
    )
    return lambda block: movable.touches(block.range) and not others.touches(block.range)


def _of_driver(entry: IomemEntry) -> bool:
    return entry.name.startswith("System RAM (")


def _state(block: MemoryBlock) -> Evidence:
    return Evidence(f"{paths.MEMORY}/memory{block.number}/state", f"{block.state}")


RULES = (
    Rule(
        "offline-memory-held",
        "an offline memory block holds what is handed over",
        offline_block,
        About.PRESERVED,
    ),
    Rule(
        "movable-memory-held",
        "a movable block holds what is handed over",
        movable_block,
        About.PRESERVED,
    ),
    Rule(
        "driver-memory-held",
        "memory of a driver holds what is handed over",
        driver_memory,
        About.PRESERVED,
    ),
)
