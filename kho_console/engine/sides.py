"""The two sides of a handover as debugfs shows them: root trees and blobs."""

import os
from dataclasses import replace

from kho_console.abi import blob as abi_blob
from kho_console.abi import luo_session, root_tree
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine import files
from kho_console.engine.bounded_memory import BoundedMemory
from kho_console.engine.sessions import RECORDS_LIMIT
from kho_console.model.blob import Blob, BlobState, LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.snapshot import Side
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_READS = 3
"""How often a tree is read that the kernel may be changing at this moment."""

_NO_TREE = Unknown(Cause.ABSENT, "the root tree is not known, so the address is not either")


_BLOB_LIMIT = 16 << 20
"""Bytes of a blob that are read; from 7.1 on a producer may hand over any size."""
_ALL_BLOBS_LIMIT = 64 << 20
"""Bytes of the blobs of a side together, behind which no other is read."""
_TOO_MUCH = Unknown(
    Cause.UNREADABLE, f"the blobs before it have {_ALL_BLOBS_LIMIT} bytes, and more are not read"
)


def root_tree_of(source: Source, path: str, page_size: int) -> Maybe[RootTree]:
    """The root tree as its file shows it.

    Reading takes no lock: while the kernel adds a producer the header announces a whole page and
    the rest may not fit together, so such a tree is read again.
    """
    found: Maybe[RootTree] = Unknown(Cause.UNREADABLE, f"{path} was never read")
    for _ in range(_READS):
        content = files.raw(source, path)
        if isinstance(content, Unknown):
            return content
        try:
            found = root_tree.read(content)
        except FormatError as error:
            found = Unknown(Cause.INVALID, f"{path}: {error.reason}", error.offset)
            continue
        if found.flat.totalsize != page_size:
            break
    return found


def blobs(
    source: Source, folder: str, tree: Maybe[RootTree], page_size: int, *, incoming: bool
) -> Maybe[tuple[Blob, ...]]:
    """All blobs of a side, by name. The directory's listing is what counts, not the tree."""
    names = files.names(source, folder)
    if isinstance(names, Unknown):
        return names
    found = []
    left = _ALL_BLOBS_LIMIT
    for name in names:
        raw_name = os.fsencode(name)
        content = files.raw(source, f"{folder}/{name}", _BLOB_LIMIT) if left else _TOO_MUCH
        if not isinstance(content, Unknown):
            left = max(left - len(content), 0)
        if isinstance(content, Unknown):
            blob = _unread(raw_name, content)
        else:
            blob = abi_blob.interpret(raw_name, content, page_size, incoming=incoming)
        found.append(_placed(blob, tree))
    return tuple(found)


def with_addresses(found: Maybe[tuple[Blob, ...]], tree: RootTree) -> Maybe[tuple[Blob, ...]]:
    """The blobs with what a more complete root tree says of them."""
    return found if isinstance(found, Unknown) else tuple(_placed(item, tree) for item in found)


def checked_live_update(
    item: Blob,
    memory: PhysicalMemory,
    ram: Maybe[tuple[MemoryRange, ...]],
    page_size: int,
) -> Blob:
    """The incoming `LUO` blob, a struct believed only where its memory bears it out.

    7.2 and later free the struct's page before user space runs; its file then shows whatever
    reuses the page. It counts as intact if both addresses are pages of RAM and the records behind
    the first hold together.
    """
    header = item.payload
    if not isinstance(header, LuoHeader) or header.session_format != "blocks":
        return item
    flbs = 0 if isinstance(header.flbs, Unknown) else header.flbs
    for address in filter(None, (header.sessions, flbs)):
        if address % page_size:
            return _released(item, f"0x{address:x} is not page aligned")
        if isinstance(ram, Unknown):
            return replace(item, reason=f"its addresses cannot be checked: {ram.reason}")
        if not any(piece.contains(MemoryRange(address, page_size)) for piece in ram):
            return _released(item, f"0x{address:x} is not in System RAM")
    try:
        luo_session.read(BoundedMemory(memory, RECORDS_LIMIT), header, page_size)
    except MissingMemory as error:
        return replace(item, reason=f"its records cannot be checked: {error.reason}")
    except FormatError:
        # What reuses the pages says nothing of the blob, and a fault in it would only puzzle.
        return _released(item, "its records are gone")
    return item


def with_checked(side: Side, checked: Blob | None) -> Side:
    """The incoming side with the blob that was checked, as long as its bytes are the same."""
    if checked is None or isinstance(side.blobs, Unknown):
        return side
    found = tuple(_as_checked(item, checked) for item in side.blobs)
    return replace(side, blobs=found)


def _as_checked(item: Blob, checked: Blob) -> Blob:
    if item.name != checked.name:
        return item
    if item.content == checked.content:
        return checked
    return _released(item, "it has changed since it was checked")


def _released(item: Blob, reason: str) -> Blob:
    return replace(item, state=BlobState.STALE, reason=f"released by the kernel; {reason}")


def _placed(blob: Blob, tree: Maybe[RootTree]) -> Blob:
    """The blob with what the root tree says of its place, and whether their sizes agree."""
    pointer = None if isinstance(tree, Unknown) else tree.pointer(blob.name)
    if pointer is None:
        return replace(blob, address=_no_address(tree))
    told = pointer.size
    if isinstance(told, Unknown) or blob.size == told:
        return replace(blob, address=pointer.address)
    if isinstance(blob.size, Unknown):
        return replace(blob, address=pointer.address, size=told)
    if blob.state is not BlobState.VALID:
        return replace(blob, address=pointer.address)
    reason = f"the root tree says {told} bytes, the file has {blob.size}"
    return replace(blob, address=pointer.address, state=BlobState.INVALID, reason=reason)


def _no_address(tree: Maybe[RootTree]) -> Unknown:
    if isinstance(tree, Unknown):
        return _NO_TREE
    if tree.flat.truncated:
        return Unknown(Cause.TRUNCATED, "the root tree is cut before this node")
    return Unknown(Cause.ABSENT, "the root tree has no such node")


def _unread(name: bytes, why: Unknown) -> Blob:
    return Blob(
        name=name,
        size=why,
        format=abi_blob.UNKNOWN_FORMAT,
        compatible=None,
        state=why,
        reason=why.reason,
        address=_NO_TREE,
        content=why,
        payload=None,
        fields=(),
    )
