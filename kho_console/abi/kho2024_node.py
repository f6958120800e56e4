"""One node below the root tree of the series of 2024, as a blob: its state stands in it."""

import struct
from collections.abc import Iterator, Mapping, Sequence

from kho_console.abi import fdt
from kho_console.abi.error import FormatError
from kho_console.abi.text import c_string
from kho_console.model.blob import Blob, BlobState, Field
from kho_console.model.kho2024 import Kho2024, PreservedMem
from kho_console.model.tree import FlatTree, Property, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown

_INLINE = Unknown(Cause.ABSENT, "it has no place of its own: its state stands in the root tree")
_SHOWN = "it stands in the root tree, and is shown as a tree of its own"
_MOST_FIELDS = 4096
"""Fields of one property; the values of a longer one are left as bytes."""

_PAIRS: dict[bytes, tuple[str, tuple[tuple[str, str], ...]]] = {
    b"mem": ("<QQ", (("address", "address"), ("length", "bytes"))),
    b"events": ("<II", (("crc", ""), ("type", "count"))),
}
_WORDS = {b"cpu": "count", b"trace-flags": "flags", b"trace_flags": "flags"}
_FTRACE = b"ftrace"


def blobs(tree: FlatTree, found: Kho2024) -> tuple[Blob, ...]:
    """The nodes below the root, in wire order.

    Args:
        tree: The root tree.
        found: What it says.
    """
    mem: dict[bytes, list[PreservedMem]] = {}
    for item in found.mem:
        mem.setdefault(item.path.split(b"/", 2)[1], []).append(item)
    return tuple(_blob(node, _of_node(node.name, found, mem)) for node in tree.root.children)


def _blob(node: TreeNode, found: Kho2024) -> Blob:
    word = node.value(b"compatible")
    try:
        content: Maybe[bytes] = fdt.write_sequential(TreeNode(b"", node.properties, node.children))
    except FormatError as error:
        content = Unknown(Cause.UNSUPPORTED, error.reason)
    return Blob(
        name=node.name,
        size=content if isinstance(content, Unknown) else len(content),
        format="fdt",
        compatible=None if word is None else c_string(word),
        state=content if isinstance(content, Unknown) else BlobState.VALID,
        reason=content.reason if isinstance(content, Unknown) else _SHOWN,
        address=_INLINE,
        content=content,
        payload=found,
        fields=() if isinstance(content, Unknown) else tuple(_fields(fdt.read(content), node.name)),
    )


def _of_node(
    name: bytes, found: Kho2024, by_node: Mapping[bytes, Sequence[PreservedMem]]
) -> Kho2024:
    """What of all that a tree says is said by one node."""
    mem, traced = tuple(by_node.get(name, ())), name == _FTRACE
    return Kho2024(mem, found.events if traced else (), found.arrays if traced else (), ())


def _fields(tree: FlatTree, name: bytes) -> Iterator[Field]:
    pending = [("", tree.root)]
    while pending:
        path, node = pending.pop()
        for item in node.properties:
            yield from _of_property(path, item, traced=name == _FTRACE)
        below = [(f"{path}/{child.name.decode('latin-1')}", child) for child in node.children]
        pending.extend(reversed(below))


def _of_property(path: str, item: Property, *, traced: bool) -> Iterator[Field]:
    name = f"{path}/{item.name.decode('latin-1')}"
    if traced and item.name in _WORDS and len(item.value) == 4:
        value = int.from_bytes(item.value, "little")
        yield Field(name, item.offset, 4, value, _WORDS[item.name])
    if item.name not in _PAIRS or not (traced or item.name == b"mem"):
        return
    form, parts = _PAIRS[item.name]
    size = struct.calcsize(form)
    if len(item.value) % size or len(item.value) // size * 2 > _MOST_FIELDS:
        return
    for at, pair in enumerate(struct.iter_unpack(form, item.value)):
        for part, ((word, meaning), value) in enumerate(zip(parts, pair, strict=True)):
            offset = item.offset + at * size + part * size // 2
            yield Field(f"{name}/{at}/{word}", offset, size // 2, value, meaning)
