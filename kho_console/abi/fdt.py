"""Whole flattened device trees, read and written by libfdt.

libfdt trusts a tree once its header looks right, so nothing reaches it here before
`fdt_check_full` has walked the tree inside the bytes at hand. What fails that check is read by
`kho_console.abi.fdt_salvage` instead. Format: Devicetree Specification 0.4, section 5.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from kho_console.abi import fdt_salvage
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import (
    HEADER_SIZE,
    MAGIC,
    MAXIMUM_DEPTH,
    MAXIMUM_NAME,
    MAXIMUM_NODES,
    MAXIMUM_PROPERTIES,
    MAXIMUM_SIZE,
    PROPERTY_HEADER,
    Header,
    read_header,
)
from kho_console.model.tree import FlatTree, Property, TreeNode

_MOST_SEARCHED = 1 << 28
"""Bytes of names that libfdt looks through, at most: all of them anew for each property."""

_BEGIN_NODE, _END_NODE, _PROPERTY, _END = (struct.pack(">I", word) for word in (1, 2, 3, 9))
_RESERVATIONS_END = 16
"""Bytes of the record that ends a list of reserved memory, here an empty one."""


class BindingFailed(FormatError):
    """libfdt takes the tree, and its binding cannot give it: a name is not UTF-8, for one."""


def read(data: bytes) -> FlatTree:
    """The tree in `data`, whole or what is left of it.

    Bytes behind the announced size are ignored. A tree that is cut or damaged comes back with
    its faults named.

    Raises:
        FormatError: There is no usable tree header.
    """
    header = read_header(data)
    if len(data) >= header.totalsize:
        try:
            return read_whole(data[: header.totalsize])
        except FormatError:
            pass
    return fdt_salvage.read(data)


def read_whole(data: bytes) -> FlatTree:
    """The tree that fills `data` exactly.

    Raises:
        FormatError: It is no tree, damaged, deeper than 64 levels, or larger than 16 MiB.
    """
    import libfdt

    header = read_header(data)
    if len(data) != header.totalsize:
        raise FormatError(4, f"totalsize {header.totalsize} but {len(data)} bytes at hand")
    if header.totalsize > MAXIMUM_SIZE:
        raise FormatError(4, f"totalsize {header.totalsize} is over the limit of {MAXIMUM_SIZE}")
    strings = data[header.off_dt_strings : header.off_dt_strings + header.size_dt_strings]
    if max(map(len, strings.split(b"\0"))) > MAXIMUM_NAME:
        raise FormatError(header.off_dt_strings, f"a name of more than {MAXIMUM_NAME} bytes")
    buffer = bytearray(data)
    if status := libfdt.fdt_check_full(buffer, len(buffer)):
        raise FormatError(0, f"damaged tree: {libfdt.strerror(status)}")
    try:
        root = fdt_salvage.assemble(list(_scan(libfdt.FdtRo(buffer), header)))
    except (libfdt.FdtException, SystemError, ValueError, IndexError, struct.error) as error:
        raise BindingFailed(header.off_dt_struct, f"libfdt cannot read it: {error}") from error
    return FlatTree(root, len(data), header.totalsize)


def write_sequential(root: TreeNode) -> bytes:
    """A tree as libfdt's sequential writer makes it, strings newest first.

    The kernel builds the root tree of 6.16 to 6.18, `memblock` and `luo-v1` this way.

    Raises:
        FormatError: A name is not UTF-8, or there are too many.
    """
    import libfdt

    # It grows by a kilobyte at a time, with a copy of all that there is.
    writer = libfdt.FdtSw(_room(root))
    writer.finish_reservemap()
    closing = object()
    pending: list[TreeNode | object] = [root]
    while pending:
        node = pending.pop()
        if not isinstance(node, TreeNode):
            writer.end_node()
            continue
        writer.begin_node(_text(node.name))
        for item in node.properties:
            writer.property(_text(item.name), item.value)
        pending.append(closing)
        pending.extend(reversed(node.children))
    return _trimmed(writer.as_fdt().as_bytearray())


def write_repacked(root: TreeNode) -> bytes:
    """A tree as the kernel grows it from 6.19 on: packed again after each added node.

    Children of `root` are given in wire order, newest first, and so are their properties; the
    strings appear in the order in which the kernel first used them.

    Raises:
        FormatError: A name is not UTF-8, or libfdt takes it for one that is there.
    """
    import libfdt

    tree = libfdt.Fdt(write_sequential(TreeNode(root.name, root.properties)))
    try:
        _add(tree, root.children)
    except libfdt.FdtException as error:
        raise FormatError(0, f"libfdt does not add to it: {error}") from error
    return _trimmed(tree.as_bytearray())


def _add(tree: Any, children: Sequence[TreeNode]) -> None:
    """Add nodes below the root, the last one first."""
    for child in reversed(children):
        needed = sum(len(item.name) + len(item.value) + 16 for item in child.properties)
        tree.resize(tree.totalsize() + len(child.name) + needed + 64)
        offset = tree.add_subnode(0, _text(child.name))
        for item in reversed(child.properties):
            tree.setprop(offset, _text(item.name), item.value)
        tree.pack()


def write_compiled(root: TreeNode) -> bytes:
    """A tree as dtc makes it, strings in the order in which they are first used.

    Raises:
        FormatError: There are too many names.
    """
    _room(root)
    block, strings = bytearray(), bytearray()
    places: dict[bytes, int] = {}
    pending: list[TreeNode | None] = [root]
    while pending:
        node = pending.pop()
        if node is None:
            block += _END_NODE
            continue
        block += _BEGIN_NODE + _padded(node.name + b"\0")
        for item in node.properties:
            if item.name not in places:
                name = item.name + b"\0"
                # The end of a longer name will do.
                found = strings.find(name)
                places[item.name] = len(strings) if found < 0 else found
                strings += name if found < 0 else b""
            block += _PROPERTY + struct.pack(">II", len(item.value), places[item.name])
            block += _padded(item.value)
        pending += [None, *reversed(node.children)]
    block += _END
    start = HEADER_SIZE + _RESERVATIONS_END
    end = start + len(block)
    words = (end + len(strings), start, end, HEADER_SIZE, 17, 16, 0, len(strings), len(block))
    head = MAGIC + struct.pack(">9I", *words)
    return head + bytes(_RESERVATIONS_END) + block + strings


def _padded(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // 4) * 4, b"\0")


def _scan(tree: Any, header: Header) -> Iterator[tuple[int, TreeNode]]:
    """Every node with its depth, in wire order, without children."""
    import libfdt

    offset, depth, count, held = 0, 0, 0, 0
    while offset >= 0 and depth >= 0:
        count += 1
        if depth >= MAXIMUM_DEPTH or count > MAXIMUM_NODES:
            limit = "deep" if depth >= MAXIMUM_DEPTH else "many nodes"
            raise FormatError(header.off_dt_struct + offset, f"the tree is too {limit}")
        name = tree.get_name(offset).encode("utf-8", "surrogateescape")
        if len(name) > MAXIMUM_NAME:
            reason = f"a name of more than {MAXIMUM_NAME} bytes"
            raise FormatError(header.off_dt_struct + offset, reason)
        properties = []
        place = tree.first_property_offset(offset, libfdt.QUIET_NOTFOUND)
        while place >= 0:
            held += 1
            if held > MAXIMUM_PROPERTIES:
                reason = f"more than {MAXIMUM_PROPERTIES} properties"
                raise FormatError(header.off_dt_struct + place, reason)
            item = tree.get_property_by_offset(place)
            value_at = header.off_dt_struct + place + PROPERTY_HEADER
            properties.append(Property(item.name.encode(), bytes(item), value_at))
            place = tree.next_property_offset(place, libfdt.QUIET_NOTFOUND)
        yield depth, TreeNode(name, tuple(properties))
        offset, depth = tree.next_node(offset, depth, (libfdt.NOTFOUND,))


def _room(root: TreeNode) -> int:
    """Bytes that a tree takes at most, its header and the end marks of its blocks included.

    Raises:
        FormatError: It has so many names that libfdt would not come to an end.
    """
    total, count, names, pending = 128, 0, set[bytes](), [root]
    while pending:
        node = pending.pop()
        total += len(node.name) + 12
        total += sum(len(item.value) + len(item.name) + 16 for item in node.properties)
        count += len(node.properties)
        names.update(item.name for item in node.properties)
        pending.extend(node.children)
    if count * sum(len(name) + 1 for name in names) > _MOST_SEARCHED:
        raise FormatError(0, f"{len(names)} names of properties are too many to write")
    return total


def _text(name: bytes) -> str:
    """A name as libfdt's writer takes it.

    Raises:
        FormatError: It is not UTF-8; such a tree can be read only.
    """
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise FormatError(0, f"the name {name!r} cannot be written: {error.reason}") from error


def _trimmed(buffer: bytearray) -> bytes:
    return bytes(buffer[: int.from_bytes(buffer[4:8], "big")])
