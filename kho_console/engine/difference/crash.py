"""The crash image and what a dump would contain, at two moments."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeVar

from kho_console.abi import runs
from kho_console.engine.difference import places
from kho_console.engine.difference.host import single, told
from kho_console.engine.difference.items import Item, items, lists
from kho_console.model.crash import CrashImage
from kho_console.model.difference import Difference, Subject, Told
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.unknown import Cause, Maybe, Unknown

T = TypeVar("T")

_HEADER = b"ELF core header"


def crash(before: CrashImage, after: CrashImage) -> Iterator[Difference]:
    """Whether a panic finds an image, its header, and the memory that a dump would lack."""
    pair = (before, after)
    return chain(
        items(Subject.CRASH, *map(_image, pair)),
        lists(Subject.CRASH, _HEADER, *map(_header, pair)),
        _gaps(before, after),
    )


def _image(found: CrashImage) -> list[Item]:
    reloads = found.reloads
    rules = reloads if isinstance(reloads, Unknown) else ", ".join(reloads) or "none"
    return [single({"armed": told(found.armed), "rules that reload it": told(rules)})]


def _header(found: CrashImage) -> Maybe[list[Item]]:
    """The header; where there is no image there is none."""
    header = found.header
    if isinstance(header, Unknown):
        return [] if header.cause is Cause.ABSENT else header
    facts: dict[str, Maybe[Told]] = {
        "entries": Told(header.entries, "count"),
        "state": Told("left by an unloaded image" if found.residue else "in use"),
        "CPUs noted": _of(found.cpus, lambda known: known.noted, "count"),
        "CPUs without a note": _of(found.cpus, lambda known: len(known.without), "count"),
        "vmcoreinfo": told(found.vmcoreinfo),
        "describes": _of(found.coverage, lambda known: known.described, "bytes"),
        "room": _of(found.room, lambda known: known.size, "bytes"),
    }
    return [Item(_HEADER, facts["describes"], facts, found.address)]


def _gaps(before: CrashImage, after: CrashImage) -> Iterator[Difference]:
    was, now = _ranges(before), _ranges(after)
    return iter(()) if was is None or now is None else places.memory(Subject.CRASH, was, now)


def _ranges(found: CrashImage) -> dict[bytes, Runs] | None:
    """What a dump would lack or invent; None where that cannot be told."""
    known = found.coverage
    if isinstance(known, Unknown):
        return {} if known.cause is Cause.ABSENT else None
    named = {b"memory that a dump lacks": known.missing, b"memory that is gone": known.stale}
    return {name: _runs(ranges) for name, ranges in named.items() if ranges}


def _runs(ranges: Iterable[MemoryRange]) -> Runs:
    return runs.of_ranges((item.start, item.end) for item in ranges)


def _of(found: Maybe[T], fact: Callable[[T], int], meaning: str) -> Maybe[Told]:
    return found if isinstance(found, Unknown) else Told(fact(found), meaning)
