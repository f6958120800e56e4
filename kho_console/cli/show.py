"""The verbs that show: status, scratch, blobs, preserved, sessions, crash."""

from argparse import Namespace
from collections.abc import Iterable

from kho_console import documents, text
from kho_console.cli import exit_code, output
from kho_console.engine import crash as engine_crash
from kho_console.engine import residue
from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.trees import IN
from kho_console.model.blob import Blob, BlobState
from kho_console.model.finding import Finding
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Session, SessionFile
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown


def status(source: Source, wanted: Namespace) -> int:
    """The answer, its evidence, the findings."""
    snapshot = observe(source)
    findings = diagnose(snapshot)
    if wanted.json:
        output.document(documents.status(snapshot, findings))
        return exit_code.DONE
    for line in _status(snapshot):
        output.line(line)
    for finding in findings:
        output.line()
        for line in _finding(finding):
            output.line(line)
    return exit_code.DONE


def scratch(source: Source, wanted: Namespace) -> int:
    """The scratch areas."""
    snapshot = observe(source)
    if wanted.json:
        output.document(documents.scratch(snapshot))
    elif isinstance(snapshot.scratch, Unknown):
        output.say(f"scratch areas: {snapshot.scratch.reason}")
        return exit_code.NOT_AVAILABLE
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
        output.document(documents.blobs(snapshot))
        return exit_code.DONE
    for name, side in (("out", snapshot.outgoing), ("in", snapshot.incoming)):
        if isinstance(side, Unknown):
            output.line(f"{name}  {text.word(side)}: {side.reason}")
        elif isinstance(side.blobs, Unknown):
            output.line(f"{name}  {text.word(side.blobs)}: {side.blobs.reason}")
        else:
            output.table((_blob(name, item) for item in side.blobs), _BLOB_HEADS, right=(4,))
    return exit_code.DONE


def preserved(source: Source, wanted: Namespace) -> int:
    """The preserved memory, as contiguous ranges or cut by owner."""
    snapshot = observe(source)
    found, owned = _preserved(source, snapshot, wanted)
    if wanted.json:
        shape = (
            documents.extents(owned, unreliable=wanted.residue)
            if wanted.extents
            else documents.preserved(found, unreliable=wanted.residue)
        )
        output.document(shape)
    if isinstance(found, Unknown):
        output.say(f"preserved memory: {found.reason}")
        return exit_code.NOT_AVAILABLE
    if not wanted.json:
        if wanted.residue:
            output.say("this is residue of a map that the kernel has released: do not rely on it")
        output.line(_totals(found))
        for line in _extent_lines(owned) if wanted.extents else _range_lines(found):
            output.line(line)
    return exit_code.DONE


def sessions(source: Source, wanted: Namespace) -> int:
    """The live-update sessions."""
    snapshot = observe(source)
    if wanted.json:
        output.document(documents.sessions(snapshot))
        return exit_code.DONE
    found, waiting = snapshot.inventory.sessions, snapshot.inventory.waiting
    if isinstance(waiting, Unknown) and waiting.cause is not Cause.ABSENT:
        output.say(f"whether sessions of the previous kernel wait is not known: {waiting.reason}")
    if isinstance(found, Unknown):
        output.line(f"sessions: {text.word(found)}: {found.reason}")
    elif not found:
        output.line("no live-update session is held")
    else:
        output.table(
            (_session(item) for item in found), ("session", "direction", "holder", "files")
        )
    return exit_code.DONE


def crash(source: Source, wanted: Namespace) -> int:
    """What sysfs and iomem tell of the crash image."""
    snapshot = observe(source)
    seen = engine_crash.seen_events(source)
    if wanted.json:
        output.document(documents.crash(snapshot, seen))
        return exit_code.DONE
    kexec, memory = snapshot.kexec, snapshot.memory
    output.line(f"crash image   {_yes_no(kexec.crash_loaded, 'loaded', 'not loaded')}")
    output.line(f"reserved      {text.told(kexec.crash_size, text.exact)}")
    if isinstance(memory.crash_regions, Unknown):
        output.line(f"region        {text.word(memory.crash_regions)}")
    else:
        for region in memory.crash_regions:
            output.line(f"region        {text.address(region.start)}  {text.exact(region.size)}")
    output.line(f"elfcorehdr    {text.told(kexec.elfcorehdr_size, text.exact)} recommended")
    possible = snapshot.cpus.possible
    output.line(f"CPUs          {text.told(possible, lambda known: str(len(known)))} possible")
    output.line(f"events        {text.told(seen, lambda known: f'{len(known)} recorded')}")
    return exit_code.DONE


_BLOB_HEADS = ("side", "blob", "format", "compatible", "size", "address", "state")


def _preserved(
    source: Source, snapshot: Snapshot, wanted: Namespace
) -> tuple[Maybe[PreservedMap], Maybe[Ownership]]:
    if wanted.side != IN:
        return snapshot.outgoing.preserved, snapshot.inventory.ownership
    if not wanted.residue:
        side = snapshot.incoming
        found = side if isinstance(side, Unknown) else side.preserved
        return found, found if isinstance(found, Unknown) else snapshot.inventory.ownership
    left = residue.read(source, snapshot)
    return left, left if isinstance(left, Unknown) else residue.ownership(source, snapshot, left)


def _status(snapshot: Snapshot) -> Iterable[str]:
    host, generation = snapshot.machine, snapshot.generation
    yield (
        f"{text.escaped(host.hostname)}  {text.escaped(host.release)} "
        f"{text.escaped(host.architecture)}  {snapshot.source.kind} {snapshot.source.name}"
    )
    if snapshot.unavailable is None:
        yield f"handover   {generation.protocol}, {snapshot.state} ({generation.releases})"
    else:
        yield f"handover   {snapshot.state}: {snapshot.unavailable.reason}"
    yield f"booted     {_booted(snapshot)}"
    yield f"scratch    {_scratch(snapshot)}"
    yield f"outgoing   {_side(snapshot.outgoing)}"
    yield f"incoming   {text.told(snapshot.incoming, _side)}"
    yield f"sessions   {text.told(snapshot.inventory.sessions, lambda known: str(len(known)))}"
    yield f"image      {_yes_no(snapshot.kexec.loaded, 'loaded', 'not loaded')}"
    yield f"crash      {_yes_no(snapshot.kexec.crash_loaded, 'armed', 'not armed')}"


def _booted(snapshot: Snapshot) -> str:
    through = snapshot.booted_through_handover
    if isinstance(through, Unknown):
        return text.word(through)
    if not through:
        return "cold, or without a handover"
    release = text.told(snapshot.previous_release, lambda known: f"from {text.escaped(known)}")
    count = text.told(snapshot.kexec_count, lambda known: f"handover {known} of this chain")
    return f"through a handover, {release}, {count}"


def _scratch(snapshot: Snapshot) -> str:
    areas = snapshot.scratch
    if isinstance(areas, Unknown):
        return f"{text.word(areas)}: {areas.reason}"
    total = sum(area.size for area in areas)
    parts = (
        f"{text.scratch_role(area)} {text.size(area.size) if area.size else 'none'}"
        for area in areas
    )
    return f"{text.count(len(areas), 'area')}, {text.size(total)}: {', '.join(parts)}"


def _side(side: Side) -> str:
    tree = text.told(side.tree, lambda known: f"tree {text.told(known.compatible, text.escaped)}")
    names = text.told(
        side.blobs, lambda known: ", ".join(text.escaped(item.name) for item in known) or "none"
    )
    return f"{tree}; blobs {names}; preserved {text.told(side.preserved, _totals)}"


def _finding(finding: Finding) -> Iterable[str]:
    yield f"{finding.severity}: {finding.id} ({text.escaped(finding.subject)})"
    yield f"  {finding.text}"
    for item in finding.evidence:
        yield f"  seen: {text.escaped(item.path)}: {text.escaped(item.value)}"
    if finding.remedy:
        yield f"  do:   {finding.remedy}"


def _blob(side: str, blob: Blob) -> tuple[str, ...]:
    state = blob.state if blob.state is BlobState.VALID else f"{blob.state}: {blob.reason}"
    compatible = "" if blob.compatible is None else text.escaped(blob.compatible)
    return (
        side,
        text.escaped(blob.name),
        blob.format,
        compatible,
        f"{blob.size:,}",
        text.told(blob.address, text.address),
        state,
    )


def _totals(found: PreservedMap) -> str:
    return f"{text.exact(found.bytes)} in {text.count(len(found.ranges), 'range')}"


def _range_lines(found: PreservedMap) -> Iterable[str]:
    return (f"{text.address(item.start)}  {text.exact(item.size)}" for item in found.ranges)


def _extent_lines(owned: Maybe[Ownership]) -> Iterable[str]:
    if isinstance(owned, Unknown):
        return (owned.reason,)
    return (
        f"{text.address(item.range.start)}  {text.size(item.range.size):>10}  "
        f"{text.owner(item.owner)}"
        for item in owned
    )


def _session(session: Session) -> tuple[str, ...]:
    holder = "none"
    if session.holders:
        first = session.holders[0]
        more = f" and {len(session.holders) - 1} more" if len(session.holders) > 1 else ""
        holder = f"{first.pid} {text.escaped(first.command)}{more}"
    files = text.told(session.files, lambda known: ", ".join(map(_file, known)) or "none")
    return text.escaped(session.name), session.direction, holder, files


def _file(item: SessionFile) -> str:
    size = text.told(item.size, text.size)
    return f"{text.token(item.token)} {text.escaped(item.handler)} {size}"


def _yes_no(value: Maybe[bool], yes: str, no: str) -> str:
    return text.told(value, lambda known: yes if known else no)
