"""Snapshots of recorded machines, as they were and with a few files changed."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.model.finding import Finding, Severity
from kho_console.model.snapshot import Snapshot
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder

Machine = Callable[[Path], Snapshot]
"""Makes a snapshot; the folder is its own to write into."""

KHO = "/sys/kernel/debug/kho"


@dataclass(frozen=True)
class Case:
    """A rule with a machine on which it speaks, and machines on which it is silent.

    Attributes:
        id: The rule.
        severity: How bad its finding is.
        evidence: A path and value that must be among what it shows.
        fires: The machine on which it speaks.
        silent: Machines like that one except for what matters.
    """

    id: str
    severity: Severity
    evidence: tuple[str, str]
    fires: Machine
    silent: tuple[Machine, ...]


@lru_cache
def recorded(name: str) -> Snapshot:
    """A recording as it is."""
    return observe(FixtureSource(folder(name)))


def plain(name: str) -> Machine:
    """The machine of a recording."""
    return lambda place: recorded(name)


def edited(
    name: str,
    files: Mapping[str, str | bytes | None] | None = None,
    *,
    log: str | None = None,
    physmem: bool = True,
    unreadable: Mapping[str, int] | None = None,
    **manifest: object,
) -> Machine:
    """A recording with other files (None: none at all), kernel log or manifest."""

    def make(place: Path) -> Snapshot:
        copy = place / "machine"
        if copy.exists():
            shutil.rmtree(copy)
        shutil.copytree(folder(name), copy)
        for path, content in (files or {}).items():
            _put(copy / "root" / path[1:], content)
        if log is not None:
            (copy / "kmsg.txt").write_text(f"[    0.000000] {log}\n")
        if not physmem:
            shutil.rmtree(copy / "physmem")
        wanted = json.loads((copy / "manifest.json").read_text())
        errors = [{"path": path, "errno": number} for path, number in (unreadable or {}).items()]
        wanted["unreadable"] += errors
        (copy / "manifest.json").write_text(json.dumps(wanted | manifest))
        return observe(FixtureSource(copy))

    return make


def found(snapshot: Snapshot, wanted: str) -> list[Finding]:
    """The findings of one rule."""
    return [finding for finding in diagnose(snapshot) if finding.id == wanted]


def check(case: Case, place: Path) -> None:
    """The rule speaks where it should, with its evidence, and nowhere else."""
    findings = found(case.fires(place), case.id)
    assert findings
    assert {finding.severity for finding in findings} == {case.severity}
    shown = {(item.path, item.value) for finding in findings for item in finding.evidence}
    assert case.evidence in shown
    for machine in case.silent:
        assert not found(machine(place), case.id)


def _put(place: Path, content: str | bytes | None) -> None:
    if content is None:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
