"""Which pages and files hold records of a handover that a decoder knows, and nobody's data."""

from collections.abc import Iterator

from kho_console.abi import elf
from kho_console.engine.sessions import incoming
from kho_console.engine.tracing import TracingSource
from kho_console.model.blob import Blob
from kho_console.model.owner import OwnerKind
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source
from kho_console.source.recording import answers

_RECOGNISED = (
    OwnerKind.ROOT_TREE,
    OwnerKind.MEMFD_RECORD,
    OwnerKind.VMALLOC,
    OwnerKind.LIVE_UPDATE,
)
"""Whose pages are records. Blobs are told by what they hold, and in 2024 own pages of data."""


def recognised(snapshot: Snapshot, source: Source) -> set[int]:
    """Addresses of the pages that hold records of a handover, and nobody's data."""
    size = snapshot.machine.page_size
    found = _incoming_records(snapshot, source)
    preserved, ownership = snapshot.inventory.preserved, snapshot.inventory.ownership
    pieces: list[tuple[int, int]] = []
    if not isinstance(preserved, Unknown):
        pieces.extend(preserved.structure.pairs())
    if not isinstance(ownership, Unknown):
        pieces += [
            (extent.range.start, extent.range.end)
            for extent in ownership
            if extent.owner.kind in _RECOGNISED
        ]
    for side in (snapshot.outgoing, snapshot.incoming):
        if not isinstance(side, Unknown):
            pieces.extend(_of_side(side))
    for start, end in pieces:
        found.update(range(start & -size, end, size))
    return found


def core_header(snapshot: Snapshot) -> set[int]:
    """Addresses of the pages of the crash image's header, in which there are no names."""
    size, crash = snapshot.machine.page_size, snapshot.crash
    if isinstance(crash.address, Unknown) or isinstance(crash.header, Unknown):
        return set()
    end = crash.address + elf.HEADER_SIZE + crash.header.entries * elf.PROGRAM_HEADER_SIZE
    return set(range(crash.address & -size, end, size))


def _incoming_records(snapshot: Snapshot, source: Source) -> set[int]:
    """The pages of sessions that wait in the previous kernel's records, where these are whole."""
    traced = TracingSource(source)
    if isinstance(snapshot.inventory.waiting, Unknown):
        return set()
    incoming(traced, snapshot.inventory.live_update)
    return {
        int.from_bytes(key[1:], "big") for key in traced.taken() if key.startswith(answers.PAGE)
    }


def _of_side(side: Side) -> Iterator[tuple[int, int]]:
    if not isinstance(side.tree, Unknown) and not isinstance(side.tree.address, Unknown):
        yield side.tree.address, side.tree.address + 1
    for blob in _decoded(side):
        if not isinstance(blob.address, Unknown) and not isinstance(blob.size, Unknown):
            yield blob.address, blob.address + max(blob.size, 1)


def blob_files(snapshot: Snapshot) -> set[tuple[bytes, bytes]]:
    """Side and name of each blob that a decoder knows."""
    sides = ((b"out", snapshot.outgoing), (b"in", snapshot.incoming))
    return {
        (name, blob.name)
        for name, side in sides
        if not isinstance(side, Unknown)
        for blob in _decoded(side)
    }


def _decoded(side: Side) -> Iterator[Blob]:
    """The blobs of known producers; a tree of anybody else's may hold anything."""
    for blob in () if isinstance(side.blobs, Unknown) else side.blobs:
        if blob.payload is not None and not isinstance(blob.payload, FlatTree):
            yield blob
