"""Flattened device trees: any tree, and the root tree of a handover."""

from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a tree node.

    Attributes:
        name: Its name, raw bytes.
        value: Its value, raw bytes: big-endian only where the producer chose so.
        offset: Byte offset of the value inside the tree.
    """

    name: bytes
    value: bytes
    offset: int


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A node with its properties and children in the order of the wire."""

    name: bytes
    properties: tuple[Property, ...] = ()
    children: tuple["TreeNode", ...] = ()

    def value(self, name: bytes) -> bytes | None:
        """The value of the property called `name`, or None."""
        return next((item.value for item in self.properties if item.name == name), None)

    def child(self, name: bytes) -> "TreeNode | None":
        """The first child called `name`, or None."""
        return next((node for node in self.children if node.name == name), None)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in damaged data that could not be read, and where."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class FlatTree:
    """A device tree as it was read.

    Attributes:
        root: The root node.
        size: Bytes that were at hand.
        totalsize: Bytes that the header announces.
        faults: What could not be read; empty for a whole tree.
    """

    root: TreeNode
    size: int
    totalsize: int
    faults: tuple[Fault, ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether the header announces more than was at hand."""
        return self.size < self.totalsize


@dataclass(frozen=True, slots=True)
class BlobPointer:
    """A node of the root tree: where a producer's blob lies.

    Attributes:
        name: The node's name, chosen by the producer.
        address: Physical address of the blob (`fdt`, or `preserved-data` from 7.1).
        size: Bytes (`blob-size`, from 7.1); absent before, where a blob is a tree with a size.
    """

    name: bytes
    address: Maybe[int]
    size: Maybe[int]


@dataclass(frozen=True, slots=True)
class RootTree:
    """The root tree of one side of a handover.

    Attributes:
        flat: The tree behind this reading; the completed one where it was recovered.
        content: The tree's bytes as far as they are at hand.
        window: Bytes that the debugfs file gave; None where there is no such file.
        compatible: The protocol word.
        map_address: Physical address of the head of the preserved-memory map.
        pointers: The nodes below the root, in wire order.
        address: Physical address of the tree's own page where that is known.
    """

    flat: FlatTree
    content: bytes
    window: int | None
    compatible: Maybe[bytes]
    map_address: Maybe[int]
    pointers: tuple[BlobPointer, ...]
    address: Maybe[int]

    @property
    def window_truncated(self) -> bool:
        """Whether the debugfs file stops short of the tree (kho-v1 of 6.19 and all later)."""
        return self.window is not None and self.window < self.flat.totalsize

    def pointer(self, name: bytes) -> BlobPointer | None:
        """The pointer to the blob called `name`, or None where the tree has no such node."""
        return next((item for item in self.pointers if item.name == name), None)
