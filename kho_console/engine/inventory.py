"""The costly part of a snapshot: preserved memory, whose it is, and live-update sessions."""

from kho_console.abi import luo
from kho_console.engine import machine, owners, preserved, search, sessions
from kho_console.engine.generation import Recognised
from kho_console.model.blob import Blob
from kho_console.model.machine import MemoryLayout
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Session
from kho_console.model.snapshot import Inventory, Side
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Process, Source


def take(
    source: Source,
    memory: MemoryLayout,
    recognised: Recognised,
    tree: Maybe[RootTree],
    blobs: Maybe[tuple[Blob, ...]],
    incoming: Maybe[Side],
) -> Inventory:
    """Walk preserved memory and processes, and read the files that take the kexec lock."""
    processes = source.processes()
    found_sessions, waiting = _sessions(source, processes, incoming)
    found = preserved.outgoing(source, recognised, tree, blobs, memory.ram)
    recovered, ownership = (
        (found, found) if isinstance(found, Unknown) else _searched(source, found, tree, blobs)
    )
    return Inventory(
        taken=source.clock(),
        preserved=found,
        recovered=recovered,
        ownership=ownership,
        sessions=found_sessions,
        waiting=waiting,
        device_holders=sessions.device_holders(processes),
        crash_size=machine.crash_size(source),
        crash_hotplug=machine.crash_hotplug(source),
    )


def _searched(
    source: Source,
    found: PreservedMap,
    tree: Maybe[RootTree],
    blobs: Maybe[tuple[Blob, ...]],
) -> tuple[Maybe[RootTree], Ownership]:
    """The root tree from its own page, and the owners of all preserved memory."""
    seen = search.search(source.memory, found)
    best = seen.tree or (None if isinstance(tree, Unknown) else tree)
    claims = owners.claims(
        source.memory,
        found.page_size,
        best,
        () if isinstance(blobs, Unknown) else blobs,
        ((item, None) for item in seen.memfds),
    )
    ownership = owners.attribute(found, claims, seen.complete)
    if seen.tree is None:
        return Unknown(Cause.NOT_RECORDED, "the root tree's own page was not found"), ownership
    return seen.tree, ownership


def _sessions(
    source: Source, processes: tuple[Process, ...], incoming: Maybe[Side]
) -> tuple[tuple[Session, ...], Maybe[int]]:
    """Sessions that processes hold and those that wait in the previous kernel's records.

    A descriptor of the device or of a session shows that the device was opened, which releases
    the records.

    Returns:
        The sessions, and how many of them wait, or why that is not known.
    """
    after_handover = not isinstance(incoming, Unknown)
    held = sessions.held(processes, after_handover=after_handover)
    if isinstance(incoming, Unknown):
        return held, incoming
    if sessions.device_was_opened(processes):
        return held, Unknown(Cause.RELEASED, "the live-update device was opened since the boot")
    page_size = source.facts().page_size
    waiting = sessions.incoming(source.memory, incoming.blob(luo.NAME), page_size)
    return (held, waiting) if isinstance(waiting, Unknown) else (held + waiting, len(waiting))
