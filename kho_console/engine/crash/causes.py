"""Which events brought or took the memory that a dump would get wrong."""

import re
from collections.abc import Iterable

from kho_console.abi import runs
from kho_console.model.crash import Coverage, CrashImage
from kho_console.model.event import Event
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.unknown import Maybe, Unknown

COMING = ("add", "online")
"""What leaves memory missing in a header that is not updated."""

GOING = ("offline", "remove")
"""What leaves it stale."""

_BLOCK = re.compile(r"memory(\d{1,9})")


def causes(
    coverage: Maybe[Coverage], memory: MemoryLayout, events: Iterable[Event]
) -> tuple[Event, ...]:
    """The latest event of each block that is missing or stale, by ascending number.

    Args:
        coverage: What a dump would contain.
        memory: The machine's memory; its first block tells the size of all.
        events: Events in their order.
    """
    if isinstance(coverage, Unknown) or isinstance(memory.blocks, Unknown) or not memory.blocks:
        return ()
    wrong = (*coverage.missing, *coverage.stale)
    if not wrong:
        return ()
    size = memory.blocks[0].range.size
    places = runs.of_ranges((item.start, item.end) for item in wrong)
    latest: dict[int, Event] = {}
    for event in events:
        found = _BLOCK.fullmatch(event.device)
        if found and event.subsystem == "memory":
            latest[int(found[1])] = event
    return tuple(
        event
        for number, event in sorted(latest.items())
        if places.touches(MemoryRange(number * size, size))
    )


def explained(image: CrashImage, memory: MemoryLayout) -> bool:
    """Whether events tell of all memory that a dump would get wrong."""
    coverage = image.coverage
    if isinstance(coverage, Unknown):
        return True
    return not any(
        without(wrong, _blocks(image.causes, memory, actions))
        for wrong, actions in ((coverage.missing, COMING), (coverage.stale, GOING))
    )


def _blocks(
    events: Iterable[Event], memory: MemoryLayout, actions: tuple[str, ...]
) -> tuple[MemoryRange, ...]:
    """The blocks that events of these actions name."""
    if isinstance(memory.blocks, Unknown) or not memory.blocks:
        return ()
    size = memory.blocks[0].range.size
    found = (_BLOCK.fullmatch(event.device) for event in events if event.action in actions)
    return merged([MemoryRange(int(block[1]) * size, size) for block in found if block])
