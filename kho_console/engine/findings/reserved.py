"""Regions of `reserve_mem=`: asked for, in force, and handed over."""

import os
from collections.abc import Iterator

from kho_console.abi import memblock
from kho_console.abi.command_line import ReserveMem
from kho_console.abi.kernel_log import LogKind
from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts, logged
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain, size
from kho_console.model.blob import MemblockTree, ReservedRegion
from kho_console.model.finding import About, Evidence, Severity, Thing
from kho_console.model.generation import Finalize, State
from kho_console.model.unknown import Unknown


def lost(facts: Facts) -> Iterator[Found]:
    """A region is not there, or is not the one that came in."""
    arrived = _regions(facts, facts.where.incoming)
    in_force = _regions(facts, facts.where.outgoing)
    for wanted in _wanted(facts):
        came = arrived.get(wanted.name) if arrived is not None else None
        if in_force is not None and wanted.name not in in_force:
            yield _not_reserved(facts, wanted)
        elif came is not None and not _adopted(facts, wanted, came):
            yield _not_adopted(facts, wanted, came)


def unclaimed(facts: Facts) -> Iterator[Found]:
    """A region came in that this command line does not name."""
    if facts.line is None:
        return
    names = {wanted.name for wanted in _wanted(facts)}
    for region in (_regions(facts, facts.where.incoming) or {}).values():
        if region.name not in names:
            yield Found(
                Severity.WARNING,
                os.fsdecode(region.name),
                f"The handover brought reserve_mem {plain(region.name)} ({size(region.size)}), "
                "which this command line does not ask for: its memory stays reserved until the "
                "next reboot, and nobody can use it.",
                (_stored(facts, region),),
                f"Put reserve_mem={region.size}:ALIGN:{plain(region.name)} on the command line of "
                "the next kernel.",
                thing=_thing(facts, facts.where.incoming),
            )


def _not_reserved(facts: Facts, wanted: ReserveMem) -> Found:
    lines = tuple(logged(fact) for fact in facts.said(LogKind.RESERVE_MEM))
    return Found(
        Severity.WARNING,
        os.fsdecode(wanted.name),
        f"reserve_mem {plain(wanted.name)} is on the command line, and the kernel has not "
        "reserved it: its owner has no memory to hand over.",
        (_asked(wanted), Evidence(_path(facts, facts.where.outgoing), "has no such node"), *lines),
        "Ask for less memory or a smaller alignment, and look for reserve_mem in the kernel log.",
        thing=_thing(facts, facts.where.outgoing),
    )


def _not_adopted(facts: Facts, wanted: ReserveMem, came: ReservedRegion) -> Found:
    other = "size" if wanted.size != came.size else "alignment"
    return Found(
        Severity.WARNING,
        os.fsdecode(wanted.name),
        f"reserve_mem {plain(wanted.name)} asks for another {other} than what was handed over, so "
        f"the kernel made a new region; the old {size(came.size)} stay reserved and out of reach.",
        (_asked(wanted), _stored(facts, came)),
        "Ask for the same size and alignment on both sides of a kexec.",
        thing=_thing(facts, facts.where.incoming),
    )


def _adopted(facts: Facts, wanted: ReserveMem, came: ReservedRegion) -> bool:
    revived = facts.said(LogKind.MEMORY_REVIVED)
    name = wanted.name.decode("utf-8", "backslashreplace")
    if any(fact.values["name"] == name for fact in revived):
        return True
    return wanted.size == came.size and not (wanted.align and came.start % wanted.align)


def _wanted(facts: Facts) -> list[ReserveMem]:
    asked = facts.line.reserve_mem if facts.line else ()
    return [item for item in asked if isinstance(item, ReserveMem)]


def _regions(facts: Facts, place: str) -> dict[bytes, ReservedRegion] | None:
    """The regions of a side by name; None where they are not known.

    Without any region there is no `memblock` blob. Up to 6.18 the outgoing one is there while
    finalized only.
    """
    side = dict(facts.sides).get(place)
    if side is None or isinstance(side.blobs, Unknown):
        return None
    blob = side.blob(memblock.NAME)
    if blob is None:
        return {} if place == facts.where.outgoing and _complete(facts) else None
    if not isinstance(blob.payload, MemblockTree):
        return None
    return {region.name: region for region in blob.payload.regions}


def _complete(facts: Facts) -> bool:
    snapshot = facts.snapshot
    early = snapshot.generation.finalize in (Finalize.REVERSIBLE, Finalize.ACTIVE_FILE)
    shown = snapshot.state is State.FINALIZED or not early
    return snapshot.unavailable is None and shown


def _asked(wanted: ReserveMem) -> Evidence:
    name = os.fsdecode(wanted.name)
    return Evidence(paths.CMDLINE, f"reserve_mem={wanted.size}:{wanted.align}:{name}")


def _stored(facts: Facts, region: ReservedRegion) -> Evidence:
    return Evidence(
        _path(facts, facts.where.incoming),
        f"{os.fsdecode(region.name)}: start 0x{region.start:x}, size 0x{region.size:x}",
    )


def _thing(facts: Facts, place: str) -> Thing:
    """The blob that regions are in."""
    return facts.thing(place, os.fsdecode(memblock.NAME))


def _path(facts: Facts, place: str) -> str:
    return f"{facts.where.blobs(place)}/memblock"


RULES = (
    Rule("reserve-mem-lost", "a reserve_mem= region is missing or not adopted", lost, About.BLOBS),
    Rule("memory-unclaimed", "a region came in that nobody asks for", unclaimed, About.BLOBS),
)
