"""One tree or blob of a side, by name, for printing."""

from functools import lru_cache

from kho_console.abi import dts, fdt
from kho_console.abi.error import FormatError
from kho_console.engine import meaning
from kho_console.engine.paths import OUT
from kho_console.model.blob import Blob
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Cause, Maybe, Unknown


def side(snapshot: Snapshot, which: str) -> Maybe[Side]:
    """The outgoing or the incoming side."""
    return snapshot.outgoing if which == OUT else snapshot.incoming


def content(found: Side, name: bytes | None) -> Maybe[bytes]:
    """The bytes of the root tree, or of the blob called `name`."""
    if name is None:
        return found.tree if isinstance(found.tree, Unknown) else found.tree.content
    blob = blob_called(found, name)
    return blob if isinstance(blob, Unknown) else blob.content


def tree(found: Side, name: bytes | None) -> Maybe[FlatTree]:
    """The root tree, or the blob called `name` as a tree; unsupported where it is none."""
    if name is None:
        return found.tree if isinstance(found.tree, Unknown) else found.tree.flat
    blob = blob_called(found, name)
    if isinstance(blob, Unknown):
        return blob
    if isinstance(blob.content, Unknown):
        return blob.content
    try:
        return _read(blob.content)
    except FormatError as error:
        return Unknown(Cause.UNSUPPORTED, f"it is no device tree: {error.reason}", error.offset)


@lru_cache(maxsize=8)
def _read(content: bytes) -> FlatTree:
    """Screens ask for the same trees again and again."""
    return fdt.read(content)


def blob_called(found: Side, name: bytes) -> Maybe[Blob]:
    """The blob called `name`."""
    if isinstance(found.blobs, Unknown):
        return found.blobs
    return found.blob(name) or Unknown(Cause.ABSENT, "there is no blob of that name")


def source_text(found: FlatTree) -> str:
    """The tree as device tree source, with what its values look like as comments."""
    return dts.write(found, lambda item: meaning.comment(item.value))
