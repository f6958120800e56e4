"""What is worth an operator's attention on a machine, worst first."""

from kho_console.engine.findings import (
    arrival,
    availability,
    blobs,
    crash,
    dump,
    hotplug,
    inline_state,
    kernel_warnings,
    kexec,
    lifecycle,
    liveupdate,
    mechanisms,
    options,
    preserved,
    reserved,
    scratch,
    sessions,
    tree,
)
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Rule
from kho_console.model.finding import Finding
from kho_console.model.snapshot import Snapshot

CATALOGUE: tuple[Rule, ...] = (
    *availability.RULES,
    *arrival.RULES,
    *lifecycle.RULES,
    *scratch.RULES,
    *preserved.RULES,
    *hotplug.RULES,
    *tree.RULES,
    *inline_state.RULES,
    *blobs.RULES,
    *reserved.RULES,
    *sessions.RULES,
    *liveupdate.RULES,
    *kernel_warnings.RULES,
    *kexec.RULES,
    *crash.RULES,
    *dump.RULES,
    *options.RULES,
    *mechanisms.RULES,
)
"""All rules, in the order in which findings of one severity are shown."""


def diagnose(snapshot: Snapshot) -> tuple[Finding, ...]:
    """The findings on a machine, errors first; within a severity in the order of the catalogue."""
    facts = Facts.of(snapshot)
    findings = [finding for rule in CATALOGUE for finding in rule.apply(facts)]
    return tuple(sorted(findings, key=lambda finding: -finding.severity.rank))
