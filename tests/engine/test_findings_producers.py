"""Blobs, reserved regions, live-update sessions."""

from pathlib import Path

import pytest

from kho_console.model.finding import Severity
from kho_console.model.snapshot import Snapshot
from tests.engine.machines import KHO, Case, check, edited, found, plain
from tests.recordings import folder

COLD = "linux-7.3.4/cold"
SESSIONS = "linux-7.3.4/sessions"
RESTORED = "linux-7.3.4/restored"
RETRIEVED = "linux-7.3.4/retrieved"
OUT, IN = f"{KHO}/out/sub_fdts", f"{KHO}/in/sub_fdts"
CMDLINE = "/proc/cmdline"
DEVICE = "/dev/liveupdate.stat"
LOADED = "/sys/kernel/kexec_loaded"
AGENT = "/dev/liveupdate open"
METADATA = (folder(COLD) / f"root{OUT}/kexec-metadata").read_bytes()
NO_HANDLER = "luo_file: No registered handler for compatible 'memfd-v1'"
LUO_OFF = "luo: Disabling liveupdate because KHO is disabled"
GONE: dict[str, str | None] = {KHO: None, DEVICE: None}

CASES = (
    Case(
        "blob-invalid",
        Severity.WARNING,
        (
            f"{OUT}/kexec-metadata",
            "2 bytes; not what kexec-metadata should hold: at 0x2: ends inside the version of "
            "kexec-metadata",
        ),
        edited(COLD, {f"{OUT}/kexec-metadata": METADATA[:2]}),
        (plain(COLD), edited(RESTORED, {f"{IN}/kexec-metadata": METADATA[:2]})),
    ),
    Case(
        "blob-unreadable",
        Severity.WARNING,
        (f"{OUT}/kexec-metadata", f"{OUT}/kexec-metadata: not permitted (EACCES)"),
        edited(COLD, {f"{OUT}/kexec-metadata": None}, unreadable={f"{OUT}/kexec-metadata": 13}),
        (plain(COLD), edited(COLD, {f"{OUT}/kexec-metadata": METADATA[:2]})),
    ),
    Case(
        "blob-unknown-version",
        Severity.WARNING,
        (f"{OUT}/kexec-metadata", "version 2"),
        edited(COLD, {f"{OUT}/kexec-metadata": b"\2" + METADATA[1:]}),
        (plain(COLD), edited(COLD, {f"{OUT}/newcomer": b"of no known kind"})),
    ),
    Case(
        "blob-stale",
        Severity.INFO,
        (f"{IN}/LUO", "released by the kernel; its records are gone"),
        plain(RETRIEVED),
        (plain(RESTORED), plain("linux-7.1.13/retrieved")),
    ),
    Case(
        "blob-released-intact",
        Severity.INFO,
        (f"{IN}/LUO", "consistent"),
        plain(RESTORED),
        (plain("linux-7.1.13/restored"), plain(RETRIEVED), plain(COLD)),
    ),
    Case(
        "reserve-mem-lost",
        Severity.WARNING,
        (CMDLINE, "reserve_mem=2097152:0:extra"),
        edited(COLD, {CMDLINE: "kho=on liveupdate=on reserve_mem=2M::extra\n"}),
        # Up to 6.18 the regions are seen while finalized only.
        (
            plain(COLD),
            plain(RESTORED),
            edited("linux-6.18.15/cold", {CMDLINE: "kho=on reserve_mem=2M::extra\n"}),
        ),
    ),
    Case(
        "memory-unclaimed",
        Severity.WARNING,
        (f"{IN}/memblock", "trace: start 0x7fccd000, size 0x100000"),
        edited(RESTORED, {CMDLINE: "kho=on liveupdate=on reserve_mem=4M:4096:oops\n"}),
        (plain(RESTORED), edited(RESTORED, {CMDLINE: None}), edited(COLD, {CMDLINE: "kho=on\n"})),
    ),
    Case(
        "sessions-waiting",
        Severity.WARNING,
        (f"{IN}/LUO", "session vm-web"),
        plain(RESTORED),
        (plain(RETRIEVED), plain(SESSIONS), edited(RESTORED, physmem=False)),
    ),
    Case(
        "sessions-unlisted",
        Severity.INFO,
        ("/proc/*/fd", "/dev/liveupdate or a session is open"),
        plain(RETRIEVED),
        (plain(RESTORED), plain(SESSIONS), plain("linux-6.18.15/restored")),
    ),
    Case(
        "sessions-without-image",
        Severity.WARNING,
        ("/proc/66/fd", "session vm-db"),
        plain(SESSIONS),
        (plain("linux-7.3.4/ready"), plain(COLD), plain(RETRIEVED)),
    ),
    Case(
        "image-without-sessions",
        Severity.INFO,
        (LOADED, "1"),
        edited(COLD, {LOADED: "1\n"}),
        (plain(COLD), plain("linux-7.3.4/ready"), edited(COLD, {LOADED: "1\n", DEVICE: None})),
    ),
    Case(
        "device-held",
        Severity.INFO,
        ("/proc/66/fd", AGENT),
        plain(SESSIONS),
        (plain(COLD), plain(RESTORED)),
    ),
    Case(
        "liveupdate-error",
        Severity.ERROR,
        ("/dev/kmsg", NO_HANDLER),
        edited(RESTORED, log=NO_HANDLER),
        (plain(RESTORED), edited(RESTORED, log="luo: Retrieved live update data")),
    ),
    Case(
        "liveupdate-without-kho",
        Severity.WARNING,
        (CMDLINE, "liveupdate=on"),
        edited(COLD, GONE | {CMDLINE: "kho=off liveupdate=on\n"}),
        (
            plain(COLD),
            plain("linux-6.18.15/cold"),
            edited(COLD, GONE | {CMDLINE: "kho=off\n"}),
            edited(COLD, GONE | {"/proc/mounts": "proc /proc proc rw 0 0\n"}),
        ),
    ),
    Case(
        "liveupdate-off-after-handover",
        Severity.WARNING,
        ("/dev/liveupdate", "not there"),
        edited(RESTORED, {DEVICE: None, CMDLINE: "kho=on liveupdate=off\n"}),
        (plain(RESTORED), edited(COLD, {DEVICE: None}), plain("linux-6.18.15/restored")),
    ),
    Case(
        "liveupdate-not-built",
        Severity.INFO,
        ("/proc/config.gz or /boot/config-6.18.15", "# CONFIG_LIVEUPDATE is not set"),
        plain("linux-6.18.15/cold"),
        (plain(COLD), edited("linux-6.18.15/cold", {CMDLINE: "kho=on\n"})),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def text_of(snapshot: Snapshot, wanted: str) -> str:
    [finding] = found(snapshot, wanted)
    return finding.text


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("linux-7.1.13/restored", "10304 KiB"),  # 2 MiB, 64 KiB and 8 MiB
        (RESTORED, "of sizes not known here"),  # their memfds' records were not captured
    ],
)
def test_waiting_sessions_tell_what_they_hold(name: str, files: str, tmp_path: Path) -> None:
    text = text_of(plain(name)(tmp_path), "sessions-waiting")
    assert "3 sessions of the previous kernel still to be retrieved: vm-web, vm-db, empty" in text
    assert f"Their files ({files}) hold memory" in text


def test_waiting_sessions_have_no_owner_to_ask_where_live_update_is_off(tmp_path: Path) -> None:
    for changes, asked in (({}, True), ({DEVICE: None}, False)):
        [finding] = found(edited(RESTORED, changes)(tmp_path), "sessions-waiting")
        assert finding.remedy is not None
        assert ("Let their owners" in finding.remedy) is asked


def test_stale_records_leave_sessions_unlisted_without_any_holder(tmp_path: Path) -> None:
    [finding] = found(edited(RETRIEVED, links={})(tmp_path), "sessions-unlisted")
    assert finding.evidence[0].path == f"{IN}/LUO"


def test_unknown_word_of_live_update(tmp_path: Path) -> None:
    blob = b"luo-v6\0\0" + bytes(24)
    [finding] = found(edited(COLD, {f"{OUT}/LUO": blob})(tmp_path), "blob-unknown-version")
    assert "(luo-v6)" in finding.text


def test_region_of_another_size_is_not_adopted(tmp_path: Path) -> None:
    files = {CMDLINE: "kho=on reserve_mem=8M:4096:oops reserve_mem=1M:4096:trace\n"}
    [finding] = found(edited(RESTORED, files, log="x")(tmp_path), "reserve-mem-lost")
    assert finding.subject == "oops"
    assert "another size" in finding.text
    assert "the old 4 MiB stay reserved" in finding.text


def test_region_that_does_not_suit_the_alignment_is_not_adopted(tmp_path: Path) -> None:
    files = {CMDLINE: "kho=on reserve_mem=4M:4096:oops reserve_mem=1M:1M:trace\n"}
    [finding] = found(edited(RESTORED, files, log="x")(tmp_path), "reserve-mem-lost")
    assert finding.subject == "trace"
    assert "another alignment" in finding.text


def test_kernel_that_says_it_revived_a_region_is_believed(tmp_path: Path) -> None:
    files = {CMDLINE: "kho=on reserve_mem=8M:4096:oops reserve_mem=1M:4096:trace\n"}
    log = "Revived memory reservation 'oops' from KHO"
    assert not found(edited(RESTORED, files, log=log)(tmp_path), "reserve-mem-lost")


def test_without_any_memblock_blob_no_region_was_reserved(tmp_path: Path) -> None:
    snapshot = edited(COLD, {f"{OUT}/memblock": None}, log="reserve_mem: failed")(tmp_path)
    findings = found(snapshot, "reserve-mem-lost")
    assert [finding.subject for finding in findings] == ["oops", "trace"]
    assert findings[0].evidence[-1].value == "reserve_mem: failed"


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("Freeze failed for token[0x1001] handler[memfd-v2]", Severity.WARNING),
        ("luo_session: Unable to finish session [vm-web] on release", Severity.WARNING),
        (NO_HANDLER, Severity.ERROR),
    ],
)
def test_complaints_of_live_update(line: str, severity: Severity, tmp_path: Path) -> None:
    [finding] = found(edited(COLD, log=line)(tmp_path), "liveupdate-error")
    assert finding.severity is severity
    assert finding.evidence[0].value == line


def test_live_update_says_itself_that_kho_is_off(tmp_path: Path) -> None:
    files = GONE | {CMDLINE: None, "/proc/config.gz": None}
    [finding] = found(edited(COLD, files, log=LUO_OFF)(tmp_path), "liveupdate-without-kho")
    assert finding.evidence[0].value == LUO_OFF


def test_names_are_escaped_in_the_text_and_whole_in_the_evidence(tmp_path: Path) -> None:
    links = {
        "/proc/66/fd/4": "/dev/liveupdate",
        "/proc/66/fd/5": "anon_inode:[luo_session] a\x1b\\",
    }
    files = {"/proc/66/cmdline": b"evil\x1b[2J\0"}
    snapshot = edited(SESSIONS, files, links=links)(tmp_path)
    assert "(evil\\x1b[2J)" in text_of(snapshot, "device-held")
    [finding] = found(snapshot, "sessions-without-image")
    assert finding.evidence[0].value == "session a\x1b\\"
