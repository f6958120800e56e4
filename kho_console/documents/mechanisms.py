"""What each mechanism makes of one workload."""

from collections.abc import Iterable

from kho_console.documents.shape import Document, document, mapped
from kho_console.model.workload import Carried, Cost, Crossed, Workload


def mechanisms(workload: Workload, found: Iterable[Carried]) -> Document:
    """The workload, and every mechanism in every version of it."""
    return document(
        workload={
            "name": workload.name,
            "about": workload.about,
            "ranges": [{"name": item.name, "size": item.size} for item in workload.ranges],
            "objects": [
                {"name": item.name, "size": item.size, "order": item.order}
                for item in workload.objects
            ],
            "records": [
                {"name": item.name, "count": item.count, "size": item.size}
                for item in workload.records
            ],
        },
        mechanisms=[_carried(item) for item in found],
    )


def _carried(found: Carried) -> Document:
    return {
        "mechanism": found.mechanism,
        "version": found.version,
        "compact": mapped(found.compact, _cost),
        "scattered": mapped(found.scattered, _cost),
        "newer": mapped(found.newer, _crossed),
        "older": mapped(found.older, _crossed),
        "changed": mapped(found.changed, _crossed),
        "notes": list(found.notes),
    }


def _cost(found: Cost) -> Document:
    return {
        "metadata_bytes": found.metadata,
        "reserved_pages": found.reserved_pages,
        "copies": found.copies,
    }


def _crossed(found: Crossed) -> Document:
    return {"to": found.to, "result": found.result.value, "reason": found.reason}
