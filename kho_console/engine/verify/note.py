"""The note before a kexec: what must survive it, with checksums where they mean something."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from kho_console.abi import luo, memblock
from kho_console.engine.difference.owned import by_owner, name_of
from kho_console.engine.verify.digest import digest
from kho_console.model.blob import Blob, BlobState, LuoHeader, MemblockTree
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import OwnerKind
from kho_console.model.session import Direction
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.verification import Kind, Note, Noted
from kho_console.source.protocol import Source

T = TypeVar("T")

_COVERED = frozenset(
    {OwnerKind.BLOB, OwnerKind.RESERVE_MEM, OwnerKind.MEMFD, OwnerKind.MEMFD_RECORD}
)
"""Owners whose memory is noted by what it is."""


def note(
    source: Source, seen: Snapshot, declared: Iterable[Noted] = ()
) -> tuple[Note, tuple[str, ...]]:
    """Note what a machine hands over, and why something declared would not survive.

    Args:
        source: Where content is read.
        seen: The machine.
        declared: What owners declare besides.
    """
    host = seen.machine
    items = [*_blobs(seen), *_regions(source, seen), *_sessions(seen), *_files(seen)]
    items += [*_owners(seen), *_map(seen)]
    found = {(item.kind, item.name): item for item in items}
    doubts = [] if items else ["this kernel hands nothing over now: nothing can be noted"]
    for wanted in declared:
        key = (wanted.kind, wanted.name)
        doubts += _doubts(seen, wanted, found.get(key))
        found[key] = _declared(source, wanted, found.get(key))
    made = Note(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        host=host.hostname,
        release=host.release,
        boot=_known(host.boot_id),
        protocol=seen.generation.protocol,
        kexec_count=_known(seen.kexec_count),
        liveupdate_number=liveupdate_number(seen),
        items=tuple(found.values()),
    )
    return made, tuple(doubts)


def liveupdate_number(seen: Snapshot) -> int | None:
    """What the outgoing `LUO` blob says: live updates in this chain and one more."""
    blob = seen.outgoing.blob(luo.NAME)
    payload = None if blob is None else blob.payload
    return payload.liveupdate_number if isinstance(payload, LuoHeader) else None


def _blobs(seen: Snapshot) -> Iterator[Noted]:
    blobs = seen.outgoing.blobs
    for blob in () if isinstance(blobs, Unknown) else blobs:
        content, why = _content(blob)
        yield Noted(
            Kind.BLOB, blob.name, _known(blob.address), _known(blob.size), sha256=content, why=why
        )


def _content(blob: Blob) -> tuple[str | None, str]:
    if blob.name == luo.NAME:
        return None, "the kernel writes it at the kexec itself"
    if isinstance(blob.content, Unknown):
        return None, blob.content.reason
    return hashlib.sha256(blob.content).hexdigest(), ""


def _regions(source: Source, seen: Snapshot) -> Iterator[Noted]:
    blob = seen.outgoing.blob(memblock.NAME)
    if blob is None or blob.state is not BlobState.VALID:
        return
    if isinstance(blob.payload, MemblockTree):
        for region in blob.payload.regions:
            plain = Noted(Kind.RESERVE_MEM, region.name, region.start, region.size)
            yield _digested(source, plain)


def _sessions(seen: Snapshot) -> Iterator[Noted]:
    """What came in and still waits is not carried on."""
    sessions = seen.inventory.sessions
    for item in () if isinstance(sessions, Unknown) else sessions:
        if item.direction is not Direction.INCOMING:
            yield Noted(Kind.SESSION, item.name, why="the kernel writes its tokens at the kexec")


def _files(seen: Snapshot) -> Iterator[Noted]:
    """Memory files may change until the last moment, so they are counted only."""
    found = seen.inventory.ownership
    if isinstance(found, Unknown):
        return
    files = [item for item in found.owners if item.kind is OwnerKind.MEMFD]
    if files:
        size = sum(item.size or 0 for item in files)
        why = "a memory file may change until the kexec"
        yield Noted(Kind.FILES, b"", size=size, count=len(files), why=why)


def _owners(seen: Snapshot) -> Iterator[Noted]:
    found = seen.inventory.ownership
    if isinstance(found, Unknown):
        return
    for owner, runs in by_owner(found).items():
        if owner.kind not in _COVERED:
            place = (runs[0].start, runs.bytes, len(runs))
            yield Noted(Kind.OWNER, name_of(owner), *place, why="it is counted only")


def _map(seen: Snapshot) -> Iterator[Noted]:
    found = seen.outgoing.preserved
    if not isinstance(found, Unknown):
        size = found.structure.bytes
        yield Noted(Kind.MAP, b"", found.root, size, why="the new kernel frees it at boot")


def _declared(source: Source, wanted: Noted, before: Noted | None) -> Noted:
    """What an owner declares, with what was seen of it."""
    if wanted.kind is Kind.REGION:
        before = _digested(source, wanted)
    if before is None:
        return wanted
    return replace(
        before,
        tokens=wanted.tokens,
        sha256=wanted.sha256 or before.sha256,
        declared=wanted.sha256 is not None,
    )


def _doubts(seen: Snapshot, wanted: Noted, before: Noted | None) -> Iterator[str]:
    """Why it would not survive a kexec now, one sentence each."""
    name = f"{wanted.kind} {os.fsdecode(wanted.name)}"
    preserved = seen.outgoing.preserved
    if wanted.kind is Kind.REGION:
        if not isinstance(preserved, Unknown) and not preserved.ranges.covers(_range(wanted)):
            yield f"{name} is not preserved as a whole, and will not survive a kexec"
    elif before is None:
        yield f"{name} is declared, and this kernel does not hand it over"
    elif wanted.sha256 and before.sha256 and wanted.sha256 != before.sha256:
        yield f"{name} has another content than the declared one"


def _digested(source: Source, item: Noted) -> Noted:
    found = digest(source.memory, _range(item))
    sha256, why = (None, found.reason) if isinstance(found, Unknown) else (found, "")
    return Noted(item.kind, item.name, item.address, item.size, sha256=sha256, why=why)


def _range(item: Noted) -> MemoryRange:
    return MemoryRange(item.address or 0, item.size or 0)


def _known(value: Maybe[T]) -> T | None:
    return None if isinstance(value, Unknown) else value
