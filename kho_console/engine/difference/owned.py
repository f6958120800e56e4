"""Preserved memory by owner, at two moments.

A map may have tens of millions of ranges: they stay arrays, and each owner's are a slice of them.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kho_console.engine.difference.items import Item, lists
from kho_console.engine.difference.places import memory
from kho_console.model.difference import Difference, Subject, Told
from kho_console.model.few import few
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

_MAP = b"map"


def preserved(before: Snapshot, after: Snapshot) -> Iterator[Difference]:
    """What is different in preserved memory and in whose it is."""
    was, now = before.outgoing.preserved, after.outgoing.preserved
    yield from lists(Subject.PRESERVED, _MAP, _map(was), _map(now))
    owned = [_owned(item.inventory.ownership) for item in (before, after)]
    if not isinstance(owned[0], Unknown) and not isinstance(owned[1], Unknown):
        first, second = _paired(owned[0], owned[1])
        yield from memory(Subject.PRESERVED, first, second)


def by_owner(found: Ownership) -> dict[Owner, Runs]:
    """The extents of every owner that has any."""
    grouped = _grouped_few(found) if few(len(found)) else _grouped_many(found)
    return dict(grouped)


def name_of(owner: Owner) -> bytes:
    """An owner by its kind and its name."""
    return b" ".join(filter(None, (owner.kind.encode(), owner.name)))


def _map(found: Maybe[PreservedMap]) -> Maybe[tuple[Item, ...]]:
    if isinstance(found, Unknown):
        return found
    facts: dict[str, Maybe[Told]] = {
        "format": Told(found.format),
        "bytes": Told(found.bytes, "bytes"),
        "ranges": Told(len(found.ranges), "count"),
    }
    return (Item(_MAP, facts["bytes"], facts, found.root),)


def _owned(found: Maybe[Ownership]) -> Maybe[dict[Owner, Runs]]:
    """Before a kernel has written its map down, nothing is in it."""
    if not isinstance(found, Unknown):
        return by_owner(found)
    return {} if found.cause is Cause.NOT_YET else found


def _paired(
    before: Mapping[Owner, Runs], after: Mapping[Owner, Runs]
) -> tuple[dict[bytes, Runs], dict[bytes, Runs]]:
    """Owners by name; a memory file at another address goes by the name it had.

    Its name is where its state lies, so that files of one size and session are told apart.
    """
    was = {name_of(owner): runs for owner, runs in before.items()}
    now = {name_of(owner): runs for owner, runs in after.items()}
    left: dict[tuple[OwnerKind, bytes | None, int], list[bytes]] = defaultdict(list)
    for owner, runs in before.items():
        if name_of(owner) not in now:
            left[_like(owner, runs)].append(name_of(owner))
    renamed = {}
    for owner, runs in after.items():
        name = name_of(owner)
        if name not in was and _moves(owner) and (names := left[_like(owner, runs)]):
            name = names.pop(0)
        renamed[name] = runs
    return was, renamed


def _moves(owner: Owner) -> bool:
    return owner.kind in (OwnerKind.MEMFD, OwnerKind.MEMFD_RECORD)


def _like(owner: Owner, runs: Runs) -> tuple[OwnerKind, bytes | None, int]:
    return owner.kind, owner.session, runs.bytes if owner.size is None else owner.size


def _grouped_few(found: Ownership) -> Iterator[tuple[Owner, Runs]]:
    edges: dict[Owner, tuple[array[int], array[int]]] = {}
    for extent in found:
        starts, ends = edges.setdefault(extent.owner, (array("Q"), array("Q")))
        starts.append(extent.range.start)
        ends.append(extent.range.end)
    return ((owner, Runs(*pair)) for owner, pair in edges.items())


def _grouped_many(found: Ownership) -> Iterator[tuple[Owner, Runs]]:
    import numpy as np

    order = np.argsort(found.owner_of, kind="stable")
    starts, ends = found.starts[order], found.ends[order]
    counts = np.bincount(found.owner_of, minlength=len(found.owners)).tolist()
    at = 0
    for owner, count in zip(found.owners, counts, strict=True):
        if count:
            yield owner, Runs(starts[at : at + count], ends[at : at + count])
        at += count
