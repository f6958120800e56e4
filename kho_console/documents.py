"""Snapshots as JSON documents; `kho_console/schemas` holds their schemas.

Keys are snake_case, addresses and sizes integers, names escaped. A value that is not known is
null, and the key with `_reason` behind it says why.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kho_console import text
from kho_console.model.action import Action, NotApplicable
from kho_console.model.blob import Blob
from kho_console.model.change import described
from kho_console.model.check import Check
from kho_console.model.event import Event, EventsLost
from kho_console.model.finding import Finding
from kho_console.model.generation import Finalize, MapFormat, Protocol
from kho_console.model.image import ImageWords
from kho_console.model.memory import MemoryRange, ScratchArea
from kho_console.model.outcome import Explained, Outcome
from kho_console.model.owner import Extent, Owner, OwnerKind
from kho_console.model.preflight import Preflight
from kho_console.model.preserved import PreservedMap
from kho_console.model.record import Damage, Record
from kho_console.model.session import Session
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.tree import FlatTree, RootTree, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown

Document = dict[str, Any]

Difference = tuple[str, str | int | None, str | int | None]
"""A key of the document of `status`, what it is now and what it would be."""

_SCHEMA = 1
_NOT_READ = Unknown(Cause.NOT_YET, "the crash image's ELF core header is not read by this verb")


def status(snapshot: Snapshot, findings: Iterable[Finding], verdict: Mapping[str, str]) -> Document:
    """The whole answer in one document.

    Args:
        snapshot: The machine.
        findings: What is worth attention.
        verdict: Whether the next reboot would hand over: `standing`, `sentence`, `detail`.
    """
    host = snapshot.machine
    return _document(
        verdict=verdict,
        source={"kind": snapshot.source.kind, "name": text.escaped(snapshot.source.name)},
        kernel={
            "release": text.escaped(host.release),
            "machine": text.escaped(host.architecture),
            "page_size": host.page_size,
        },
        handover=_handover(snapshot),
        scratch=_each(snapshot.scratch, _area),
        outgoing=_side(snapshot.outgoing),
        incoming=_map(snapshot.incoming, _side),
        sessions={
            "held": _map(snapshot.inventory.sessions, _held),
            "waiting": snapshot.inventory.waiting,
        },
        kexec={
            "loaded": snapshot.kexec.loaded,
            "crash_loaded": snapshot.kexec.crash_loaded,
            "crash_size": snapshot.kexec.crash_size,
            "elfcorehdr_size": snapshot.kexec.elfcorehdr_size,
        },
        findings=[_finding(item) for item in findings],
    )


def scratch(snapshot: Snapshot) -> Document:
    """The scratch areas."""
    return _document(scratch=_each(snapshot.scratch, _area))


def blobs(snapshot: Snapshot) -> Document:
    """The blobs of both sides with their decoded fields."""
    return _document(
        outgoing=_each(snapshot.outgoing.blobs, _blob_whole),
        incoming=_map(snapshot.incoming, lambda side: _each(side.blobs, _blob_whole)),
    )


def ranges(
    found: Maybe[Iterable[MemoryRange]], *, unreliable: bool = False, filtered: str | None = None
) -> Document:
    """Preserved bytes, contiguous and ascending; `filtered` are the words of a filter."""
    items = _map(found, lambda known: [_range(item) for item in known])
    return _document(**_reliability(unreliable), **_filter(filtered), ranges=items)


def extents(
    found: Maybe[Iterable[Extent]],
    orders: Callable[[MemoryRange], Iterable[int]] | None = None,
    *,
    unreliable: bool = False,
    filtered: str | None = None,
) -> Document:
    """Preserved bytes cut where their owner changes, ascending.

    Args:
        found: The extents.
        orders: The orders of the blocks that make up a range; None leaves them out.
        unreliable: Whether they are residue.
        filtered: The words of a filter.
    """

    def row(item: Extent) -> Document:
        more = {} if orders is None else {"orders": list(orders(item.range))}
        return {**_range(item.range), **more, "owner": _owner(item.owner)}

    rows = _map(found, lambda known: [row(item) for item in known])
    return _document(**_reliability(unreliable), **_filter(filtered), extents=rows)


def shares(found: Iterable[tuple[Owner, int, int]], *, filtered: str | None = None) -> Document:
    """What each owner has: owner, bytes, extents."""
    rows = [
        {"owner": _owner(owner), "bytes": size, "extents": count} for owner, size, count in found
    ]
    return _document(**_filter(filtered), owners=rows)


def sessions(snapshot: Snapshot) -> Document:
    """Live-update sessions."""
    inventory = snapshot.inventory
    return _document(sessions=_each(inventory.sessions, _session), waiting=inventory.waiting)


def crash(snapshot: Snapshot, seen: Maybe[list[Event | EventsLost]]) -> Document:
    """What sysfs and iomem tell of a crash image."""
    return _document(
        armed=snapshot.kexec.crash_loaded,
        cpus={"noted": _NOT_READ, "possible": _map(snapshot.cpus.possible, len)},
        crash_size=snapshot.kexec.crash_size,
        elfcorehdr_size=snapshot.kexec.elfcorehdr_size,
        regions=_each(snapshot.memory.crash_regions, _range),
        elfcorehdr=_NOT_READ,
        coverage=_NOT_READ,
        events=_map(seen, _events),
    )


def tree(side: str, name: bytes | None, found: FlatTree) -> Document:
    """A device tree with the bytes of every value."""
    return _document(
        side=side,
        name=Unknown(Cause.ABSENT, "the root tree") if name is None else text.escaped(name),
        bytes=found.size,
        totalsize=found.totalsize,
        truncated=found.truncated,
        faults=[
            {"offset": item.offset, "reason": text.escaped(item.reason)} for item in found.faults
        ],
        root=_node(found.root),
    )


def struct(side: str, blob: Blob) -> Document:
    """A blob that is no tree: its fields and its bytes."""
    content = _map(blob.content, bytes.hex)
    return _document(side=side, content=content, **_blob_whole(blob))


def checks(answers: Iterable[Check]) -> Document:
    """Checks with their answers."""
    return _document(checks=_checks(answers))


def preflight(found: Preflight) -> Document:
    """Whether a machine may hand over to an image.

    The words of an image that could not be read are empty, with a reason.
    """
    image = found.image
    return _document(
        verdict=found.verdict,
        image={
            "format": image.format,
            "release": _map(image.release, text.escaped),
            **_words(image.words),
            "complete": image.complete,
        },
        checks=_checks(found.checks),
    )


def _words(words: Maybe[ImageWords]) -> Document:
    if not isinstance(words, Unknown):
        return {"kho": list(words.kho), "luo": list(words.luo), "memfd": list(words.memfd)}
    why = text.reason(words)
    nothing: Document = {"kho": [], "luo": [], "memfd": []}
    return nothing | {f"{kind}_reason": why for kind in nothing}


def action(
    found: Action, ended: Maybe[Outcome], predicted: Maybe[Iterable[tuple[str, Any, Any]]]
) -> Document:
    """An action, with how it ended or why it was not done.

    Args:
        found: The action.
        ended: How it ended.
        predicted: What would be different in `status`: key, value before, value after.
    """
    return _document(
        action={
            "name": found.name,
            "title": found.title,
            "changes": [_change(item) for item in map(described, found.changes)],
            "preconditions": _checks(found.preconditions),
            "expects": [
                {
                    "path": text.escaped(item.path),
                    "value": _content(item.value),
                    "before": _content(item.before),
                }
                for item in found.expects
            ],
            "effects": list(found.effects),
            "undone_by": found.undone_by or Unknown(Cause.ABSENT, "nothing undoes it"),
            "risk": found.risk,
        },
        not_applicable=Unknown(Cause.ABSENT, "it applies"),
        outcome=_map(ended, _outcome),
        predicted=_each(predicted, _difference),
    )


def not_applicable(found: NotApplicable) -> Document:
    """Why there is no such action here."""
    reason = Unknown(Cause.UNSUPPORTED, found.reason)
    said = {
        "name": found.name,
        "reason": text.escaped(found.reason),
        "instead": text.escaped(found.instead),
    }
    return _document(action=reason, not_applicable=said, outcome=reason, predicted=reason)


def journal(records: Iterable[Record], damage: Iterable[Damage]) -> Document:
    """What was done to the machine, oldest first."""
    return _document(
        records=[_record(item) for item in records],
        damage=[{"line": item.line, "reason": item.reason} for item in damage],
    )


def _document(**content: object) -> Document:
    return {"schema": _SCHEMA, **_plain(content)}


def _plain(content: Mapping[str, object]) -> Document:
    """JSON values; an Unknown becomes null with its reason beside it."""
    found: Document = {}
    for key, value in content.items():
        if isinstance(value, Unknown):
            found[key] = None
            found[f"{key}_reason"] = text.reason(value)
        elif isinstance(value, Mapping):
            found[key] = _plain(value)
        elif isinstance(value, list | tuple):
            found[key] = [_plain(item) if isinstance(item, Mapping) else item for item in value]
        else:
            found[key] = text.harmless(value) if isinstance(value, str) else value
    return found


def _map(value: Maybe[Any], shape: Any) -> Any:
    return value if isinstance(value, Unknown) else shape(value)


def _each(value: Maybe[Iterable[Any]], shape: Any) -> Any:
    return value if isinstance(value, Unknown) else [shape(item) for item in value]


def _reliability(unreliable: bool) -> Document:
    return {"unreliable": "residue of a map that the kernel released"} if unreliable else {}


def _filter(words: str | None) -> Document:
    return {"filter": text.escaped(words)} if words else {}


def _handover(snapshot: Snapshot) -> Document:
    return {
        "generation": snapshot.generation.protocol,
        "map_format": map_format(snapshot),
        "finalize": snapshot.generation.finalize,
        "state": snapshot.state,
        "booted_through_handover": snapshot.booted_through_handover,
        "previous_release": _map(snapshot.previous_release, text.escaped),
        "kexec_count": snapshot.kexec_count,
        "releases": snapshot.generation.releases,
    }


def map_format(snapshot: Snapshot) -> Maybe[MapFormat]:
    """The format of the map: as read, or the only one that this generation has."""
    found = snapshot.inventory.preserved
    if not isinstance(found, Unknown):
        return found.format
    generation = snapshot.generation
    known = generation.protocol in (Protocol.KHO_V3, Protocol.KHO_V4)
    return MapFormat.RADIX if known and generation.finalize is Finalize.NONE else found


def _side(side: Side) -> Document:
    return {
        "blobs": _each(side.blobs, _blob),
        "tree": _map(side.tree, _tree_facts),
        "preserved": _map(side.preserved, _totals),
    }


def _tree_facts(found: RootTree) -> Document:
    return {
        "compatible": _map(found.compatible, text.escaped),
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


def _range(found: MemoryRange) -> Document:
    return {"address": found.start, "size": found.size}


def _blob(blob: Blob) -> Document:
    return {
        "name": text.escaped(blob.name),
        "size": blob.size,
        "format": blob.format,
        "compatible": Unknown(Cause.ABSENT, "it carries no compatible word")
        if blob.compatible is None
        else text.escaped(blob.compatible),
        "state": blob.state,
        "reason": text.escaped(blob.reason),
        "address": blob.address,
    }


def _blob_whole(blob: Blob) -> Document:
    return {
        **_blob(blob),
        "fields": [
            {
                "path": text.escaped(item.path),
                "offset": item.offset,
                "size": item.size,
                "value": text.escaped(item.value) if isinstance(item.value, bytes) else item.value,
            }
            for item in blob.fields
        ],
    }


def _owner(owner: Owner) -> Document:
    return {
        "kind": owner.kind,
        "name": text.escaped(owner.name),
        "session": _session_of(owner),
        "text": text.owner(owner),
    }


def _session_of(owner: Owner) -> Maybe[str]:
    if owner.kind is not OwnerKind.MEMFD:
        return Unknown(Cause.ABSENT, "not a memfd")
    if owner.session is None:
        return Unknown(Cause.ABSENT, "session unknown")
    return text.escaped(owner.session)


def _held(sessions: tuple[Session, ...]) -> int:
    """How many of them a process holds; the others wait in the previous kernel's records."""
    return sum(bool(item.holders) for item in sessions)


def _session(session: Session) -> Document:
    holders = [{"pid": item.pid, "command": text.escaped(item.command)} for item in session.holders]
    nobody = Unknown(Cause.ABSENT, "no process holds it: read from the previous kernel's records")
    return {
        "name": text.escaped(session.name),
        "direction": session.direction,
        "holder": holders[0] if holders else nobody,
        "holders": holders,
        "files": _each(
            session.files,
            lambda item: {
                "token": item.token,
                "handler": text.escaped(item.handler),
                "size": item.size,
            },
        ),
    }


def _finding(finding: Finding) -> Document:
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


def _events(seen: list[Event | EventsLost]) -> Document:
    lost = sum(isinstance(item, EventsLost) for item in seen)
    return {"seen": len(seen) - lost, "lost": lost}


def _node(root: TreeNode) -> Document:
    return {
        "name": text.escaped(root.name),
        "properties": [
            {"name": text.escaped(item.name), "value": item.value.hex(), "offset": item.offset}
            for item in root.properties
        ],
        "children": [_node(child) for child in root.children],
    }


def _checks(answers: Iterable[Check]) -> list[Document]:
    nothing = Unknown(Cause.ABSENT, "none needed")
    return [
        {
            "id": item.id,
            "result": item.result,
            "text": text.escaped(item.text),
            "evidence": text.escaped(item.evidence) if item.evidence else nothing,
            "remedy": text.escaped(item.remedy) if item.remedy else nothing,
        }
        for item in answers
    ]


def _change(told: Mapping[str, str | int | None]) -> Document:
    nothing = Unknown(Cause.ABSENT, "none is given")
    return {key: nothing if value is None else _escaped(value) for key, value in told.items()}


def _escaped(value: str | int) -> str | int:
    return text.escaped(value) if isinstance(value, str) else value


def _content(value: str | None) -> Maybe[str]:
    """What a file holds."""
    return Unknown(Cause.ABSENT, "it is not there") if value is None else text.escaped(value)


def _outcome(ended: Outcome) -> Document:
    refused = Unknown(Cause.ABSENT, "the kernel did not refuse")
    return {
        "ending": ended.ending,
        "text": text.escaped(ended.text),
        "found": [
            {
                "path": text.escaped(item.path),
                "expected": _content(item.expected),
                "found": _content(item.found),
                "telling": item.telling,
            }
            for item in ended.found
        ],
        "explained": refused if ended.explained is None else _explained(ended.explained),
        "obstacles": _checks(ended.obstacles),
    }


def differences(before: Document, after: Document) -> tuple[Difference, ...]:
    """The keys of two documents of `status` that are not the same."""
    was, would = dict(_leaves(before)), dict(_leaves(after))
    keys = dict.fromkeys((*was, *would))
    return tuple(
        (key, was.get(key), would.get(key)) for key in keys if was.get(key) != would.get(key)
    )


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str | int | None]]:
    """Every value of a document by its whole key; members of lists by their name, else number."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not name.endswith("_reason"):
                yield from _leaves(item, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("name", number) if isinstance(item, dict) else number
            yield from _leaves(item, f"{key}[{name}]")
    else:
        yield key, value


def _difference(found: Difference) -> Document:
    key, before, after = found
    nothing = Unknown(Cause.ABSENT, "nothing is there")
    return {
        "key": key,
        "before": nothing if before is None else before,
        "after": nothing if after is None else after,
    }


def _explained(found: Explained) -> Document:
    return {
        "errno": found.name,
        "number": found.number,
        "call": text.escaped(found.call),
        "text": text.escaped(found.text),
        "advice": text.escaped(found.advice),
        "evidence": [text.escaped(item) for item in found.evidence],
        "log": [text.escaped(item) for item in found.log],
    }


def _record(record: Record) -> Document:
    who = {"uid": record.who.uid, "user": text.escaped(record.who.user)} | {
        key: Unknown(Cause.ABSENT, "not told") if value is None else text.escaped(value)
        for key, value in (
            ("login", record.who.login),
            ("tty", record.who.tty),
            ("ssh", record.who.ssh),
        )
    }
    not_written = Unknown(Cause.ABSENT, "its end was not written")
    not_refused = Unknown(Cause.ABSENT, "the kernel did not refuse")
    return {
        "id": text.escaped(record.id),
        "at": text.escaped(record.at),
        "ended": not_written if record.ended is None else text.escaped(record.ended),
        "boot": text.escaped(record.boot),
        "host": text.escaped(record.host),
        "source": text.escaped(record.source),
        "who": who,
        "action": text.escaped(record.action),
        "changes": [_change(item) for item in record.changes],
        "standing": record.standing,
        "text": text.escaped(record.text),
        "errno": not_refused if record.errno is None else text.escaped(record.errno),
        "found": [
            {"path": text.escaped(path), "value": _content(value)} for path, value in record.found
        ],
    }
