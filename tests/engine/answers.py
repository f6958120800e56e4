"""Parts of a snapshot that must be there, or must not."""

from kho_console.model.generation import Finalize, Protocol, State
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Maybe, Unknown


def map_of(snapshot: Snapshot) -> PreservedMap:
    found = snapshot.inventory.preserved
    assert isinstance(found, PreservedMap), found
    return found


def tree_of(side: Side) -> RootTree:
    assert isinstance(side.tree, RootTree), side.tree
    return side.tree


def unknown(value: Maybe[object]) -> Unknown:
    assert isinstance(value, Unknown), value
    return value


def names(side: Side) -> list[bytes]:
    assert not isinstance(side.blobs, Unknown)
    return [item.name for item in side.blobs]


def kind_of(snapshot: Snapshot) -> tuple[Protocol, Finalize, State, str]:
    found = snapshot.generation
    return found.protocol, found.finalize, snapshot.state, found.releases
