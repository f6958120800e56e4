"""A blob line by line: its nodes and values, and where each value lies in its bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kho_console.engine import meaning as looks
from kho_console.engine import trees
from kho_console.model.blob import Blob, Field
from kho_console.model.snapshot import Side
from kho_console.model.tree import FlatTree, Property, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

_ROOT_TREE = {
    b"preserved-memory-map": "address",
    b"preserved-data": "address",
    b"fdt": "address",
    b"blob-size": "bytes",
}
"""Meanings of the root tree's numbers (include/linux/kho/abi/kexec_handover.h, 6.16 to 7.3)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a blob.

    Attributes:
        depth: How deep it is nested, 0 for the root.
        label: Name of the node or value.
        path: Where it belongs inside the blob: `/oops/start`; empty for what is no value.
        value: The value; None for a node or an empty property.
        meaning: As in `Field`.
        note: How the value is stored, or what is wrong.
        offset: Where its bytes start; None where it has none.
        size: How many bytes it has.
    """

    depth: int
    label: bytes
    value: int | bytes | None = None
    meaning: str = ""
    note: str = ""
    offset: int | None = None
    size: int = 0
    path: bytes = b""


def lines(side: Side, name: bytes | None) -> Maybe[tuple[Line, ...]]:
    """The lines of the root tree, or of the blob called `name`."""
    blob = None if name is None else side.blob(name)
    fields = () if blob is None else blob.fields
    tree = trees.tree(side, name)
    if not isinstance(tree, Unknown):
        return tuple(_tree(tree, fields, _ROOT_TREE if name is None else {}))
    return tree if blob is None else _struct(blob)


def source_lines(side: Side, name: bytes | None) -> Maybe[tuple[str, ...]]:
    """The device tree source of the root tree, or of the blob called `name`."""
    tree = trees.tree(side, name)
    if isinstance(tree, Unknown):
        return tree
    return tuple(trees.source_text(tree).expandtabs(4).splitlines())


def _struct(blob: Blob) -> Maybe[tuple[Line, ...]]:
    if isinstance(blob.content, Unknown):
        return blob.content
    if not blob.fields:
        reason = blob.reason or "no decoder knows this blob; its bytes are all there is"
        return Unknown(Cause.INVALID if blob.reason else Cause.UNSUPPORTED, reason)
    return tuple(
        Line(0, path, item.value, item.meaning, "", item.offset, item.size, path)
        for item in blob.fields
        for path in (item.path.encode(),)
    )


def _tree(
    tree: FlatTree, fields: tuple[Field, ...], meanings: Mapping[bytes, str]
) -> Iterator[Line]:
    decoded = {item.offset: item for item in fields}
    pending: list[tuple[int, bytes, TreeNode]] = [(0, b"", tree.root)]
    while pending:
        depth, above, node = pending.pop()
        path = above + b"/" + node.name
        yield Line(depth, b"/" + node.name, path=path)
        below = b"" if path == b"/" else path
        for item in node.properties:
            field = decoded.get(item.offset)
            meaning = field.meaning if field else meanings.get(item.name)
            yield replace(_property(depth + 1, item, meaning), path=below + b"/" + item.name)
        pending.extend((depth + 1, below, child) for child in reversed(node.children))
    for fault in tree.faults:
        yield Line(0, b"", note=f"at byte {fault.offset}: {fault.reason}", offset=fault.offset)


def _property(depth: int, item: Property, meaning: str | None) -> Line:
    """A property as the format means it, else as its bytes look: text, or a native number."""
    place = (item.offset, len(item.value))
    text, number = looks.words(item.value), looks.number(item.value)
    if text is not None and (number is None or meaning in ("text", None)):
        return Line(depth, item.name, text, "text", "", *place)
    if number is not None:
        return Line(depth, item.name, number.value, meaning or "", number.note, *place)
    return Line(depth, item.name, item.value or None, meaning or "", "", *place)
