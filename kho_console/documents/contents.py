"""What is handed over: blobs, trees, preserved memory and sessions."""

from collections.abc import Callable, Iterable

from kho_console import text
from kho_console.documents.blob import blob_facts
from kho_console.documents.shape import Document, document, each, mapped, memory_range
from kho_console.model.blob import Blob
from kho_console.model.kho2024 import Fate
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Extent, Owner, OwnerKind
from kho_console.model.session import Session
from kho_console.model.snapshot import Snapshot
from kho_console.model.tree import FlatTree, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown


def blobs(snapshot: Snapshot) -> Document:
    """The blobs of both sides with their decoded fields."""
    return document(
        outgoing=each(snapshot.outgoing.blobs, _blob_whole),
        incoming=mapped(snapshot.incoming, lambda side: each(side.blobs, _blob_whole)),
    )


def ranges(
    found: Maybe[Iterable[MemoryRange]], *, unreliable: bool = False, filtered: str | None = None
) -> Document:
    """Preserved bytes, contiguous and ascending; `filtered` are the words of a filter."""
    items = mapped(found, lambda known: [memory_range(item) for item in known])
    return document(**_reliability(unreliable), **_filter(filtered), ranges=items)


def extents(
    found: Maybe[Iterable[Extent]],
    orders: Callable[[MemoryRange], Iterable[int]] | None = None,
    *,
    unreliable: bool = False,
    filtered: str | None = None,
) -> Document:
    """Preserved bytes cut where their owner changes, ascending.

    Args:
        found: The extents.
        orders: The orders of the blocks that make up a range; None leaves them out.
        unreliable: Whether they are residue.
        filtered: The words of a filter.
    """

    def row(item: Extent) -> Document:
        more = {} if orders is None else {"orders": list(orders(item.range))}
        return {**memory_range(item.range), **more, "owner": _owner(item.owner)}

    rows = mapped(found, lambda known: [row(item) for item in known])
    return document(**_reliability(unreliable), **_filter(filtered), extents=rows)


def fates(found: Iterable[tuple[MemoryRange, Fate]]) -> Document:
    """What became of each range that came in with a tree of 2024, as far as that is seen."""
    return {"fates": [{**memory_range(item), "fate": fate} for item, fate in found]}


def shares(found: Iterable[tuple[Owner, int, int]], *, filtered: str | None = None) -> Document:
    """What each owner has: owner, bytes, extents."""
    rows = [
        {"owner": _owner(owner), "bytes": size, "extents": count} for owner, size, count in found
    ]
    return document(**_filter(filtered), owners=rows)


def sessions(snapshot: Snapshot) -> Document:
    """Live-update sessions."""
    inventory = snapshot.inventory
    return document(sessions=each(inventory.sessions, _session), waiting=inventory.waiting)


def tree(side: str, name: bytes | None, found: FlatTree) -> Document:
    """A device tree with the bytes of every value."""
    return document(
        side=side,
        name=Unknown(Cause.ABSENT, "the root tree") if name is None else text.escaped(name),
        bytes=found.size,
        totalsize=found.totalsize,
        truncated=found.truncated,
        faults=[
            {"offset": item.offset, "reason": text.escaped(item.reason)} for item in found.faults
        ],
        root=tree_node(found.root),
    )


def struct(side: str, blob: Blob) -> Document:
    """A blob that is no tree: its fields and its bytes."""
    content = mapped(blob.content, bytes.hex)
    return document(side=side, content=content, **_blob_whole(blob))


def _reliability(unreliable: bool) -> Document:
    return {"unreliable": "residue of a map that the kernel released"} if unreliable else {}


def _filter(words: str | None) -> Document:
    return {"filter": text.escaped(words)} if words else {}


def _blob_whole(blob: Blob) -> Document:
    return {
        **blob_facts(blob),
        "fields": [
            {
                "path": text.escaped(item.path),
                "offset": item.offset,
                "size": item.size,
                "value": text.escaped(item.value) if isinstance(item.value, bytes) else item.value,
            }
            for item in blob.fields
        ],
    }


def _owner(owner: Owner) -> Document:
    return {
        "kind": owner.kind,
        "name": text.escaped(owner.name),
        "session": _session_of(owner),
        "text": text.owner(owner),
    }


def _session_of(owner: Owner) -> Maybe[str]:
    if owner.kind is not OwnerKind.MEMFD:
        return Unknown(Cause.ABSENT, "not a memfd")
    if owner.session is None:
        return Unknown(Cause.ABSENT, "session unknown")
    return text.escaped(owner.session)


def _session(session: Session) -> Document:
    holders = [{"pid": item.pid, "command": text.escaped(item.command)} for item in session.holders]
    nobody = Unknown(Cause.ABSENT, "no process holds it: read from the previous kernel's records")
    return {
        "name": text.escaped(session.name),
        "direction": session.direction,
        "holder": holders[0] if holders else nobody,
        "holders": holders,
        "files": each(
            session.files,
            lambda item: {
                "token": item.token,
                "handler": text.escaped(item.handler),
                "size": item.size,
            },
        ),
    }


def tree_node(root: TreeNode) -> Document:
    """A node of a device tree with all below it."""
    return {
        "name": text.escaped(root.name),
        "properties": [
            {"name": text.escaped(item.name), "value": item.value.hex(), "offset": item.offset}
            for item in root.properties
        ],
        "children": [tree_node(child) for child in root.children],
    }
