"""The command line, loading images, the crash kernel."""

from pathlib import Path

import pytest

from kho_console.model.finding import Severity
from tests.engine.machines import KHO, Case, check, edited, found, plain

COLD = "linux-7.3.4/cold"
RESTORED = "linux-7.3.4/restored"
CRASH = "linux-7.3.4/crash-loaded"
CMDLINE = "/proc/cmdline"
SYSCTL = "/proc/sys/kernel"
LOCKDOWN = "/sys/kernel/security/lockdown"
HOTPLUG = "/sys/devices/system/memory/crash_hotplug"
CRASH_SIZE = "/sys/kernel/kexec_crash_size"
LOST = "crash hp: kexec_trylock() failed, kdump image may be inaccurate"
TOO_SMALL = "crash hp: update elfcorehdr elfsz 466944 > memsz 462848"
IN_FORCE = "kho_scratch=744M,0,36M"
"""What the recordings of 7.3.4 have, but for node 1 with 56 MiB."""

CASES = (
    Case(
        "kexec-limit-spent",
        Severity.ERROR,
        (f"{SYSCTL}/kexec_load_limit_panic", "0"),
        edited(COLD, {f"{SYSCTL}/kexec_load_limit_panic": "0\n"}),
        (plain(COLD), edited(COLD, {f"{SYSCTL}/kexec_load_limit_panic": "1\n"})),
    ),
    Case(
        "kexec-limit-low",
        Severity.WARNING,
        (f"{SYSCTL}/kexec_load_limit_reboot", "1"),
        edited(COLD, {f"{SYSCTL}/kexec_load_limit_reboot": "1\n"}),
        (
            plain(COLD),
            edited(COLD, {f"{SYSCTL}/kexec_load_limit_reboot": "2\n"}),
            edited(COLD, {f"{SYSCTL}/kexec_load_limit_reboot": None}),
        ),
    ),
    Case(
        "kexec-load-disabled",
        Severity.WARNING,
        (f"{SYSCTL}/kexec_load_disabled", "1"),
        edited(COLD, {f"{SYSCTL}/kexec_load_disabled": "1\n"}),
        (plain(COLD), edited(COLD, {f"{SYSCTL}/kexec_load_disabled": None})),
    ),
    Case(
        "lockdown",
        Severity.WARNING,
        (LOCKDOWN, "confidentiality"),
        edited(COLD, {LOCKDOWN: "none integrity [confidentiality]\n"}),
        (plain(COLD), edited(COLD, {LOCKDOWN: "[none] integrity confidentiality\n"})),
    ),
    Case(
        "reboot-will-kexec",
        Severity.INFO,
        ("/sys/kernel/kexec_loaded", "1"),
        plain("linux-7.3.4/ready"),
        (plain(COLD), edited("linux-7.3.4/ready", {"/sys/kernel/kexec_loaded": None})),
    ),
    Case(
        "crash-not-loaded",
        Severity.WARNING,
        (CRASH_SIZE, "268435456"),
        plain(COLD),
        (plain(CRASH), edited(COLD, {CRASH_SIZE: "0\n"}), edited(COLD, {CRASH_SIZE: None})),
    ),
    Case(
        "crash-armed-unknown",
        Severity.WARNING,
        ("/sys/kernel/kexec_crash_loaded", 'holds "banana"'),
        edited(CRASH, {"/sys/kernel/kexec_crash_loaded": "banana\n"}),
        (plain(CRASH), plain(COLD)),
    ),
    Case(
        "crash-not-reserved",
        Severity.WARNING,
        (CMDLINE, "crashkernel=256M"),
        edited(COLD, {CRASH_SIZE: "0\n"}),
        (plain(COLD), edited(COLD, {CRASH_SIZE: None})),
    ),
    Case(
        "crash-not-updatable",
        Severity.WARNING,
        (HOTPLUG, "0"),
        edited(CRASH, {HOTPLUG: "0\n"}),
        # Without a crash image the file says 0 as well.
        (plain(CRASH), plain(COLD), edited(CRASH, {HOTPLUG: None})),
    ),
    Case(
        "crash-event-lost",
        Severity.WARNING,
        ("/dev/kmsg", LOST),
        edited(CRASH, log=LOST),
        (plain(CRASH), edited(COLD, log=LOST)),
    ),
    Case(
        "crash-update-failed",
        Severity.WARNING,
        ("/dev/kmsg", TOO_SMALL),
        edited(CRASH, log=TOO_SMALL),
        (plain(CRASH), edited(COLD, log=TOO_SMALL)),
    ),
    Case(
        "kho-argument-malformed",
        Severity.WARNING,
        (CMDLINE, "kho=maybe"),
        edited(COLD, {CMDLINE: "kho=maybe\n"}),
        (plain(COLD), edited(COLD, {CMDLINE: "kho=maybe kho=on\n"})),
    ),
    Case(
        "liveupdate-argument-malformed",
        Severity.WARNING,
        (CMDLINE, "liveupdate"),
        edited(COLD, {CMDLINE: "kho=on liveupdate\n"}),
        (plain(COLD), edited(COLD, {CMDLINE: "kho=on\n"})),
    ),
    Case(
        "scratch-request-malformed",
        Severity.WARNING,
        (CMDLINE, "kho_scratch=16M,64M"),
        edited(COLD, {CMDLINE: "kho=on kho_scratch=16M,64M\n"}),
        (plain(COLD), edited(COLD, {CMDLINE: f"kho=on {IN_FORCE}\n"})),
    ),
    Case(
        "scratch-request-ignored",
        Severity.WARNING,
        (f"{KHO}/out: lowmem", "0x2e800000 (744 MiB)"),
        edited(RESTORED, {CMDLINE: "kho=on kho_scratch=512M,0,34M\n"}),
        (
            plain(RESTORED),
            edited(RESTORED, {CMDLINE: "kho=on kho_scratch=16M,64M\n"}),
            edited(RESTORED, {CMDLINE: None}),
        ),
    ),
    Case(
        "reserve-mem-malformed",
        Severity.WARNING,
        (CMDLINE, "reserve_mem=4M:oops"),
        edited(COLD, {CMDLINE: "kho=on reserve_mem=4M:oops\n"}),
        (plain(COLD), edited(COLD, {CMDLINE: "kho=on reserve_mem\n"})),
    ),
    Case(
        "crashkernel-malformed",
        Severity.WARNING,
        (CMDLINE, "crashkernel=all"),
        edited(COLD, {CMDLINE: "kho=on crashkernel=all\n"}),
        (plain(COLD), edited(COLD, {CMDLINE: "kho=on crashkernel=1G-:256M\n"})),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_integrity_does_not_close_kcore(tmp_path: Path) -> None:
    machine = edited(COLD, {LOCKDOWN: "none [integrity] confidentiality\n"})
    assert "kcore" not in found(machine(tmp_path), "lockdown")[0].text


def test_after_a_handover_the_crash_kernel_needs_room_in_the_scratch_areas(tmp_path: Path) -> None:
    [finding] = found(edited(RESTORED, {CRASH_SIZE: "0\n"})(tmp_path), "crash-not-reserved")
    assert "carved out of the scratch areas" in finding.text
    assert finding.remedy is not None
    assert "kho_scratch=" in finding.remedy


def test_no_crashkernel_at_all_is_a_note(tmp_path: Path) -> None:
    machine = edited(COLD, {CRASH_SIZE: "0\n", CMDLINE: "kho=on\n"})
    [finding] = found(machine(tmp_path), "crash-not-reserved")
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("request_", "differing"),
    [
        ("744M,0,36M", ["node"]),  # node 1 has 56 MiB
        ("743M,0,36M", ["node"]),  # rounded up to 4 MiB
        ("740M,0,36M", ["lowmem", "node"]),
        ("745M,0,36M", ["lowmem", "node"]),  # never rounded down
        ("744M,64M,36M", ["global", "node"]),
    ],
)
def test_sizes_in_force_are_compared_up_to_rounding(
    request_: str, differing: list[str], tmp_path: Path
) -> None:
    machine = edited(RESTORED, {CMDLINE: f"kho=on kho_scratch={request_}\n"}, log="x")
    [finding] = found(machine(tmp_path), "scratch-request-ignored")
    named = [item.path.partition(": ")[2] for item in finding.evidence[1:]]
    assert named == differing


def test_percentage_is_ignored_after_a_handover_and_unknowable_before(tmp_path: Path) -> None:
    files = {CMDLINE: "kho=on kho_scratch=300%\n"}
    [finding] = found(edited(RESTORED, files)(tmp_path), "scratch-request-ignored")
    assert finding.severity is Severity.INFO
    assert not found(edited(COLD, files)(tmp_path), "scratch-request-ignored")


def test_rounding_follows_the_page_size(tmp_path: Path) -> None:
    files = {CMDLINE: "kho=on kho_scratch=512M,0,32M\n"}
    machine = edited(RESTORED, files, page_size=65536, physmem=False)
    assert not found(machine(tmp_path), "scratch-request-ignored")


def test_last_request_that_the_kernel_takes_counts(tmp_path: Path) -> None:
    line = "kho=on kho_scratch=16M,0,16M kho_scratch=744M,0,56M kho_scratch=junk\n"
    snapshot = edited(RESTORED, {CMDLINE: line})(tmp_path)
    [finding] = found(snapshot, "scratch-request-ignored")
    assert finding.evidence[0].value == "kho_scratch=744M,0,56M"
    [malformed] = found(snapshot, "scratch-request-malformed")
    assert malformed.evidence[0].value == "kho_scratch=junk"


@pytest.mark.parametrize(
    ("release", "spoken"), [("6.17.8", True), ("6.18.15", False), ("7.3.4", False)]
)
def test_zero_sizes_are_malformed_up_to_6_17(release: str, spoken: bool, tmp_path: Path) -> None:
    machine = edited("linux-6.18.15/cold", {CMDLINE: f"kho=on {IN_FORCE}\n"}, release=release)
    assert bool(found(machine(tmp_path), "scratch-request-malformed")) is spoken


def test_7_4_reads_kho_bootmem_instead(tmp_path: Path) -> None:
    files = {
        f"{KHO}/out/bootmem_phys": "0x10400000\n0x7fc00000\n",
        f"{KHO}/out/bootmem_len": "0x2e800000\n0x0\n",
        f"{KHO}/out/scratch_phys": None,
        f"{KHO}/out/scratch_len": None,
        CMDLINE: "kho=on kho_scratch=junk kho_bootmem=1,2\n",
    }
    [finding] = found(edited(COLD, files)(tmp_path), "scratch-request-malformed")
    assert finding.subject == "kho_bootmem"


def test_kernel_log_confirms_a_malformed_option(tmp_path: Path) -> None:
    line = "Malformed early option 'kho_scratch'"
    machine = edited(COLD, {CMDLINE: "kho=on kho_scratch=0,0,0\n"}, log=line)
    [finding] = found(machine(tmp_path), "scratch-request-malformed")
    assert finding.evidence[1].value == line
