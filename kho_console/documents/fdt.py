"""A flattened device tree in a file as a document, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from kho_console import text
from kho_console.documents.contents import tree_node
from kho_console.documents.machine import finding_facts
from kho_console.documents.shape import Document, document, from_hex
from kho_console.model.finding import Finding
from kho_console.model.tree import FlatTree, Property, TreeNode
from kho_console.model.unknown import Maybe

_DEEPEST = 64


def fdt(found: FlatTree, layout: Maybe[str], findings: Iterable[Finding]) -> Document:
    """A tree with the bytes of every value.

    Args:
        found: The tree.
        layout: What would write the same bytes.
        findings: What is wrong with it.
    """
    return document(
        bytes=found.size,
        totalsize=found.totalsize,
        layout=layout,
        root=tree_node(found.root),
        findings=[finding_facts(item) for item in findings],
    )


def fdt_root(found: Mapping[str, Any]) -> tuple[TreeNode, str | None]:
    """The root of a document, and the layout that it names.

    Raises:
        ValueError: It is no such document.
    """
    layout = found.get("layout")
    if layout is not None and not isinstance(layout, str):
        raise ValueError("layout must be text")
    return _read(found.get("root"), 0), layout


def _read(item: Any, depth: int) -> TreeNode:
    if not isinstance(item, Mapping) or depth > _DEEPEST:
        raise ValueError("a node must be an object, and not too deep")
    name, properties, children = item.get("name"), item.get("properties"), item.get("children")
    if not isinstance(name, str):
        raise ValueError("a node has no name")
    if not isinstance(properties or [], list) or not isinstance(children or [], list):
        raise ValueError(f"{name}: properties and children must be lists")
    return TreeNode(
        text.unescaped(name),
        tuple(map(_property, properties or [])),
        tuple(_read(child, depth + 1) for child in children or []),
    )


def _property(item: Any) -> Property:
    name = item.get("name") if isinstance(item, Mapping) else None
    value = item.get("value", "") if isinstance(item, Mapping) else None
    if not isinstance(name, str) or not isinstance(value, str):
        raise ValueError("a property must have a name and a value")
    return Property(text.unescaped(name), from_hex(value, name), 0)
