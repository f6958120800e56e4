"""The two sides of a handover as debugfs shows them: root trees and blobs."""

import os
from dataclasses import replace

from kho_console.abi import blob as abi_blob
from kho_console.abi import luo, luo_session, root_tree
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine import files
from kho_console.model.blob import Blob, BlobState, LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_READS = 3
"""How often a tree is read that the kernel may be changing at this moment."""

_NO_TREE = Unknown(Cause.ABSENT, "the root tree is not known, so the address is not either")


def root_tree_of(source: Source, path: str, page_size: int) -> Maybe[RootTree]:
    """The root tree as its file shows it.

    Reading takes no lock: while the kernel adds a producer the header announces a whole page, so
    such a tree is read again.
    """
    for _ in range(_READS):
        content = files.raw(source, path)
        if isinstance(content, Unknown):
            return content
        try:
            tree = root_tree.read(content)
        except FormatError as error:
            return Unknown(Cause.INVALID, f"{path}: {error.reason}", error.offset)
        if tree.flat.totalsize != page_size:
            break
    return tree


def blobs(
    source: Source, folder: str, tree: Maybe[RootTree], page_size: int, *, incoming: bool
) -> Maybe[tuple[Blob, ...]]:
    """All blobs of a side, by name. The directory's listing is what counts, not the tree."""
    names = files.names(source, folder)
    if isinstance(names, Unknown):
        return names
    found = []
    for name in names:
        raw_name = os.fsencode(name)
        address = _address(tree, raw_name)
        content = files.raw(source, f"{folder}/{name}")
        if isinstance(content, Unknown):
            found.append(_unread(raw_name, address, content))
        else:
            found.append(
                abi_blob.interpret(raw_name, content, address, page_size, incoming=incoming)
            )
    return tuple(found)


def with_addresses(found: Maybe[tuple[Blob, ...]], tree: RootTree) -> Maybe[tuple[Blob, ...]]:
    """The blobs with the addresses that a more complete root tree names."""
    if isinstance(found, Unknown):
        return found
    return tuple(replace(item, address=_address(tree, item.name)) for item in found)


def checked_live_update(
    found: Maybe[tuple[Blob, ...]],
    memory: PhysicalMemory,
    ram: Maybe[tuple[MemoryRange, ...]],
    page_size: int,
) -> Maybe[tuple[Blob, ...]]:
    """Incoming blobs with the `LUO` struct believed only where its memory bears it out.

    7.2 and later free the struct's page before user space runs; its file then shows whatever
    reuses the page. It counts as intact if both addresses are pages of RAM and the records behind
    the first hold together.
    """
    if isinstance(found, Unknown):
        return found
    return tuple(
        _checked(item, memory, ram, page_size)
        if item.name == luo.NAME and isinstance(item.payload, LuoHeader)
        else item
        for item in found
    )


def _checked(
    item: Blob, memory: PhysicalMemory, ram: Maybe[tuple[MemoryRange, ...]], page_size: int
) -> Blob:
    header = item.payload
    if not isinstance(header, LuoHeader) or header.session_format != "blocks":
        return item
    addresses = [header.sessions, 0 if isinstance(header.flbs, Unknown) else header.flbs]
    reason = ""
    for address in addresses:
        page = MemoryRange(address, page_size)
        if address % page_size:
            reason = f"0x{address:x} is not page aligned"
        elif address and not isinstance(ram, Unknown) and not any(r.contains(page) for r in ram):
            reason = f"0x{address:x} is not in System RAM"
    if not reason:
        try:
            luo_session.read(memory, header, page_size)
        except MissingMemory as error:
            return replace(item, reason=f"its records cannot be checked: {error.reason}")
        except FormatError as error:
            reason = str(error)
    if not reason:
        return item
    return replace(item, state=BlobState.STALE, reason=f"released by the kernel; {reason}")


def _address(tree: Maybe[RootTree], name: bytes) -> Maybe[int]:
    if isinstance(tree, Unknown):
        return _NO_TREE
    pointer = tree.pointer(name)
    if pointer is not None:
        return pointer.address
    if tree.flat.truncated:
        return Unknown(Cause.TRUNCATED, "the root tree is cut before this node")
    return Unknown(Cause.ABSENT, "the root tree has no such node")


def _unread(name: bytes, address: Maybe[int], why: Unknown) -> Blob:
    return Blob(
        name=name,
        size=0,
        format=abi_blob.UNKNOWN_FORMAT,
        compatible=None,
        state=BlobState.INVALID,
        reason=why.reason,
        address=address,
        content=b"",
        payload=None,
        fields=(),
    )
