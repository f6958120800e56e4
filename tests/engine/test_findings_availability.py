"""Why there is no handover, and whether one was refused."""

from pathlib import Path

import pytest

from kho_console.engine.diagnose import diagnose
from kho_console.engine.findings import availability
from kho_console.model.finding import Severity
from tests.engine.machines import KHO, Case, check, edited, found, plain

COLD = "linux-7.3.4/cold"
RESTORED = "linux-7.3.4/restored"
CONFIG = "/proc/config.gz"
CMDLINE = "/proc/cmdline"
GONE: dict[str, str | None] = {KHO: None, "/dev/liveupdate.stat": None}
"""Nothing of KHO to be seen."""

BUILT = "CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n"
UNMOUNTED = "proc /proc proc rw 0 0\n"
FAILED = "KHO: Failed to reserve lowmem scratch buffer"
IN_CRASH = "KHO: disabled in the kdump kernel"

CASES = (
    Case(
        "kho-not-built",
        Severity.WARNING,
        ("/proc/config.gz or /boot/config-7.3.4", "# CONFIG_KEXEC_HANDOVER is not set"),
        edited(COLD, GONE | {CONFIG: "CONFIG_KEXEC=y\n"}),
        (plain(COLD), edited(COLD, GONE), edited(COLD, GONE | {CONFIG: None})),
    ),
    Case(
        "kho-not-enabled",
        Severity.WARNING,
        (CMDLINE, "kho=off"),
        edited(COLD, GONE | {CMDLINE: "quiet kho=on kho=off\n"}),
        (plain(COLD), edited(COLD, GONE), edited(COLD, GONE | {CMDLINE: None})),
    ),
    Case(
        "kho-reservation-failed",
        Severity.ERROR,
        ("/dev/kmsg", FAILED),
        edited(COLD, GONE, log=FAILED),
        (edited(COLD, log=FAILED), edited(COLD, GONE), edited(COLD, GONE, log=IN_CRASH)),
    ),
    Case(
        "kho-kdump-kernel",
        Severity.INFO,
        (CMDLINE, "elfcorehdr=0x6f000000"),
        edited(COLD, GONE | {CMDLINE: "kho=on elfcorehdr=0x6f000000\n"}),
        (
            plain(COLD),
            edited(COLD, GONE),
            edited("linux-7.1.13/cold", GONE | {CMDLINE: "kho=on elfcorehdr=0x6f000000\n"}),
        ),
    ),
    Case(
        "debugfs-not-mounted",
        Severity.WARNING,
        ("/proc/mounts", "no debugfs"),
        edited(COLD, GONE | {"/proc/mounts": UNMOUNTED}),
        (
            plain(COLD),
            edited(COLD, GONE),
            edited(COLD, GONE | {"/proc/mounts": None}),
            edited(COLD, GONE | {"/proc/mounts": UNMOUNTED, CMDLINE: "kho=off\n"}),
        ),
    ),
    Case(
        "debugfs-not-permitted",
        Severity.WARNING,
        (KHO, f"{KHO} cannot be looked at: {KHO}: not permitted (EACCES)"),
        edited(COLD, GONE, unreadable={"/sys/kernel/debug": 13}),
        (
            plain(COLD),
            edited(COLD, GONE),
            edited(COLD, GONE | {CMDLINE: "kho=off\n"}, unreadable={"/sys/kernel/debug": 13}),
        ),
    ),
    Case(
        "kho-debugfs-not-built",
        Severity.WARNING,
        ("/dev/liveupdate", "there, which needs kexec handover"),
        edited(COLD, {KHO: None}),
        (plain(COLD), edited(COLD, GONE), edited(COLD, {KHO: None, "/proc/mounts": UNMOUNTED})),
    ),
    Case(
        "kho-unknown-why",
        Severity.WARNING,
        (KHO, f"{KHO} is not there"),
        edited(COLD, GONE),
        (plain(COLD), edited(COLD, GONE | {CMDLINE: "kho=off\n"}), edited(COLD, {KHO: None})),
    ),
    Case(
        "deferred-struct-page",
        Severity.INFO,
        ("/proc/config.gz or /boot/config-7.1.13", "CONFIG_DEFERRED_STRUCT_PAGE_INIT=y"),
        edited("linux-7.1.13/cold", GONE | {CONFIG: "CONFIG_DEFERRED_STRUCT_PAGE_INIT=y\n"}),
        # 7.3.4 is built with both.
        (plain(COLD), edited(COLD, GONE | {CONFIG: "CONFIG_DEFERRED_STRUCT_PAGE_INIT=y\n"})),
    ),
    Case(
        "handover-refused",
        Severity.ERROR,
        ("/sys/kernel/boot_params/setup_data", "an entry of type 0xa"),
        edited(RESTORED, {f"{KHO}/in": None}),
        # Without debugfs it cannot be told, and the log says that it was taken.
        (plain(RESTORED), plain(COLD), edited(RESTORED, {KHO: None})),
    ),
    Case(
        "handover-left-over",
        Severity.WARNING,
        (CMDLINE, "kho=off"),
        edited(RESTORED, GONE | {CMDLINE: "kho=off\n"}),
        (plain(RESTORED), edited(RESTORED, GONE), edited(COLD, GONE | {CMDLINE: "kho=off\n"})),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.parametrize("case", CASES[:8], ids=lambda case: case.id)
def test_a_missing_handover_has_one_cause(case: Case, tmp_path: Path) -> None:
    causes = {rule.id for rule in availability.RULES} - {"deferred-struct-page"}
    said = {finding.id for finding in diagnose(case.fires(tmp_path))}
    assert said & causes == {case.id}


@pytest.mark.parametrize(
    ("release", "config", "off"),
    [
        ("6.18.15", BUILT, True),  # the default came with 6.19
        ("6.18.15", None, True),
        ("7.3.4", BUILT, True),
        ("7.3.4", BUILT + "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\n", False),
        ("7.3.4", None, False),
        ("mainline", None, False),
    ],
)
def test_default_without_kho_on_the_command_line(
    release: str, config: str | None, off: bool, tmp_path: Path
) -> None:
    files = GONE | {CMDLINE: "quiet\n", CONFIG: config}
    snapshot = edited(COLD, files, release=release)(tmp_path)
    assert bool(found(snapshot, "kho-not-enabled")) is off


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("KHO: disabling KHO revival: -2", "the kernel before was not finalized"),
        ("KHO: disabling KHO revival: -14", "its memory could not be mapped"),
        ("KHO: disabling KHO revival: -22", "the root tree is damaged or of another version"),
        ("KHO: disabling KHO revival: -12", "error -12"),
        ("KHO: disabling KHO revival", "the kernel does not say why"),
        (
            "KHO: setup: handover FDT (0x30610000) is incompatible with 'kho-v4': 1",
            "this kernel takes kho-v4 only",
        ),
    ],
)
def test_refusal_is_explained(line: str, reason: str, tmp_path: Path) -> None:
    [finding] = found(edited(COLD, log=line)(tmp_path), "handover-refused")
    assert f"refused: {reason}." in finding.text
    assert finding.severity is Severity.ERROR


def test_accepted_handover_in_the_log_shows_that_debugfs_was_left_out(tmp_path: Path) -> None:
    [finding] = found(edited(RESTORED, GONE)(tmp_path), "kho-debugfs-not-built")
    assert finding.evidence[0].value == "KHO: found kexec handover data."


@pytest.mark.parametrize(
    ("option", "spoken"), [("", True), ("CONFIG_KEXEC_HANDOVER_DEBUGFS=y\n", False)]
)
def test_build_option_of_debugfs(option: str, spoken: bool, tmp_path: Path) -> None:
    snapshot = edited(COLD, GONE | {CONFIG: BUILT + option})(tmp_path)
    assert bool(found(snapshot, "kho-debugfs-not-built")) is spoken


def test_kdump_kernel_says_so(tmp_path: Path) -> None:
    [finding] = found(edited(COLD, GONE, log=IN_CRASH)(tmp_path), "kho-kdump-kernel")
    assert finding.evidence[0].value == IN_CRASH
