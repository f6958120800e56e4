"""The radix tree of preserved memory, 7.1 to 7.3.

Each node is one page: tables of physical addresses, and at the bottom a bitmap. The key of a
block holds its order as the position of a marker bit, so every order has a subtree of its own.
Source: include/linux/kho/abi/kexec_handover.h and kernel/liveupdate/kexec_handover.c.
"""

import struct
from collections.abc import Callable, Iterator, Mapping

from kho_console.abi import bitmaps, runs
from kho_console.abi.bitmaps import Counted, Gathered, Taker
from kho_console.abi.error import FormatError
from kho_console.abi.memory import ADDRESS_LIMIT, PhysicalMemory, page_of
from kho_console.model.generation import MapFormat
from kho_console.model.preserved import PreservedMap, Runs, Totals
from kho_console.model.value import dataclass

_ENTRY = 8


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a key is cut into indexes, for one page size (4, 16 or 64 KiB)."""

    page_size: int

    @property
    def shift(self) -> int:
        """PAGE_SHIFT."""
        return self.page_size.bit_length() - 1

    @property
    def leaf_bits(self) -> int:
        """Bits of the key that select a bit of a leaf."""
        return self.shift + 3

    @property
    def table_bits(self) -> int:
        """Bits of the key that select an entry of a table."""
        return self.shift - 3

    @property
    def top(self) -> int:
        """Level of the root; leaves are level 0. 5, 4 or 3 for 4, 16 and 64 KiB pages."""
        key_bits = 64 - self.shift + 1
        return -(-(key_bits - self.leaf_bits) // self.table_bits)

    def key(self, address: int, order: int) -> int:
        """The key of the block of `order` at `address`."""
        return 1 << (64 - self.shift - order) | address >> (self.shift + order)

    def block(self, key: int) -> tuple[int, int]:
        """Address and order of a key's block.

        Raises:
            FormatError: The key has no marker bit where an order could be.
        """
        order = 64 - self.shift - (key.bit_length() - 1)
        if not key or order < 0:
            raise FormatError(0, f"key 0x{key:x} carries no order")
        return (key << (self.shift + order)) & ((1 << 64) - 1), order


@dataclass(frozen=True, slots=True)
class Node:
    """One page of the tree.

    Attributes:
        level: 0 for a leaf.
        prefix: The bits of the key above this node's own.
        address: Physical address.
        content: The page.
    """

    level: int
    prefix: int
    address: int
    content: bytes


def walk(memory: PhysicalMemory, root: int, page_size: int) -> Iterator[Node]:
    """All nodes, parents before children, keys ascending.

    Raises:
        FormatError: A node is unaligned, or stands in two places of the tree.
        MissingMemory: A node cannot be had.
    """
    geometry = Geometry(page_size)
    seen: set[int] = set()
    pending = [(geometry.top, 0, root)]
    while pending:
        level, prefix, address = pending.pop()
        if address in seen:
            raise FormatError(address, "a node of the radix tree stands in it twice")
        if address >= ADDRESS_LIMIT:
            raise FormatError(address, "a node of the radix tree lies beyond 2^56")
        seen.add(address)
        content = page_of(memory, address, page_size, "a node of the radix tree")
        yield Node(level, prefix, address, content)
        if not level:
            continue
        first = prefix << geometry.table_bits
        table = struct.unpack(f"<{page_size // _ENTRY}Q", content)
        below = [(level - 1, first | index, entry) for index, entry in enumerate(table) if entry]
        pending.extend(reversed(below))


def read(memory: PhysicalMemory, root: int, page_size: int) -> PreservedMap:
    """The preserved memory that the tree at physical address `root` names.

    Raises:
        FormatError: The tree is damaged, or names memory no machine has.
        MissingMemory: A page of it cannot be had.
    """
    nodes, found = _leaves(memory, root, page_size, Gathered)
    by_order = {order: found[order].runs() for order in sorted(found)}
    return PreservedMap(
        format=MapFormat.RADIX,
        page_size=page_size,
        root=root,
        structure=runs.of_pages(nodes, page_size),
        by_order=by_order,
        ranges=runs.union(by_order),
    )


def totals(memory: PhysicalMemory, root: int, page_size: int) -> Totals:
    """What `read` would sum up to, without its runs where the tree holds only one order.

    Raises:
        FormatError: The tree is damaged, or names memory no machine has.
        MissingMemory: A page of it cannot be had.
    """
    _, found = _leaves(memory, root, page_size, Counted)
    return bitmaps.totals(found) or read(memory, root, page_size).totals


def _leaves(
    memory: PhysicalMemory, root: int, page_size: int, taker: type[Taker]
) -> tuple[list[int], dict[int, Taker]]:
    """The addresses of all nodes, and what takes the leaves of each order."""
    geometry = Geometry(page_size)
    nodes: list[int] = []
    found: dict[int, Taker] = {}
    empty = bytes(page_size)
    for node in walk(memory, root, page_size):
        nodes.append(node.address)
        if node.level or node.content == empty:
            continue
        address, order = _span(geometry, node)
        if order not in found:
            found[order] = taker(page_size << order)
        found[order].add(address, node.content)
    return nodes, found


def _span(geometry: Geometry, leaf: Node) -> tuple[int, int]:
    """Address that the first bit of a leaf stands for, and the order of all its bits.

    The marker bit lies above a leaf's own bits, so all of a leaf is of one order; only the leaf
    of prefix 0 is not, whose blocks would be of 2^50 bytes and more.
    """
    base = leaf.prefix << geometry.leaf_bits
    if not leaf.prefix:
        raise FormatError(leaf.address, "a leaf names blocks larger than any memory")
    if base.bit_length() > 64 - geometry.shift + 1:
        raise FormatError(leaf.address, "a leaf stands where no key leads")
    address, order = geometry.block(base)
    if not bitmaps.within(ADDRESS_LIMIT, address, geometry.page_size << order, leaf.content):
        raise FormatError(leaf.address, "a leaf names memory beyond 2^56")
    return address, order


def layout(memory: PhysicalMemory, root: int, page_size: int) -> dict[tuple[int, int], int]:
    """Where each node lies: physical address by `(level, prefix)`."""
    return {(n.level, n.prefix): n.address for n in walk(memory, root, page_size)}


def write(
    by_order: Mapping[int, Runs],
    page_size: int,
    place: Mapping[tuple[int, int], int],
    allocate: Callable[[], int] | None = None,
) -> dict[int, bytes]:
    """The pages of a tree: content by physical address.

    Args:
        by_order: Runs of whole blocks for each order.
        page_size: 4096, 16384 or 65536.
        place: Addresses of nodes by `(level, prefix)`; those no block needs become empty nodes,
            as the kernel leaves them behind.
        allocate: Gives an address for a node that has none.

    Raises:
        FormatError: A node has no address and none can be allocated.
    """
    geometry = Geometry(page_size)
    leaves = {
        prefix: runs.bitmap_of(found, *_leaf_span(geometry, prefix, order), page_size)
        for order, found in by_order.items()
        for prefix in _leaf_prefixes(geometry, order, found)
    }
    where = dict(place)
    needed = {
        (level, prefix >> geometry.table_bits * level)
        for prefix in leaves
        for level in range(geometry.top + 1)
    }
    for node in sorted(needed - where.keys(), reverse=True):
        if allocate is None:
            raise FormatError(0, f"no address for the node {node}")
        where[node] = allocate()
    tables: dict[tuple[int, int], bytearray] = {
        node: bytearray(page_size) for node in where if node[0]
    }
    for (level, prefix), address in where.items():
        parent = (level + 1, prefix >> geometry.table_bits)
        if parent in tables:
            index = prefix & ((1 << geometry.table_bits) - 1)
            tables[parent][index * _ENTRY : (index + 1) * _ENTRY] = address.to_bytes(8, "little")
    zero = bytes(page_size)
    return {
        address: bytes(tables[level, prefix]) if level else leaves.get(prefix, zero)
        for (level, prefix), address in where.items()
    }


def _leaf_span(geometry: Geometry, prefix: int, order: int) -> tuple[int, int]:
    """First address and block size of a leaf."""
    address, _ = geometry.block(prefix << geometry.leaf_bits)
    return address, geometry.page_size << order


def _leaf_prefixes(geometry: Geometry, order: int, found: Runs) -> Iterator[int]:
    last = -1
    for item in found:
        low = geometry.key(item.start, order) >> geometry.leaf_bits
        high = geometry.key(item.end - (geometry.page_size << order), order) >> geometry.leaf_bits
        for prefix in range(max(low, last + 1), high + 1):
            yield prefix
            last = prefix
