"""`reserve_mem=` regions: the next kernel takes one over only if it asks for exactly it.

mm/memblock.c (`reserve_mem_kho_revive`): name, size and alignment decide; otherwise it makes a new
region, and the old one stays reserved, out of everybody's reach.
"""

from collections.abc import Iterator

from kho_console.abi import memblock
from kho_console.abi.command_line import ReserveMem
from kho_console.abi.scratch_request import Malformed
from kho_console.engine.findings.words import count, size
from kho_console.engine.preflight.naming import name as named
from kho_console.engine.preflight.situation import Situation
from kho_console.model.blob import MemblockTree
from kho_console.model.check import Check, Result
from kho_console.model.value import dataclass

_NAME = "reserve-mem"


@dataclass(frozen=True, slots=True)
class Region:
    """A region of this machine. Bytes; the start is None where only the command line tells."""

    name: bytes
    size: int
    start: int | None


def regions(now: Situation) -> tuple[Region, ...]:
    """The regions here: those of the `memblock` blob, else what the command line asked for."""
    blob = now.snapshot.outgoing.blob(memblock.NAME)
    if blob is not None and isinstance(blob.payload, MemblockTree):
        return tuple(Region(item.name, item.size, item.start) for item in blob.payload.regions)
    line = now.facts.line
    wanted = () if line is None else line.reserve_mem
    return tuple(Region(item.name, item.size, None) for item in _good(wanted))


def left_behind(now: Situation) -> tuple[tuple[Region, str], ...]:
    """The regions that the next kernel does not take over, each with the reason."""
    wanted = {item.name: item for item in _good(now.line.reserve_mem)}
    found = []
    for region in regions(now):
        why = _mismatch(region, wanted.get(region.name))
        if why:
            found.append((region, why))
    return tuple(found)


def fresh(now: Situation) -> tuple[ReserveMem, ...]:
    """The regions that the next kernel has to make anew."""
    lost = {region.name for region, _ in left_behind(now)}
    kept = {region.name for region in regions(now)} - lost if now.hands_over else set()
    return tuple(item for item in _good(now.line.reserve_mem) if item.name not in kept)


def reserve_mem(now: Situation) -> Iterator[Check]:
    """Regions that would be left behind, and options that the next kernel ignores."""
    if not now.hands_over:
        return
    here = regions(now)
    bad = [item.reason for item in now.line.reserve_mem if isinstance(item, Malformed)]
    if bad:
        text = f"the next kernel ignores {count(len(bad), 'reserve_mem= option')}"
        remedy = "write reserve_mem=SIZE:ALIGN:NAME, each name once, at most 8"
        yield Check(_NAME, Result.WARNING, text, "; ".join(bad), remedy)
    lost = left_behind(now)
    for region, why in lost:
        text = (
            f"reserve_mem {named(region.name)} is left behind, out of reach and with all that is "
            f"in it: {why}"
        )
        evidence = f"{named(region.name)}: {size(region.size)} here" + (
            "" if region.start is None else f" at 0x{region.start:x}"
        )
        remedy = f"write reserve_mem={region.size}:ALIGN:{named(region.name)}"
        yield Check(_NAME, Result.WARNING, text, evidence, remedy)
    if not bad and not lost:
        listed = ", ".join(f"{named(item.name)} {size(item.size)}" for item in here)
        text = "the next kernel takes over every reserve_mem region" if here else _NONE
        yield Check(_NAME, Result.PASS, text, listed or None)


_NONE = "this machine has no reserve_mem region"


def _mismatch(region: Region, wanted: ReserveMem | None) -> str:
    """Why the next kernel does not adopt a region; empty where it does."""
    if wanted is None:
        return "the next command line does not ask for it"
    if wanted.size != region.size:
        return f"it is {size(region.size)} here and {size(wanted.size)} there"
    if region.start is not None and wanted.align and region.start % wanted.align:
        return f"it does not lie at a multiple of {size(wanted.align)}"
    return ""


def _good(items: tuple[ReserveMem | Malformed, ...]) -> list[ReserveMem]:
    return [item for item in items if isinstance(item, ReserveMem)]
