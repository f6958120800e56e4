"""What can be read of a device tree that is cut or damaged.

The debugfs window on the root tree stops short of it from 6.19 on (kho-abi: the file's length is
frozen when the first producer has not registered yet), so a tree without its tail, and without
the strings block at its end, is a normal thing to meet.
"""

import struct
from collections.abc import Mapping

from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import (
    MAXIMUM_DEPTH,
    MAXIMUM_NAME,
    MAXIMUM_NODES,
    MAXIMUM_PROPERTIES,
    MAXIMUM_SIZE,
    PROPERTY_HEADER,
    Header,
    read_header,
)
from kho_console.model.tree import Fault, FlatTree, Property, TreeNode

_BEGIN_NODE, _END_NODE, _PROP, _NOP, _END = 1, 2, 3, 4, 9


def read(data: bytes, names: Mapping[int, bytes] | None = None) -> FlatTree:
    """Everything up to the first fault.

    Args:
        data: The bytes at hand, from the tree's header on.
        names: Property names by string offset, used where the strings block is missing.

    Raises:
        FormatError: There is no usable tree header, or not even a root node behind it.
    """
    header = read_header(data)
    reader = _Reader(data[: min(header.totalsize, MAXIMUM_SIZE)], header, names or {})
    reader.run()
    if not reader.nodes:
        nothing = Fault(header.off_dt_struct, "there is no root node")
        fault = reader.faults[0] if reader.faults else nothing
        raise FormatError(fault.offset, fault.reason)
    return FlatTree(assemble(reader.nodes), len(data), header.totalsize, tuple(reader.faults))


def assemble(nodes: list[tuple[int, TreeNode]]) -> TreeNode:
    """The root of a list of `(depth, node without children)` in wire order."""
    waiting: dict[int, list[TreeNode]] = {}
    for depth, node in reversed(nodes):
        children = tuple(reversed(waiting.pop(depth + 1, [])))
        waiting.setdefault(depth, []).append(TreeNode(node.name, node.properties, children))
    return waiting[0][0]


class _Reader:
    def __init__(self, data: bytes, header: Header, names: Mapping[int, bytes]) -> None:
        self._data = data
        self._header = header
        self._names = names
        self._at = header.off_dt_struct
        self._depth = 0
        self._properties = 0
        self._open: list[list[Property]] = []
        self.nodes: list[tuple[int, TreeNode]] = []
        self.faults: list[Fault] = []

    def run(self) -> None:
        try:
            while self._step():
                pass
        except FormatError as error:
            self.faults.append(Fault(error.offset, error.reason))
        else:
            if self._depth:
                self._fault(self._at, "the tree ends inside a node")
        self.nodes = [
            (depth, TreeNode(node.name, tuple(properties)))
            for (depth, node), properties in zip(self.nodes, self._open, strict=True)
        ]

    def _fault(self, offset: int, reason: str) -> None:
        self.faults.append(Fault(offset, reason))

    def _step(self) -> bool:
        start = self._at
        tag = self._word("a tag")
        if tag == _BEGIN_NODE:
            self._begin_node(start)
        elif tag == _PROP:
            self._property(start)
        elif tag == _END_NODE:
            if not self._depth:
                raise FormatError(start, "a node ends that never began")
            self._depth -= 1
        elif tag == _END:
            return False
        elif tag != _NOP:
            raise FormatError(start, f"unknown tag {tag}")
        return True

    def _word(self, what: str) -> int:
        word = self._take(4, what)
        return int(struct.unpack(">I", word)[0])

    def _take(self, size: int, what: str) -> bytes:
        if self._at + size > len(self._data):
            raise FormatError(len(self._data), f"cut inside {what}")
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def _begin_node(self, start: int) -> None:
        if self._depth >= MAXIMUM_DEPTH:
            raise FormatError(start, f"nodes are nested more than {MAXIMUM_DEPTH} deep")
        if len(self.nodes) >= MAXIMUM_NODES:
            raise FormatError(start, f"more than {MAXIMUM_NODES} nodes")
        if self.nodes and not self._depth:
            raise FormatError(start, "a second root node")
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise FormatError(len(self._data), "cut inside a node name")
        if end - self._at > MAXIMUM_NAME:
            raise FormatError(start, f"a name of more than {MAXIMUM_NAME} bytes")
        name = self._data[self._at : end]
        self._at = end + 1
        self._align()
        self.nodes.append((self._depth, TreeNode(name)))
        self._open.append([])
        self._depth += 1
        self._last = len(self._open) - 1

    def _property(self, start: int) -> None:
        if not self._depth or not self._open:
            raise FormatError(start, "a property outside any node")
        if self._properties >= MAXIMUM_PROPERTIES:
            raise FormatError(start, f"more than {MAXIMUM_PROPERTIES} properties")
        self._properties += 1
        length = self._word("a property length")
        name_at = self._word("a property name")
        value = self._take(length, "a property value")
        self._align()
        self._open[self._last].append(
            Property(self._name(name_at, start), value, start + PROPERTY_HEADER)
        )

    def _align(self) -> None:
        self._at += -self._at % 4

    def _name(self, name_at: int, start: int) -> bytes:
        block = self._header.off_dt_strings
        first = block + name_at
        limit = min(block + self._header.size_dt_strings, len(self._data), first + MAXIMUM_NAME + 1)
        end = self._data.find(b"\0", first, limit) if first < limit else -1
        if end >= 0:
            return self._data[first:end]
        if name_at in self._names:
            return self._names[name_at]
        self._fault(start, f"the name at string offset {name_at} is missing")
        return b"?%d" % name_at
