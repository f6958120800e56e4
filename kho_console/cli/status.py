"""The verb `status`: the answer, what it rests on, the findings."""

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict

from kho_console import text, text_mechanisms
from kho_console.cli import exit_code, output
from kho_console.documents import machine as documents
from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.verdict import Verdict, judge
from kho_console.model.finding import Finding
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Unknown


def status(source: Source, wanted: Namespace) -> int:
    """Whether the next reboot would hand over, the evidence, the findings."""
    snapshot = observe(source)
    findings = diagnose(snapshot)
    verdict = judge(snapshot, findings)
    if wanted.json:
        output.document(documents.status(snapshot, findings, asdict(verdict)))
        return exit_code.DONE
    for line in (*_answer(verdict), *_evidence(snapshot)):
        output.line(line)
    output.line(f"findings   {text.findings(findings)}")
    for finding in findings:
        output.line()
        for line in _finding(finding):
            output.line(line)
    return exit_code.DONE


def findings(source: Source, wanted: Namespace) -> int:
    """The findings alone."""
    found = diagnose(observe(source))
    output.line(f"findings   {text.findings(found)}")
    for finding in found:
        output.line()
        for line in _finding(finding):
            output.line(line)
    return exit_code.DONE


def _answer(verdict: Verdict) -> Iterable[str]:
    yield f"HANDOVER   {verdict.standing}: {verdict.sentence}"
    if verdict.detail:
        yield f"           {verdict.detail}"


def _evidence(snapshot: Snapshot) -> Iterable[str]:
    host, generation = snapshot.machine, snapshot.generation
    yield (
        f"machine    {text.escaped(host.hostname)}  {text.escaped(host.release)} "
        f"{text.escaped(host.architecture)}  {snapshot.source.kind} "
        f"{text.escaped(snapshot.source.name)}"
    )
    if snapshot.source.moment is not None:
        yield f"moment     {text.which(snapshot.source.moment)}"
    if snapshot.unavailable is None:
        stands = generation.standing(snapshot.state)
        yield f"mechanism  {generation.protocol}, {stands} ({generation.releases})"
    else:
        yield f"mechanism  {snapshot.state}: {text.reason(snapshot.unavailable)}"
    if snapshot.mechanisms.pkram is not None:
        yield f"PKRAM      {text_mechanisms.pkram(snapshot.mechanisms.pkram)}"
    if snapshot.mechanisms.kstate is not None:
        yield f"kstate     {text_mechanisms.kstate(snapshot.mechanisms.kstate)}"
    yield f"booted     {_booted(snapshot)}"
    yield f"scratch    {_scratch(snapshot)}"
    yield f"outgoing   {_side(snapshot.outgoing)}"
    yield f"incoming   {_incoming(snapshot)}"
    yield f"sessions   {text.sessions(snapshot)}"
    yield f"image      {text.explained(snapshot.kexec.loaded, _loaded)}"
    yield f"crash      {text.armed(snapshot.kexec.crash_loaded)}"


def _booted(snapshot: Snapshot) -> str:
    through = snapshot.booted_through_handover
    if isinstance(through, Unknown):
        return text.why(through)
    if not through:
        return "cold, or without a handover"
    parts = ["through a handover"]
    if not isinstance(snapshot.previous_release, Unknown):
        parts.append(f"from {text.escaped(snapshot.previous_release)}")
    if not isinstance(snapshot.kexec_count, Unknown):
        parts.append(text.chain(snapshot.kexec_count))
    return ", ".join(parts)


def _scratch(snapshot: Snapshot) -> str:
    areas = snapshot.scratch
    if isinstance(areas, Unknown):
        return text.why(areas)
    parts = (
        f"{text.scratch_role(area)} {text.size(area.size) if area.size else 'none'}"
        for area in areas
    )
    total = text.size(text.total(areas))
    return f"{text.count(len(areas), 'area')}, {total}: {', '.join(parts)}"


def _incoming(snapshot: Snapshot) -> str:
    side = snapshot.incoming
    if isinstance(side, Unknown):
        return text.no_side(side, cold=snapshot.booted_through_handover is False)
    return _side(side)


def _side(side: Side) -> str:
    tree = text.told(side.tree, lambda known: text.told(known.compatible, text.escaped))
    names = text.told(
        side.blobs, lambda known: ", ".join(text.escaped(item.name) for item in known) or "none"
    )
    return f"tree {tree}; blobs {names}; preserved {text.explained(side.preserved, text.preserved)}"


def _loaded(loaded: bool) -> str:
    return "loaded" if loaded else "not loaded"


def _finding(finding: Finding) -> Iterable[str]:
    yield f"{finding.severity}: {finding.id} ({text.escaped(finding.subject)})"
    yield f"  {finding.text}"
    for item in finding.evidence:
        yield f"  seen: {text.escaped(item.path)}: {text.escaped(item.value)}"
    if finding.remedy:
        yield f"  do:   {finding.remedy}"
