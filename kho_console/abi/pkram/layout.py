"""Super block, node, object, link and region list, one page each (mm/pkram.c as posted)."""

import struct

from kho_console.abi.error import FormatError
from kho_console.model.pkram import PkramVersion
from kho_console.model.value import dataclass

PAGE = 4096
SHIFT = 12
MAGIC = 0x706B726D
NAME_MAX = 256
"""Bytes of a name, the NUL included."""

LINK_ENTRIES = 510
LIST_REGIONS = 255
LARGEST_ORDER = 10
HUGE = 0x1
"""The flag of a transparent huge page; v3 never writes it."""

FLAGS = 0x7F
"""The flags of an entry; a kernel cuts off what its caller has beyond them."""

FRAME_LIMIT = 1 << 52 - SHIFT

_SUPER_V1 = struct.Struct("<QQ")
_SUPER = struct.Struct("<I4xQQQ")
_NODE = struct.Struct(f"<I4xQQ{NAME_MAX}s")
_OBJECT_V1 = struct.Struct("<QQQQ")
_OBJECT = struct.Struct("<QQQQQQ")


@dataclass(frozen=True, slots=True)
class SuperBlock:
    """The root; `pgd_pfn` is that of v1, the other three of what came later."""

    node_pfn: int
    pgd_pfn: int = 0
    region_list_pfn: int = 0
    nr_regions: int = 0


@dataclass(frozen=True, slots=True)
class NodePage:
    """A node; `flags` is 0 but for one that is being saved."""

    flags: int
    obj_pfn: int
    node_pfn: int
    name: bytes


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """An object; v1 has a page of bytes in place of links to such pages, and no tails."""

    head_pfn: int
    tail_pfn: int
    bytes_head_pfn: int
    bytes_tail_pfn: int
    data_pfn: int
    data_len: int
    obj_pfn: int


def has_magic(page: bytes) -> bool:
    """Whether a super block is one of v2 or v3."""
    return int.from_bytes(page[:4], "little") == MAGIC


def super_size(version: PkramVersion) -> int:
    """Bytes of a super block that mean anything; the rest of its page is zero."""
    return (_SUPER_V1 if version is PkramVersion.V1 else _SUPER).size


def read_super(page: bytes, version: PkramVersion, address: int) -> SuperBlock:
    """A super block; all of it is zero where nothing is preserved.

    Raises:
        FormatError: It has no magic number.
    """
    if version is PkramVersion.V1:
        return SuperBlock(*_SUPER_V1.unpack_from(page))
    if not has_magic(page):
        raise FormatError(address, f"invalid super block: no magic number 0x{MAGIC:x}")
    _, node_pfn, region_list_pfn, nr_regions = _SUPER.unpack_from(page)
    return SuperBlock(node_pfn, 0, region_list_pfn, nr_regions)


def write_super(block: SuperBlock, version: PkramVersion) -> bytes:
    """The page of a super block."""
    if version is PkramVersion.V1:
        return _page(_SUPER_V1.pack(block.node_pfn, block.pgd_pfn))
    return _page(_SUPER.pack(MAGIC, block.node_pfn, block.region_list_pfn, block.nr_regions))


def read_node(page: bytes, address: int) -> NodePage:
    """A node.

    Raises:
        FormatError: No NUL ends its name.
    """
    flags, obj_pfn, node_pfn, raw = _NODE.unpack_from(page)
    name, end, _ = raw.partition(b"\0")
    if not end:
        raise FormatError(address + 24, "no NUL ends the name of the node")
    return NodePage(flags, obj_pfn, node_pfn, name)


def write_node(node: NodePage) -> bytes:
    """The page of a node."""
    return _page(_NODE.pack(node.flags, node.obj_pfn, node.node_pfn, node.name))


def read_object(page: bytes, version: PkramVersion) -> ObjectPage:
    """An object."""
    if version is PkramVersion.V1:
        data_pfn, data_len, link_pfn, obj_pfn = _OBJECT_V1.unpack_from(page)
        return ObjectPage(link_pfn, 0, 0, 0, data_pfn, data_len, obj_pfn)
    head, tail, bytes_head, bytes_tail, data_len, obj_pfn = _OBJECT.unpack_from(page)
    return ObjectPage(head, tail, bytes_head, bytes_tail, 0, data_len, obj_pfn)


def write_object(found: ObjectPage, version: PkramVersion) -> bytes:
    """The page of an object."""
    if version is PkramVersion.V1:
        return _page(_OBJECT_V1.pack(found.data_pfn, found.data_len, found.head_pfn, found.obj_pfn))
    pages = found.head_pfn, found.tail_pfn, found.bytes_head_pfn, found.bytes_tail_pfn
    return _page(_OBJECT.pack(*pages, found.data_len, found.obj_pfn))


def entry(address: int, order: int, flags: int) -> int:
    """The word for a page in a link.

    Raises:
        ValueError: There is no word for it.
    """
    fits = 0 <= address < 1 << 52 and 0 <= order < 32 and 0 <= flags <= FLAGS
    if address % PAGE or not fits:
        raise ValueError(f"no entry for order {order}, flags 0x{flags:x} at 0x{address:x}")
    word = address | flags << 5 | order
    if not word:
        raise ValueError("the page of order 0 at address 0 cannot be in a link")
    return word


def write_link(next_pfn: int, index: int, entries: list[int]) -> bytes:
    """The page of a link."""
    return _page(struct.pack(f"<{2 + len(entries)}Q", next_pfn, index, *entries))


def write_regions(prev_pfn: int, next_pfn: int, regions: list[tuple[int, int]]) -> bytes:
    """A page of the region list."""
    words = [word for region in regions for word in region]
    return _page(struct.pack(f"<{2 + len(words)}Q", prev_pfn, next_pfn, *words))


def _page(data: bytes) -> bytes:
    return data.ljust(PAGE, b"\0")
