"""The `memblock` blob: the `reserve_mem` regions of a kernel (mm/memblock.c, 6.16 to 7.3)."""

from kho_console.abi import fdt
from kho_console.abi.error import FormatError
from kho_console.abi.native import U64, named, number, string, word
from kho_console.abi.text import c_string
from kho_console.model.blob import Field, MemblockTree, ReservedRegion
from kho_console.model.tree import FlatTree, TreeNode

NAME = b"memblock"
COMPATIBLE = b"memblock-v1"
_REGION = b"reserve-mem-v1"


def decode(tree: FlatTree) -> MemblockTree:
    """The regions of a `memblock` tree.

    Raises:
        FormatError: The tree is damaged, of another version, or a region is incomplete.
    """
    if tree.faults:
        raise FormatError(tree.faults[0].offset, tree.faults[0].reason)
    compatible = c_string(named(tree.root, b"compatible").value)
    if compatible != COMPATIBLE:
        raise FormatError(named(tree.root, b"compatible").offset, "not memblock-v1")
    return MemblockTree(compatible, tuple(_region(node) for node in tree.root.children))


def fields(tree: FlatTree) -> tuple[Field, ...]:
    """The decoded values with their offsets in the blob, in wire order."""
    found: list[Field] = []
    for node in tree.root.children:
        for name, meaning in ((b"start", "address"), (b"size", "bytes")):
            value, offset = word(node, name, U64)
            path = f"/{node.name.decode('latin-1')}/{name.decode()}"
            found.append(Field(path, offset, U64, value, meaning))
    return tuple(found)


def encode(value: MemblockTree) -> bytes:
    """The tree as the kernel writes it."""
    children = tuple(
        TreeNode(
            region.name,
            (
                string(b"compatible", region.compatible),
                number(b"start", region.start),
                number(b"size", region.size),
            ),
        )
        for region in value.regions
    )
    properties = (string(b"compatible", value.compatible),)
    return fdt.write_sequential(TreeNode(b"", properties, children))


def _region(node: TreeNode) -> ReservedRegion:
    compatible = named(node, b"compatible")
    if c_string(compatible.value) != _REGION:
        raise FormatError(compatible.offset, f"region {node.name!r} is not reserve-mem-v1")
    start, start_at = word(node, b"start", U64)
    size, _ = word(node, b"size", U64)
    if start + size > 1 << 64:
        raise FormatError(start_at, f"region {node.name!r} runs over the end of memory")
    return ReservedRegion(node.name, _REGION, start, size)
