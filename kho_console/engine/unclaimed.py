"""What came in, waits for somebody to claim it, and does not go out again.

The series of 2024 keeps such memory reserved for one boot only: what is in no tree of its own at
the next kexec, the kernel after it does not know of.
"""

from collections.abc import Sequence

from kho_console.engine.findings.words import listed, size
from kho_console.model.check import Check, Result
from kho_console.model.kho2024 import Kho2024
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown


def left_behind(snapshot: Snapshot) -> dict[bytes, tuple[MemoryRange, ...]]:
    """By the name of its node, what waits and is not in the outgoing map."""
    side, going = snapshot.incoming, snapshot.inventory.preserved
    if isinstance(side, Unknown) or isinstance(side.blobs, Unknown):
        return {}
    found = {}
    for blob in side.blobs:
        if isinstance(blob.payload, Kho2024):
            lost = tuple(item for item in blob.payload.waiting if not _covered(going, item))
            if lost:
                found[blob.name] = lost
    return found


def checks(snapshot: Snapshot) -> list[Check]:
    """What a step towards the kexec wants to be known of it."""
    found = left_behind(snapshot)
    if not found:
        return []
    text = f"{told(found)}: what is in no outgoing tree is lost at the kexec"
    remedy = "let its consumer claim it and hand it over again first"
    return [Check("unclaimed", Result.WARNING, text, None, remedy)]


def told(found: dict[bytes, tuple[MemoryRange, ...]]) -> str:
    """Whose it is and how much."""
    total = sum(item.size for ranges in found.values() for item in ranges)
    names: Sequence[bytes] = sorted(found)
    wait = "waits" if len(names) == 1 else "wait"
    return f"{listed(names)} ({size(total)}) came in and still {wait} for a consumer"


def _covered(going: PreservedMap | Unknown, item: MemoryRange) -> bool:
    return not isinstance(going, Unknown) and going.ranges.covers(item)
