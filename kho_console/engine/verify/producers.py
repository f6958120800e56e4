"""Blobs, `reserve_mem` regions and declared memory behind a kexec."""

import hashlib

from kho_console.abi import luo, memblock
from kho_console.engine.verify.digest import digest
from kho_console.model.blob import BlobState, MemblockTree, ReservedRegion
from kho_console.model.memory import MemoryRange
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.verification import Fate, Noted
from kho_console.source.protocol import Source

Answer = tuple[Fate, str]


def blob(side: Side, item: Noted) -> Answer:
    """What became of a blob."""
    if isinstance(side.blobs, Unknown):
        return Fate.UNKNOWN, side.blobs.reason
    found = side.blob(item.name)
    if found is None:
        return _skipped(side, item)
    if item.name == luo.NAME and not item.declared:
        if found.state is BlobState.VALID:
            return Fate.ARRIVED, "the kernel before wrote it at the kexec, so it is not compared"
        return Fate.RELEASED, "by design: from 7.2 on its page is freed at boot"
    if isinstance(found.content, Unknown):
        return Fate.ARRIVED, f"its content is not compared: {found.content.reason}"
    if item.sha256 is None:
        return Fate.ARRIVED, f"its content was not noted: {item.why}"
    if hashlib.sha256(found.content).hexdigest() == item.sha256:
        return Fate.UNCHANGED, "its content has the same checksum"
    if found.state is BlobState.STALE:
        return Fate.RELEASED, found.reason
    if item.declared:
        return Fate.MISSING, "it came in, and its content is not the declared one"
    return (
        Fate.UNKNOWN,
        "it came in with other content: it was changed before the kexec, or freed since",
    )


def region(source: Source, seen: Snapshot, side: Side, item: Noted) -> Answer:
    """What became of a `reserve_mem` region.

    A kernel takes a region over where its command line asks for the same name and size; else it
    makes a new one, and the old one stays reserved and out of reach.
    """
    came, goes = _regions(side), _regions(seen.outgoing)
    if isinstance(came, Unknown):
        return Fate.UNKNOWN, came.reason
    found = came.get(item.name)
    if found is None:
        return Fate.MISSING, "no region of this name came in"
    if item.address is not None and (found.start, found.size) != (item.address, item.size):
        return Fate.MISSING, "the region of this name that came in is another one"
    now = None if isinstance(goes, Unknown) else goes.get(item.name)
    if now is not None and (now.start, now.size) != (found.start, found.size):
        return Fate.MISSING, "this kernel made a new region; the old one is out of reach"
    place = MemoryRange(found.start, found.size)
    unasked = now is None and not isinstance(goes, Unknown) and bool(goes)
    behind = "; this command line does not ask for it" if unasked else ""
    fate, why = _compared(source, place, item)
    if fate is Fate.UNKNOWN:
        return Fate.ARRIVED, f"its content is not compared: {why}{behind}"
    if fate is Fate.MISSING and not item.declared:
        changed = "it was written to since it was noted, here or before the kexec"
        return Fate.ARRIVED, f"{changed}{behind}"
    return fate, f"{why}{behind}"


def declared(source: Source, item: Noted) -> Answer:
    """What became of memory that only its owner knows."""
    fate, why = _compared(source, MemoryRange(item.address or 0, item.size or 0), item)
    if fate is Fate.MISSING and not item.declared:
        return Fate.UNKNOWN, "its bytes are others than at the note; no checksum was declared"
    return fate, why


def _compared(source: Source, place: MemoryRange, item: Noted) -> Answer:
    if item.sha256 is None:
        return Fate.UNKNOWN, f"it was not noted: {item.why}" if item.why else "it was not noted"
    found = digest(source.memory, place)
    if isinstance(found, Unknown):
        return Fate.UNKNOWN, found.reason
    if found == item.sha256:
        return Fate.UNCHANGED, "its content has the same checksum"
    return Fate.MISSING, "its memory is there, and its content is not the declared one"


def in_tree(side: Side, name: bytes) -> Maybe[bool]:
    """Whether the root tree has a node of this name.

    It tells more than the files of blobs: a kernel shows none of a node that it does not
    understand.
    """
    tree = side.tree
    if isinstance(tree, Unknown):
        return Unknown(
            tree.cause, f"no file shows it, and the root tree is not known: {tree.reason}"
        )
    if tree.pointer(name) is not None:
        return True
    if tree.flat.truncated:
        return Unknown(Cause.TRUNCATED, "no file shows it, and the tree that came in is cut")
    return False


def _skipped(side: Side, item: Noted) -> Answer:
    came = in_tree(side, item.name)
    if isinstance(came, Unknown):
        return Fate.UNKNOWN, came.reason
    if came:
        return Fate.ARRIVED, "its node came in; this kernel shows no file of it"
    return Fate.MISSING, "neither a file nor a node of this name came in"


def _regions(side: Side) -> Maybe[dict[bytes, ReservedRegion]]:
    if isinstance(side.blobs, Unknown):
        return side.blobs
    found = side.blob(memblock.NAME)
    if found is None:
        there = in_tree(side, memblock.NAME)
        if isinstance(there, Unknown):
            return there
        told = "the memblock node is there, and this kernel shows no file of it"
        return Unknown(Cause.UNSUPPORTED, told) if there else {}
    if isinstance(found.payload, MemblockTree) and found.state is BlobState.VALID:
        return {item.name: item for item in found.payload.regions}
    return Unknown(*_unreadable(found.state, found.reason))


def _unreadable(state: Maybe[BlobState], reason: str) -> tuple[Cause, str]:
    if isinstance(state, Unknown):
        return state.cause, state.reason
    return Cause.INVALID, f"the memblock blob is {state}: {reason}"
