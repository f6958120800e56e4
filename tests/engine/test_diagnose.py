"""All rules together: what they say of every recording, and that each one can speak."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.engine.diagnose import CATALOGUE, diagnose
from kho_console.model.finding import About, Severity, Thing
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from tests.engine import (
    test_findings_availability,
    test_findings_boot,
    test_findings_crash,
    test_findings_hotplug,
    test_findings_inline,
    test_findings_kernel_warnings,
    test_findings_lifecycle,
    test_findings_mechanisms,
    test_findings_memory,
    test_findings_producers,
)
from tests.engine.machines import Case, recorded
from tests.recordings import RECORDINGS

IDS = tuple(rule.id for rule in CATALOGUE)

ALWAYS_618 = {"scratch-zero", "liveupdate-not-built"}
"""No global area, and liveupdate=on for a kernel that does not know it."""

WARNED_618 = ALWAYS_618 | {"kernel-warning"}
"""kho_abort of 6.18 frees what it should not, and the kernel says so."""

ALWAYS_7 = {"scratch-zero", "stateless"}
HANDED_OVER_72 = {
    *("stateless", "tree-hidden", "blob-stale", "sessions-unlisted", "crash-not-reserved"),
}
STAGED = {"tree-window", "device-held", "sessions-without-image"}

EXPECTED = {
    "linux-6.17.8/cold": {"liveupdate-not-built", "not-finalized", "crash-not-loaded"},
    "linux-6.17.8/finalized": {
        *("liveupdate-not-built", "finalized-blocks-preserve", "crash-not-loaded"),
    },
    "linux-6.17.8/aborted": {"liveupdate-not-built", "not-finalized", "crash-not-loaded"},
    "linux-6.17.8/crash-loaded": {"liveupdate-not-built", "finalized-blocks-preserve"},
    "linux-6.17.8/ready": {
        *("liveupdate-not-built", "finalized-blocks-preserve"),
        *("image-loaded-maybe-before-finalize", "reboot-will-kexec"),
    },
    # The small scratch areas of these guests have no room for crashkernel=256M.
    "linux-6.17.8/restored": {"liveupdate-not-built", "not-finalized", "crash-not-reserved"},
    "linux-6.18.15/cold": ALWAYS_618 | {"not-finalized", "crash-not-loaded"},
    "linux-6.18.15/finalized": ALWAYS_618 | {"finalized-blocks-preserve", "crash-not-loaded"},
    "linux-6.18.15/aborted": WARNED_618 | {"not-finalized", "crash-not-loaded"},
    "linux-6.18.15/loaded-first": WARNED_618
    | {"not-finalized", "crash-not-loaded", "image-before-finalize", "reboot-will-kexec"},
    "linux-6.18.15/crash-loaded": WARNED_618 | {"finalized-blocks-preserve"},
    "linux-6.18.15/hotplugged": WARNED_618 | {"finalized-blocks-preserve"},
    "linux-6.18.15/ready": WARNED_618
    | {"finalized-blocks-preserve", "image-loaded-maybe-before-finalize", "reboot-will-kexec"},
    "linux-6.18.15/restored": ALWAYS_618 | {"not-finalized", "crash-not-loaded"},
    "linux-6.19.11/cold": {"tree-window", "not-finalized", "crash-not-loaded"},
    "linux-6.19.11/sessions": STAGED | {"not-finalized", "crash-not-loaded"},
    "linux-6.19.11/finalized": STAGED | {"crash-not-loaded"},
    "linux-6.19.11/crash-loaded": STAGED,
    "linux-6.19.11/ready": {"tree-window", "device-held", "reboot-will-kexec"},
    "linux-6.19.11/restored": {
        *("tree-hidden", "sessions-waiting", "not-finalized", "crash-not-reserved"),
    },
    "linux-6.19.11/retrieved": {"tree-hidden", "not-finalized", "crash-not-reserved"},
    "linux-7.1.13/cold": ALWAYS_7 | {"tree-window", "crash-not-loaded"},
    "linux-7.1.13/sessions": ALWAYS_7 | STAGED | {"crash-not-loaded"},
    "linux-7.1.13/crash-loaded": ALWAYS_7 | STAGED,
    "linux-7.1.13/hotplugged": ALWAYS_7 | STAGED,
    "linux-7.1.13/ready": ALWAYS_7 | {"tree-window", "device-held", "reboot-will-kexec"},
    "linux-7.1.13/restored": ALWAYS_7 | {"tree-hidden", "sessions-waiting", "crash-not-loaded"},
    "linux-7.1.13/retrieved": ALWAYS_7
    | {"tree-hidden", "device-held", "sessions-unlisted", "crash-not-loaded"},
    "linux-7.2.13/cold": {"stateless", "tree-window", "crash-not-loaded"},
    "linux-7.2.13/sessions": {"stateless", "crash-not-loaded"} | STAGED,
    "linux-7.2.13/crash-loaded": {"stateless"} | STAGED,
    "linux-7.2.13/ready": {"stateless", "tree-window", "device-held", "reboot-will-kexec"},
    "linux-7.2.13/restored": HANDED_OVER_72,
    "linux-7.2.13/retrieved": HANDED_OVER_72,
    "linux-7.3.4/cold": ALWAYS_7 | {"tree-window", "crash-not-loaded"},
    "linux-7.3.4/sessions": ALWAYS_7 | STAGED | {"crash-not-loaded"},
    "linux-7.3.4/crash-loaded": ALWAYS_7 | STAGED,
    "linux-7.3.4/hotplugged": ALWAYS_7 | STAGED,
    "linux-7.3.4/ready": ALWAYS_7 | {"tree-window", "device-held", "reboot-will-kexec"},
    # 7.2 and later free the page of the incoming LUO struct: first it is intact, then it is not.
    "linux-7.3.4/restored": ALWAYS_7
    | {"tree-hidden", "sessions-waiting", "blob-released-intact", "crash-not-loaded"},
    "linux-7.3.4/retrieved": ALWAYS_7
    | {"tree-hidden", "device-held", "sessions-unlisted", "blob-stale", "crash-not-loaded"},
}

CASES = (
    *test_findings_availability.CASES,
    *test_findings_boot.CASES,
    *test_findings_crash.CASES,
    *test_findings_hotplug.CASES,
    *test_findings_inline.CASES,
    *test_findings_kernel_warnings.CASES,
    *test_findings_lifecycle.CASES,
    *test_findings_mechanisms.CASES,
    *test_findings_memory.CASES,
    *test_findings_producers.CASES,
)

ABOUT_NOT_KNOWING = {
    "generation-unsupported",
    "kho-unknown-why",
    "map-unreadable",
    "scratch-unreadable",
    "sessions-unlisted",
    "tree-unreadable",
    "tree-window",
}
"""Rules that may speak because something is not known."""


def test_every_rule_is_declared_once_and_shown_to_speak() -> None:
    assert len(set(IDS)) == len(IDS)
    assert len(IDS) >= 25
    assert {case.id for case in CASES} == set(IDS)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id_) for id_ in IDS)
    assert all(rule.summary for rule in CATALOGUE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_finding_leads_to_the_thing_that_it_shows(case: Case, tmp_path: Path) -> None:
    found = next(item for item in diagnose(case.fires(tmp_path)) if item.id == case.id)
    assert found.about is next(rule.about for rule in CATALOGUE if rule.id == case.id)
    paths = [item.path for item in found.evidence]
    if found.about is About.BLOBS:
        side = "in" if found.thing.incoming else "out"
        name = "fdt" if found.thing.name is None else f"sub_fdts/{found.thing.name}"
        inline = "/sys/firmware/kho/dt" if found.thing.incoming else "/sys/kernel/kho/dt"
        assert any(path.endswith((f"/{side}/{name}", inline)) for path in paths), paths
    elif found.about is About.SCRATCH:
        assert found.subject == f"scratch {found.thing.name or ''}".strip()
    else:
        assert found.thing == Thing()


def test_every_recording_is_expected() -> None:
    assert set(EXPECTED) == set(RECORDINGS)


@pytest.mark.parametrize("name", RECORDINGS)
def test_recording(name: str) -> None:
    findings = diagnose(recorded(name))
    assert {finding.id for finding in findings} == EXPECTED[name]
    ranks = [(-finding.severity.rank, IDS.index(finding.id)) for finding in findings]
    assert ranks == sorted(ranks)
    for finding in findings:
        assert finding.evidence
        assert finding.subject
        assert finding.text.endswith(".")
        assert finding.text.isprintable()
        assert finding.text.isascii()
        assert all(item.path and item.value for item in finding.evidence)


@pytest.mark.parametrize("name", RECORDINGS)
def test_same_snapshot_same_findings(name: str) -> None:
    assert diagnose(recorded(name)) == diagnose(recorded(name))


def test_only_the_image_loaded_too_early_is_an_error() -> None:
    errors = {
        (name, finding.id)
        for name in RECORDINGS
        for finding in diagnose(recorded(name))
        if finding.severity is Severity.ERROR
    }
    assert errors == {("linux-6.18.15/loaded-first", "image-before-finalize")}


def unknowable(snapshot: Snapshot) -> list[Callable[[Snapshot, Unknown], Snapshot]]:
    """Each change makes one value of the snapshot unknown."""

    def whole(name: str) -> Callable[[Snapshot, Unknown], Snapshot]:
        return lambda given, why: replace(given, **{name: why})  # type: ignore[arg-type]

    def part(holder: str, name: str) -> Callable[[Snapshot, Unknown], Snapshot]:
        def change(given: Snapshot, why: Unknown) -> Snapshot:
            held: Any = getattr(given, holder)
            return replace(given, **{holder: replace(held, **{name: why})})

        return change

    parts = {
        "machine": ("command_line", "config", "kernel_log", "lockdown", "memory_total"),
        "outgoing": ("tree", "blobs", "preserved"),
        "inventory": (
            *("preserved", "recovered", "ownership", "sessions"),
            *("crash_size", "crash_hotplug"),
        ),
        "memory": tuple(field.name for field in fields(snapshot.memory)),
        "kexec": tuple(field.name for field in fields(snapshot.kexec)),
    }
    changes = [part(holder, name) for holder, names in parts.items() for name in names]
    values = ("scratch", "incoming", "offered", "booted_through_handover", "liveupdate_device")
    return changes + [whole(name) for name in values]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_is_not_known_raises_no_alarm(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(RECORDINGS))
    snapshot = recorded(name)
    why = Unknown(data.draw(st.sampled_from((Cause.NOT_PERMITTED, Cause.NOT_RECORDED))), "a test")
    known = {finding.id for finding in diagnose(snapshot)}
    for change in data.draw(st.lists(st.sampled_from(unknowable(snapshot)), max_size=6)):
        snapshot = change(snapshot, why)
    assert {finding.id for finding in diagnose(snapshot)} <= known | ABOUT_NOT_KNOWING


@settings(max_examples=100, deadline=None)
@given(line=st.text(max_size=200), log=st.text(max_size=200))
def test_any_command_line_and_log_can_be_read(line: str, log: str) -> None:
    cold = recorded("linux-7.3.4/cold")
    machine = replace(
        cold.machine,
        command_line=line.encode("utf-8", "replace"),
        kernel_log=f"[    0.000000] KHO: {log}\n[    0.000000] luo: {log}",
    )
    for finding in diagnose(replace(cold, machine=machine)):
        assert finding.text.isascii()
