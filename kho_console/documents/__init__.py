"""Snapshots as JSON documents; `kho_console/schemas` holds their schemas.

Keys are snake_case, addresses and sizes integers, names escaped. A value that is not known is
null, and the key with `_reason` behind it says why.
"""

from kho_console.documents.acting import action, journal, not_applicable, preflight
from kho_console.documents.contents import (
    blobs,
    extents,
    ranges,
    sessions,
    shares,
    struct,
    tree,
)
from kho_console.documents.crash import crash
from kho_console.documents.crash_simulation import crash_simulation
from kho_console.documents.difference import Difference, differences
from kho_console.documents.machine import checks, map_format, scratch, status
from kho_console.documents.shape import Document

__all__ = [
    "Difference",
    "Document",
    "action",
    "blobs",
    "checks",
    "crash",
    "crash_simulation",
    "differences",
    "extents",
    "journal",
    "map_format",
    "not_applicable",
    "preflight",
    "ranges",
    "scratch",
    "sessions",
    "shares",
    "status",
    "struct",
    "tree",
]
