"""Snapshots as JSON documents; `kho_console/schemas` holds their schemas.

Keys are snake_case, addresses and sizes integers, names escaped. A value that is not known is
null, and the key with `_reason` behind it says why.
"""

from kho_console.documents.acting import action, journal, not_applicable, preflight
from kho_console.documents.compared import compared
from kho_console.documents.contents import (
    blobs,
    extents,
    fates,
    ranges,
    sessions,
    shares,
    struct,
    tree,
)
from kho_console.documents.crash import crash
from kho_console.documents.crash_simulation import crash_simulation
from kho_console.documents.difference import Difference, differences
from kho_console.documents.elfcorehdr import core_header, elfcorehdr
from kho_console.documents.fdt import fdt, fdt_root
from kho_console.documents.kho2024 import kho2024
from kho_console.documents.kstate import kstate, kstate_disagreement, kstate_entries
from kho_console.documents.machine import checks, map_format, scratch, status
from kho_console.documents.mechanisms import mechanisms
from kho_console.documents.over_time import bundled, captured, recorded
from kho_console.documents.pkram import pkram, pkram_layout, pkram_nodes
from kho_console.documents.runbook import facts, progress, run_stands, runbook, runbooks
from kho_console.documents.shape import Document, Streamed
from kho_console.documents.verification import handover_note, verification

__all__ = [
    "Difference",
    "Document",
    "Streamed",
    "action",
    "blobs",
    "bundled",
    "captured",
    "checks",
    "compared",
    "core_header",
    "crash",
    "crash_simulation",
    "differences",
    "elfcorehdr",
    "extents",
    "facts",
    "fates",
    "fdt",
    "fdt_root",
    "handover_note",
    "journal",
    "kho2024",
    "kstate",
    "kstate_disagreement",
    "kstate_entries",
    "map_format",
    "mechanisms",
    "not_applicable",
    "pkram",
    "pkram_layout",
    "pkram_nodes",
    "preflight",
    "progress",
    "ranges",
    "recorded",
    "run_stands",
    "runbook",
    "runbooks",
    "scratch",
    "sessions",
    "shares",
    "status",
    "struct",
    "tree",
    "verification",
]
