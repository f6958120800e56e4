"""What CPU and memory events changed, without looking at everything anew."""

import re
from collections.abc import Iterable
from dataclasses import replace

from kho_console.engine import machine
from kho_console.engine.crash.image import crash_image
from kho_console.engine.memory_layout import changed_layout, memory_layout
from kho_console.model.event import Event, EventsLost
from kho_console.model.machine import MemoryLayout
from kho_console.model.snapshot import Snapshot
from kho_console.source.protocol import Source

_BLOCK = re.compile(r"memory(\d{1,9})")


def recheck(
    source: Source,
    previous: Snapshot,
    events: Iterable[Event | EventsLost],
    *,
    complete: bool = True,
) -> Snapshot:
    """Memory, CPUs and the crash image looked at anew; all else of `previous` stays.

    It takes none of the kernel's locks that a load wants, and reads only those memory blocks that
    the events name.

    Args:
        source: The machine.
        previous: An earlier snapshot of it.
        events: What happened since.
        complete: Whether these are all. Where some may be missing, or there are none, all of memory
            is looked at anew.
    """
    happened = tuple(events)
    memory = _memory(source, previous.memory, happened if complete else ())
    cpus = machine.cpus(source)
    kexec = machine.kexec(source, previous.kexec.crash_size, previous.kexec)
    seen = tuple(event for event in happened if isinstance(event, Event))
    return replace(
        previous,
        taken=source.clock(),
        memory=memory,
        cpus=cpus,
        kexec=kexec,
        crash=crash_image(
            source,
            kexec,
            memory,
            cpus,
            previous.crash,
            previous.cpus,
            seen,
            updatable=previous.inventory.crash_hotplug,
        ),
    )


def _memory(
    source: Source, before: MemoryLayout, events: tuple[Event | EventsLost, ...]
) -> MemoryLayout:
    if not events or any(isinstance(event, EventsLost) for event in events):
        return memory_layout(source)
    found = (
        _BLOCK.fullmatch(event.device)
        for event in events
        if isinstance(event, Event) and event.subsystem == "memory"
    )
    return changed_layout(source, before, [int(block[1]) for block in found if block])
