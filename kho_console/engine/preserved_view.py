"""Preserved memory of one side of a handover, with its owners."""

from kho_console.engine import residue
from kho_console.engine.paths import IN
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source


@dataclass(frozen=True, slots=True, eq=False)
class PreservedView:
    """A map and whose its memory is; both unknown for the same reason where there is no map."""

    preserved: Maybe[PreservedMap]
    ownership: Maybe[Ownership]


def look(source: Source, snapshot: Snapshot, side: str, *, unreliable: bool) -> PreservedView:
    """The map of a side.

    Args:
        source: The machine, for what is read on demand only.
        snapshot: What was read of it.
        side: `out` or `in`.
        unreliable: Whether to read what is left of a map that the kernel has released.
    """
    if side != IN:
        return PreservedView(snapshot.outgoing.preserved, snapshot.inventory.ownership)
    found = residue.read(source, snapshot) if unreliable else _incoming(snapshot)
    if isinstance(found, Unknown):
        return PreservedView(found, found)
    return PreservedView(found, residue.ownership(source, snapshot, found))


def came(snapshot: Snapshot) -> bool:
    """Whether what came in is still known: mainline releases its incoming map at boot."""
    return not isinstance(_incoming(snapshot), Unknown)


def _incoming(snapshot: Snapshot) -> Maybe[PreservedMap]:
    side = snapshot.incoming
    return side if isinstance(side, Unknown) else side.preserved
