"""What the kernel itself complained about."""

from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.engine.log_lines import about_handover
from kho_console.model.finding import Severity
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from tests.engine.machines import Case, Machine, check, found, plain, recorded

COLD = "linux-7.3.4/cold"
READY = "linux-6.18.15/ready"


def logged(*lines: str) -> Snapshot:
    cold = recorded(COLD)
    return replace(cold, machine=replace(cold.machine, kernel_log="\n".join(lines)))


def complaint(place: str, *calls: str) -> Machine:
    return lambda _: logged(f"WARNING: {place}", "Call Trace:", *(f" {at}+0x1/0x2" for at in calls))


CASES = (
    Case(
        "kernel-warning",
        Severity.WARNING,
        ("/dev/kmsg", "? kho_abort+0x56/0xf8"),
        plain(READY),
        (
            plain("linux-6.18.15/finalized"),
            complaint("mm/slub.c:1 at kfree+0x1/0x2, CPU#0: kho_abort/1", "khoros", "rproc_crash"),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_where_it_was() -> None:
    [finding] = found(recorded(READY), "kernel-warning")
    assert "at mm/slub.c:6795 in free_large_kmalloc, called through kho_abort:" in finding.text


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (complaint("kernel/liveupdate/kexec_handover.c:9 at merge+0x1/0x2", "x"), "9 in merge:"),
        (complaint("kernel/crash_core.c:9 at f+0x1/0x2"), "crash_core.c:9 in f:"),
        (complaint("a.c:1 at f+0x1/0x2", "g", "__arm64_sys_kexec_file_load"), "kexec_file_load:"),
        (complaint("a.c:1 at f+0x1/0x2", "luo_session_release.isra.0"), "luo_session_release.isra"),
        (complaint("a.c:1 at arch_crash_handle_hotplug_event+0x1/0x2"), "a.c:1 in arch_crash_"),
    ],
)
def test_what_is_handover_code(machine: Machine, words: str, tmp_path: Path) -> None:
    [finding] = found(machine(tmp_path), "kernel-warning")
    assert words in finding.text


def test_the_same_place_is_one_finding_and_an_oops_an_error() -> None:
    block = ("WARNING: a.c:1 at kho_x+0x1/0x2", "Call Trace:", " f+0x1/0x2")
    oops = ("BUG: unable to handle page fault for address: 0", "RIP: 0010:kho_y+0x1/0x2")
    first, second = found(logged(*block * 3, *oops), "kernel-warning")
    assert first.severity is Severity.ERROR
    assert first.text.startswith("The kernel broke off in kho_y:")
    assert second.text.startswith("The kernel warned at a.c:1 in kho_x (3 times):")


def test_the_log_screen_has_the_whole_warning() -> None:
    lines = about_handover(recorded(READY))
    assert not isinstance(lines, Unknown)
    texts = [line.text for line in lines]
    at = texts.index("------------[ cut here ]------------")
    assert texts[at + 29] == "---[ end trace 0000000000000000 ]---"
    assert "RSP: 0018:ff15259780a73d40 EFLAGS: 00000202" in texts
    others = about_handover(
        logged("WARNING: x at kfree+0x1/0x2", "CPU: 0", "Call Trace:", "KHO: y")
    )
    assert not isinstance(others, Unknown)
    assert [line.text for line in others] == ["KHO: y"]
