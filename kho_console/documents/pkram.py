"""What a PKRAM super block leads to as a document, and back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kho_console import text
from kho_console.documents.machine import finding_facts
from kho_console.documents.shape import (
    Document,
    document,
    each,
    from_hex,
    mapped,
    memory_range,
    series,
)
from kho_console.model.finding import Finding
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import (
    NodeLayout,
    ObjectLayout,
    PkramImage,
    PkramLayout,
    PkramNode,
    PkramObject,
    PkramVersion,
    PreservedPage,
)
from kho_console.model.unknown import Cause, Unknown

_PAGE = 4096
_NO_PAGES = Unknown(Cause.ABSENT, "it has no pages")

SavedObject = tuple[tuple[PreservedPage, ...], bytes]
"""The pages and bytes of an object."""


def pkram(found: PkramImage, findings: Iterable[Finding]) -> Document:
    """Nodes, objects and regions."""
    layout = found.layout
    return document(
        version=found.version,
        pfn=found.pfn,
        nodes=[_node(item, where) for item, where in zip(found.nodes, layout.nodes, strict=True)],
        regions=each(found.regions, memory_range),
        **({"region_pages": list(found.region_pages)} if found.region_pages else {}),
        findings=[finding_facts(item) for item in findings],
    )


def pkram_nodes(
    found: Mapping[str, Any],
) -> tuple[PkramVersion, int, list[tuple[bytes, list[SavedObject]]]]:
    """The series, the frame of the super block, and the nodes of a document.

    Raises:
        ValueError: It is no such document, or has no pages.
    """
    version = series(PkramVersion, found.get("version"))
    pfn = _number(found, "pfn", 40)
    if not pfn:
        raise ValueError("pfn is 0: there is no super block")
    nodes = [
        (_name(node), [_saved(item) for item in _list(node, "objects")])
        for node in _list(found, "nodes")
    ]
    return version, pfn, nodes


def pkram_layout(found: Mapping[str, Any]) -> PkramLayout:
    """On which frames the nodes of a document lie, as far as it says so.

    Raises:
        ValueError: A frame is no number, or a region is no range of pages.
    """
    nodes = tuple(
        NodeLayout(
            _number(node, "pfn", 40), tuple(_laid_out(item) for item in _list(node, "objects"))
        )
        for node in _list(found, "nodes")
    )
    # Without its pages a list is made anew, and has what the nodes have.
    pages = _frames(found, "region_pages")
    regions = _list(found, "regions") if pages and found.get("regions") is not None else []
    return PkramLayout(nodes, pages, tuple(map(_region, regions)))


def _laid_out(item: Any) -> ObjectLayout:
    links = _list(item, "link_pages") if "link_pages" in item else []
    return ObjectLayout(
        _number(item, "pfn", 40),
        tuple((_number(link, "pfn", 40), _number(link, "entries", 9)) for link in links),
        _frames(item, "byte_links"),
        _frames(item, "byte_pages"),
    )


def _frames(item: Mapping[str, Any], key: str) -> tuple[int, ...]:
    frames = _list(item, key) if key in item else []
    return tuple(_number({key: pfn}, key, 40) for pfn in frames)


def _region(item: Any) -> MemoryRange:
    found = MemoryRange(_number(item, "address", 52), _number(item, "size", 52))
    if found.start % _PAGE or found.size % _PAGE:
        raise ValueError(f"the region at 0x{found.start:x} is of no whole pages")
    return found


def _node(found: PkramNode, where: NodeLayout) -> Document:
    return {
        "name": text.escaped(found.name),
        "pfn": found.pfn,
        "objects": [
            _object(item, at) for item, at in zip(found.objects, where.objects, strict=True)
        ],
    }


def _object(found: PkramObject, where: ObjectLayout) -> Document:
    return {
        "pfn": found.pfn,
        "blocks_by_order": {str(order): n for order, n in found.blocks_by_order.items()},
        "page_bytes": found.page_bytes,
        "byte_count": found.byte_count,
        "links": found.links,
        "first_index": _NO_PAGES if found.first_index is None else found.first_index,
        "last_index": _NO_PAGES if found.last_index is None else found.last_index,
        **_content(found, where),
    }


def _content(found: PkramObject, where: ObjectLayout) -> Document:
    if found.content is None:
        return {}
    pages = [
        {"index": item.index, "address": item.address, "order": item.order, "flags": item.flags}
        for item in found.content.pages
    ]
    return {
        "pages": pages,
        "data": mapped(found.content.bytes, bytes.hex),
        "link_pages": [{"pfn": pfn, "entries": entries} for pfn, entries in where.links],
        "byte_links": list(where.byte_links),
        "byte_pages": list(where.byte_pages),
    }


def _saved(item: Any) -> SavedObject:
    if not isinstance(item, Mapping) or not isinstance(item.get("data", ""), str):
        raise ValueError("an object has no data: decode with --pages has it")
    if "pages" not in item:
        raise ValueError("an object has no pages: decode with --pages has them")
    pages, data = tuple(_pages(item)), from_hex(item.get("data", ""), "data")
    for key, there in _sums(pages, data).items():
        if item.get(key, there) != there:
            said = f"{key} is {item[key]!r:.50}, and what is written has {there}"
            raise ValueError(f"{said}: pages and data count, take {key} out")
    return pages, data


def _sums(pages: Sequence[PreservedPage], data: bytes) -> dict[str, object]:
    """What a document says of an object beside its pages and bytes."""
    orders = Counter(item.order for item in pages)
    return {
        "blocks_by_order": {str(order): orders[order] for order in sorted(orders)},
        "page_bytes": sum(many << 12 + order for order, many in orders.items()),
        "byte_count": len(data),
    }


def _pages(item: Mapping[str, Any]) -> Iterator[PreservedPage]:
    for page in _list(item, "pages"):
        index, address = _number(page, "index", 64), _number(page, "address", 52)
        yield PreservedPage(index, address, _number(page, "order", 5), _number(page, "flags", 7))


def _name(node: Any) -> bytes:
    name = node.get("name") if isinstance(node, Mapping) else None
    if not isinstance(name, str):
        raise ValueError("a node has no name")
    return text.unescaped(name)


def _list(item: Any, key: str) -> list[Any]:
    value = item.get(key) if isinstance(item, Mapping) else None
    if not isinstance(value, list):
        raise ValueError(f"{key} must be a list")
    return value


def _number(item: Any, key: str, bits: int) -> int:
    value = item.get(key, 0) if isinstance(item, Mapping) else None
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise ValueError(f"{key} is {value!r:.50}, no number of {bits} bits")
    return value
