"""The costly part of a snapshot: preserved memory, whose it is, and live-update sessions."""

from kho_console.abi import luo
from kho_console.engine import machine, owners, preserved, search, sessions, sides
from kho_console.engine.generation import Recognised
from kho_console.model.blob import Blob
from kho_console.model.generation import MapFormat
from kho_console.model.machine import MemoryLayout
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Holder, Session
from kho_console.model.snapshot import Inventory, Side
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source


def take(
    source: Source,
    memory: MemoryLayout,
    recognised: Recognised,
    outgoing: Side,
    incoming: Maybe[Side],
    booted: Maybe[bool],
    before: Inventory | None = None,
) -> Inventory:
    """Walk preserved memory and processes, and read the files that take the kexec lock.

    Args:
        source: The machine.
        memory: Its physical memory.
        recognised: Its handover mechanism.
        outgoing: What debugfs shows of the outgoing side.
        incoming: What debugfs shows of the incoming side.
        booted: Whether this kernel came through a handover.
        before: An earlier inventory; what takes the kexec lock to read is kept from it.
    """
    live_update = _live_update(source, memory, incoming)
    found_sessions = _Sessions.of(source, live_update, booted)
    found = preserved.outgoing(source, recognised, outgoing, memory.ram)
    recovered, ownership = (
        (found, found) if isinstance(found, Unknown) else _searched(source, found, outgoing)
    )
    return Inventory(
        taken=source.clock(),
        preserved=found,
        recovered=recovered,
        ownership=ownership,
        live_update=live_update,
        sessions=found_sessions.sessions,
        unseen=found_sessions.unseen,
        waiting=found_sessions.waiting,
        device_holders=found_sessions.device_holders,
        crash_size=machine.crash_size(source) if before is None else before.crash_size,
        crash_hotplug=machine.crash_hotplug(source) if before is None else before.crash_hotplug,
        lock_taken=source.clock() if before is None else before.lock_taken,
    )


def _live_update(source: Source, memory: MemoryLayout, incoming: Maybe[Side]) -> Blob | None:
    """The incoming `LUO` blob, believed only as far as its memory bears it out."""
    found = None if isinstance(incoming, Unknown) else incoming.blob(luo.NAME)
    if found is None:
        return None
    return sides.checked_live_update(found, source.memory, memory.ram, source.facts().page_size)


@dataclass(frozen=True, slots=True)
class _Sessions:
    """What the process walk and the previous kernel's records tell."""

    sessions: Maybe[tuple[Session, ...]]
    unseen: int
    waiting: Maybe[int]
    device_holders: tuple[Holder, ...]

    @classmethod
    def of(cls, source: Source, live_update: Blob | None, booted: Maybe[bool]) -> "_Sessions":
        """Look at processes and records; an open device or session shows that these are gone."""
        processes = source.processes()
        if isinstance(processes, Unknown):
            return cls(processes, 0, processes, ())
        held = sessions.held(processes, cold=booted is False)
        holders, unseen = sessions.device_holders(processes), sessions.unseen(processes)
        waiting = _waiting(source, live_update, booted, opened=bool(held or holders))
        found: Maybe[tuple[Session, ...]] = held
        if not isinstance(waiting, Unknown):
            found = held + waiting
        if not found and unseen:
            reason = f"{unseen} processes do not show what they have open"
            found = Unknown(Cause.NOT_PERMITTED, reason)
        count = waiting if isinstance(waiting, Unknown) else len(waiting)
        return cls(found, unseen, count, holders)


def _waiting(
    source: Source, live_update: Blob | None, booted: Maybe[bool], *, opened: bool
) -> Maybe[tuple[Session, ...]]:
    if booted is False:
        return Unknown(Cause.ABSENT, "this kernel did not come through a handover")
    if isinstance(booted, Unknown):
        return booted
    if opened:
        return Unknown(Cause.RELEASED, "the live-update device was opened since the boot")
    return sessions.incoming(source, live_update)


def _searched(
    source: Source, found: PreservedMap, outgoing: Side
) -> tuple[Maybe[RootTree], Ownership]:
    """The root tree from its own page, and the owners of all preserved memory."""
    # The series of 2024 has neither a page of its own for the tree nor memory files.
    inline = found.format is MapFormat.MEM_ARRAYS
    seen = search.NOTHING if inline else search.search(source.memory, found)
    shown = None if isinstance(outgoing.tree, Unknown) else outgoing.tree
    claims = owners.claims(
        source.memory,
        found.page_size,
        seen.tree or shown,
        () if isinstance(outgoing.blobs, Unknown) else outgoing.blobs,
        ((item, None) for item in seen.memfds),
    )
    ownership = owners.attribute(found, claims, seen.complete)
    if seen.tree is None:
        return Unknown(Cause.NOT_RECORDED, "the root tree's own page was not found"), ownership
    return seen.tree, ownership
