"""The verbs that show one thing: scratch, blobs, sessions."""

from argparse import Namespace
from collections.abc import Iterable

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.documents import contents, machine
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.paths import IN, OUT
from kho_console.model.blob import Blob
from kho_console.model.session import Session, SessionFile
from kho_console.model.snapshot import Side
from kho_console.model.unknown import Maybe, Unknown


def scratch(source: Source, wanted: Namespace) -> int:
    """The scratch areas."""
    snapshot = observe(source)
    if wanted.json:
        output.document(machine.scratch(snapshot))
    elif isinstance(snapshot.scratch, Unknown):
        output.line(f"scratch areas: {text.why(snapshot.scratch)}")
    else:
        rows = (
            (
                text.scratch_role(area),
                text.address(area.address) if area.size else "not reserved",
                text.exact(area.size),
            )
            for area in snapshot.scratch
        )
        output.table(rows, ("area", "address", "size"))
    return exit_code.DONE


def blobs(source: Source, wanted: Namespace) -> int:
    """The blobs of both sides."""
    snapshot = observe(source)
    if wanted.json:
        output.document(contents.blobs(snapshot))
        return exit_code.DONE
    outgoing, incoming = _blobs_of(snapshot.outgoing), _blobs_of(snapshot.incoming)
    _without_blobs(OUT, outgoing)
    rows = [
        _blob(name, item)
        for name, found in ((OUT, outgoing), (IN, incoming))
        if not isinstance(found, Unknown)
        for item in found
    ]
    if rows:
        heads = ("side", "blob", "format", "compatible", "size", "address", "state")
        output.table(rows, heads, right=(4,))
    _without_blobs(IN, incoming, cold=snapshot.booted_through_handover is False)
    return exit_code.DONE


def sessions(source: Source, wanted: Namespace) -> int:
    """The live-update sessions."""
    snapshot = observe(source)
    if wanted.json:
        output.document(contents.sessions(snapshot))
        return exit_code.DONE
    output.line(text.sessions(snapshot))
    files = text.memory_files(snapshot.inventory.ownership)
    if files is not None:
        output.line(files)
    found = snapshot.inventory.sessions
    if isinstance(found, Unknown) or not found:
        return exit_code.DONE
    output.line()
    output.table(map(_session, found), ("session", "direction", "holder", "files"))
    reasons = (text.why(item.files) for item in found if isinstance(item.files, Unknown))
    for reason in dict.fromkeys(reasons):
        output.line(f"files {reason}")
    return exit_code.DONE


def _blobs_of(side: Maybe[Side]) -> Maybe[tuple[Blob, ...]]:
    return side if isinstance(side, Unknown) else side.blobs


def _without_blobs(name: str, found: Maybe[tuple[Blob, ...]], *, cold: bool = False) -> None:
    """Say why a side has no row in the table."""
    if isinstance(found, Unknown):
        output.line(f"{name:<4}  {text.no_side(found, cold=cold)}")
    elif not found:
        output.line(f"{name:<4}  no blob")


def _blob(side: str, blob: Blob) -> tuple[str, ...]:
    return (
        side,
        text.escaped(blob.name),
        blob.format,
        "" if blob.compatible is None else text.escaped(blob.compatible),
        text.told(blob.size, lambda known: f"{known:,}"),
        text.told(blob.address, text.address),
        text.blob_state(blob),
    )


def _session(session: Session) -> tuple[str, ...]:
    holder = "nobody"
    if session.holders:
        first = session.holders[0]
        more = f" and {len(session.holders) - 1} more" if len(session.holders) > 1 else ""
        holder = f"{first.pid} {text.escaped(first.command)}{more}"
    files = text.told(session.files, lambda known: ", ".join(_files(known)) or "none")
    return text.escaped(session.name), session.direction, holder, files


def _files(known: Iterable[SessionFile]) -> Iterable[str]:
    for item in known:
        size = text.told(item.size, text.size)
        yield f"{text.token(item.token)} {text.escaped(item.handler)} {size}"
