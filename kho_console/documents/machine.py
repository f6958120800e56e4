"""The machine as a whole: its handover, scratch areas, findings and checks."""

from collections.abc import Iterable, Mapping

from kho_console import text
from kho_console.documents.blob import blob_facts
from kho_console.documents.shape import Document, check_list, document, each, mapped
from kho_console.model.check import Check
from kho_console.model.finding import Finding
from kho_console.model.generation import Finalize, MapFormat, Protocol
from kho_console.model.mechanism import KstateSeen, PkramSeen
from kho_console.model.memory import ScratchArea
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Session
from kho_console.model.snapshot import Identity, Side, Snapshot
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown


def status(snapshot: Snapshot, findings: Iterable[Finding], verdict: Mapping[str, str]) -> Document:
    """The whole answer in one document.

    Args:
        snapshot: The machine.
        findings: What is worth attention.
        verdict: Whether the next reboot would hand over: `standing`, `sentence`, `detail`.
    """
    host = snapshot.machine
    return document(
        verdict=verdict,
        source=identity(snapshot.source),
        kernel={
            "release": text.escaped(host.release),
            "machine": text.escaped(host.architecture),
            "page_size": host.page_size,
        },
        handover=_handover(snapshot),
        scratch=each(snapshot.scratch, _area),
        outgoing=_side(snapshot.outgoing),
        incoming=mapped(snapshot.incoming, _side),
        sessions={
            "held": mapped(snapshot.inventory.sessions, _held),
            "waiting": snapshot.inventory.waiting,
        },
        kexec={
            "loaded": snapshot.kexec.loaded,
            "crash_loaded": snapshot.kexec.crash_loaded,
            "crash_size": snapshot.kexec.crash_size,
            "elfcorehdr_size": snapshot.kexec.elfcorehdr_size,
        },
        mechanisms={
            "pkram": _pkram(snapshot.mechanisms.pkram),
            "kstate": _kstate(snapshot.mechanisms.kstate),
        },
        findings=[finding_facts(item) for item in findings],
    )


def identity(found: Identity) -> Document:
    """Where a snapshot comes from, and for a recording which moment it is."""
    named = {"kind": found.kind, "name": text.escaped(found.name)}
    moment = found.moment
    if moment is None:
        return named
    at = text.dated(moment.at)
    return {**named, "moment": {"number": moment.number, "count": moment.count, "at": at}}


def scratch(snapshot: Snapshot) -> Document:
    """The scratch areas."""
    return document(scratch=each(snapshot.scratch, _area))


def checks(answers: Iterable[Check]) -> Document:
    """Checks with their answers."""
    return document(checks=check_list(answers))


def _handover(snapshot: Snapshot) -> Document:
    return {
        "generation": snapshot.generation.protocol,
        "map_format": map_format(snapshot),
        "finalize": snapshot.generation.finalize,
        "state": snapshot.state,
        "booted_through_handover": snapshot.booted_through_handover,
        "previous_release": mapped(snapshot.previous_release, text.escaped),
        "kexec_count": snapshot.kexec_count,
        "releases": snapshot.generation.releases,
    }


def map_format(snapshot: Snapshot) -> Maybe[MapFormat]:
    """The format of the map: as read, or the only one that this generation has."""
    found = snapshot.inventory.preserved
    if not isinstance(found, Unknown):
        return found.format
    generation = snapshot.generation
    if generation.protocol is Protocol.RFC_2024:
        return MapFormat.MEM_ARRAYS
    known = generation.protocol in (Protocol.KHO_V3, Protocol.KHO_V4)
    return MapFormat.RADIX if known and generation.finalize is Finalize.NONE else found


def _side(side: Side) -> Document:
    return {
        "blobs": each(side.blobs, blob_facts),
        "tree": mapped(side.tree, _tree_facts),
        "preserved": mapped(side.preserved, _totals),
    }


def _tree_facts(found: RootTree) -> Document:
    return {
        "compatible": mapped(found.compatible, text.escaped),
        "bytes": found.flat.size if found.window is None else found.window,
        "totalsize": found.flat.totalsize,
        "truncated": found.window_truncated or found.flat.truncated,
        "completed_from_memory": found.window_truncated and not found.flat.truncated,
        "address": found.address,
    }


def _totals(found: PreservedMap) -> Document:
    return {
        "bytes": found.bytes,
        "ranges": len(found.ranges),
        "blocks_by_order": {str(order): n for order, n in found.blocks_by_order.items()},
    }


def _area(area: ScratchArea) -> Document:
    not_a_node = Unknown(Cause.ABSENT, "not the area of a node")
    return {
        "role": area.role,
        "node": not_a_node if area.node is None else area.node,
        "address": area.address,
        "size": area.size,
    }


def _pkram(seen: PkramSeen | None) -> Maybe[Document]:
    if seen is None:
        return Unknown(Cause.ABSENT, "no sign of PKRAM")
    if isinstance(seen.image, Unknown):
        return seen.image
    nodes = seen.image.nodes
    return {
        "version": seen.image.version,
        "pfn": seen.pfn,
        "nodes": len(nodes),
        "page_bytes": sum(item.page_bytes for node in nodes for item in node.objects),
    }


def _kstate(seen: KstateSeen | None) -> Maybe[Document]:
    if seen is None:
        return Unknown(Cause.ABSENT, "no sign of a stream")
    if isinstance(seen.entries, Unknown):
        return seen.entries
    return {
        "version": seen.version,
        "place": text.escaped(seen.place),
        "entries": len(seen.entries),
        "cut": seen.cut,
    }


def _held(sessions: tuple[Session, ...]) -> int:
    """How many of them a process holds; the others wait in the previous kernel's records."""
    return sum(bool(item.holders) for item in sessions)


def finding_facts(finding: Finding) -> Document:
    """A finding."""
    return {
        "id": finding.id,
        "severity": finding.severity,
        "subject": text.escaped(finding.subject),
        "text": finding.text,
        "evidence": [
            {"path": text.escaped(item.path), "value": text.escaped(item.value)}
            for item in finding.evidence
        ],
        "remedy": finding.remedy or Unknown(Cause.ABSENT, "nothing to do"),
    }
