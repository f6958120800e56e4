"""The root tree of the series of 2024 as a document."""

from collections.abc import Iterable

from kho_console import text
from kho_console.documents.contents import tree_node
from kho_console.documents.machine import finding_facts
from kho_console.documents.shape import Document, document, memory_range
from kho_console.model.finding import Finding
from kho_console.model.kho2024 import Kho2024, TraceArray
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Cause, Maybe, Unknown


def kho2024(
    found: Kho2024, tree: FlatTree, layout: Maybe[str], findings: Iterable[Finding]
) -> Document:
    """Preserved memory and trace buffers, and the tree that says so."""
    return document(
        mem=[
            {"path": text.escaped(item.path), "ranges": list(map(memory_range, item.ranges))}
            for item in found.mem
        ],
        events=[{"crc": crc, "type": number} for crc, number in found.events],
        arrays=[_array(item) for item in found.arrays],
        layout=layout,
        root=tree_node(tree.root),
        findings=[finding_facts(item) for item in findings],
    )


def _array(found: TraceArray) -> Document:
    absent = Unknown(Cause.ABSENT, "it has no trace-flags")
    return {
        "name": text.escaped(found.name),
        "flags": absent if found.flags is None else found.flags,
        "cpus": [
            {
                "cpu": item.cpu,
                "pages": [
                    {"buffer_page": memory_range(page), "data": memory_range(data)}
                    for page, data in item.pages
                ],
            }
            for item in found.cpus
        ],
    }
