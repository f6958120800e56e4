"""Blobs, trees and sessions as things that can be compared."""

import hashlib
from collections.abc import Iterator

from kho_console.engine.difference.items import Item
from kho_console.model.blob import Blob, BlobState
from kho_console.model.difference import Told
from kho_console.model.generation import Finalize, State
from kho_console.model.session import Session
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.tree import FlatTree, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown

OUT, IN = b"out ", b"in "

_WHILE_FINALIZED = (Finalize.REVERSIBLE, Finalize.ACTIVE_FILE)
"""Kernels whose outgoing tree is there while they are finalized only; others may hide theirs."""


def blobs(word: bytes, seen: Snapshot) -> Maybe[list[Item]]:
    """The blobs of a side."""
    side = _side(word, seen)
    if side is None:
        return []
    if isinstance(side, Unknown):
        return side
    if isinstance(side.blobs, Unknown):
        return side.blobs
    return [_blob(word + item.name, item) for item in side.blobs]


def trees(word: bytes, seen: Snapshot) -> Maybe[list[Item]]:
    """The root tree of a side, and its blobs that are trees and have no decoder."""
    side = _side(word, seen)
    if side is None:
        return []
    if isinstance(side, Unknown):
        return side
    if isinstance(side.tree, Unknown):
        return [] if word == OUT and _open(seen) else side.tree
    root = _tree(word + b"root tree", side.tree.flat, side.tree.address)
    return [
        root,
        *(
            _tree(word + blob.name, blob.payload, blob.address)
            for blob in (() if isinstance(side.blobs, Unknown) else side.blobs)
            if isinstance(blob.payload, FlatTree) and blob.state is BlobState.VALID
        ),
    ]


def sessions(seen: Snapshot, other: Snapshot) -> Maybe[list[Item]]:
    """Live-update sessions; facts are who holds them and their files by token.

    Where some of them may not be seen, those that are seen in `other` are in the list as unknown.
    """
    found, there = seen.inventory.sessions, other.inventory.sessions
    if isinstance(found, Unknown):
        return found
    listed = [_session(item) for item in found]
    why = _unseen(seen)
    if why is None or isinstance(there, Unknown):
        return listed
    names = {item.name for item in found}
    missing = dict.fromkeys(item.name for item in there if item.name not in names)
    return [*listed, *(Item(name, why, {"direction": why}, partial=True) for name in missing)]


def _unseen(seen: Snapshot) -> Unknown | None:
    """Why there may be more sessions than are seen."""
    waiting, unseen = seen.inventory.waiting, seen.inventory.unseen
    if unseen:
        return Unknown(Cause.NOT_PERMITTED, f"{unseen} processes do not show what they have open")
    if isinstance(waiting, Unknown) and waiting.cause is not Cause.ABSENT:
        return waiting
    return None


def _side(word: bytes, seen: Snapshot) -> Maybe[Side] | None:
    """A side; None for what is known not to have come in."""
    if word == OUT:
        return seen.outgoing
    cold = seen.booted_through_handover is False and seen.unavailable is None
    return None if isinstance(seen.incoming, Unknown) and cold else seen.incoming


def _open(seen: Snapshot) -> bool:
    """Whether nothing is written down yet, so that there is no tree."""
    return seen.generation.finalize in _WHILE_FINALIZED and seen.state is State.OPEN


def _blob(name: bytes, blob: Blob) -> Item:
    size: Maybe[Told] = blob.size if isinstance(blob.size, Unknown) else Told(blob.size, "bytes")
    facts: dict[str, Maybe[Told]] = {
        "size": size,
        "format": Told(blob.format),
        "state": blob.state if isinstance(blob.state, Unknown) else Told(blob.state),
    }
    # What is stale holds bytes of somebody else.
    if blob.state is BlobState.VALID:
        facts |= {item.path: Told(item.value, item.meaning) for item in blob.fields}
        if not blob.fields and not isinstance(blob.content, Unknown):
            facts["content"] = Told(f"sha256 {hashlib.sha256(blob.content).hexdigest()}")
    partial = blob.state is not BlobState.VALID
    return Item(name, size, facts, blob.address, partial)


def _tree(name: bytes, tree: FlatTree, address: Maybe[int]) -> Item:
    facts: dict[str, Maybe[Told]] = dict(_properties(tree.root, ""))
    partial = tree.truncated or bool(tree.faults)
    return Item(name, Told(tree.totalsize, "bytes"), facts, address, partial)


def _properties(root: TreeNode, path: str) -> Iterator[tuple[str, Told]]:
    """Every property by its path; a tree may be deep, so this does not recurse."""
    waiting = [(root, path)]
    while waiting:
        node, path = waiting.pop()
        for item in node.properties:
            yield f"{path}/{item.name.decode('latin-1')}", _value(item.value)
        for child in reversed(node.children):
            waiting.append((child, f"{path}/{child.name.decode('latin-1')}"))


def _value(raw: bytes) -> Told:
    """Words as words; a native u64 as a number, which in these trees is an address or a size."""
    body = raw.removesuffix(b"\0")
    if body != raw and body.isascii() and body.decode().isprintable() and body:
        return Told(body, "text")
    return Told(int.from_bytes(raw, "little"), "flags") if len(raw) == 8 else Told(raw)


def _session(session: Session) -> Item:
    direction = Told(session.direction)
    holders = ", ".join(str(item.pid) for item in session.holders)
    facts: dict[str, Maybe[Told]] = {"direction": direction, "held by": Told(holders or "nobody")}
    if not isinstance(session.files, Unknown):
        for item in session.files:
            facts[f"token 0x{item.token:x}"] = Told(item.handler, "text")
            size: Maybe[Told] = (
                item.size if isinstance(item.size, Unknown) else Told(item.size, "bytes")
            )
            facts[f"token 0x{item.token:x} size"] = size
    return Item(session.name, direction, facts, partial=isinstance(session.files, Unknown))
