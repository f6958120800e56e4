"""Preflight: what a machine may hand over to, and what would be lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.model.check import Result
from kho_console.model.image import ImageFormat, InitialRamDisk
from kho_console.model.memory import ScratchArea, ScratchRole
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from tests.engine.machines import KHO, edited, recorded
from tests.engine.preflights import (
    CONFIG,
    FINALIZED,
    IMAGE,
    LINE,
    SESSIONS,
    bad,
    found,
    preflight,
    the,
    words,
)

FAIL, WARNING, PASS, UNKNOWN = Result.FAIL, Result.WARNING, Result.PASS, Result.UNKNOWN
WHY = Unknown(Cause.UNSUPPORTED, "compressed by lz4")
CUT = Unknown(Cause.INVALID, "cut", 9)

V1_618 = words("kho-v1")
V1_619 = words("kho-v1", "luo-v1", "luo-session-v2", "memfd-v1")
V1_70 = words("kho-v1", "luo-v1", "luo-session-v2", "luo-flb-v1", "memfd-v1")
V3 = words("kho-v3", "luo-v1", "luo-session-v2", "luo-flb-v1", "memfd-v2")
V4 = words("kho-v4", "luo-v5", "memfd-v2")


def machine(name: str = SESSIONS) -> Snapshot:
    return recorded(name)


def without_sessions(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, inventory=replace(snapshot.inventory, sessions=()))


def test_the_same_kernel_passes() -> None:
    result = preflight(machine())
    assert bad(result) == {}
    assert result.verdict is PASS
    assert all(item.text and item.evidence is not None for item in found(result, "kho-version"))


def test_the_verdict_is_the_worst_answer_and_not_knowing_is_a_warning() -> None:
    assert preflight(machine(), five_levels=False).verdict is WARNING
    assert preflight(machine(), config=WHY).verdict is WARNING
    assert preflight(machine(), config=WHY, complete=False).verdict is FAIL


@pytest.mark.parametrize(
    ("changes", "name", "result"),
    [
        ({"complete": False}, "image-complete", FAIL),
        ({"complete": WHY}, "image-complete", UNKNOWN),
        ({"faults": ("it does not load high",)}, "image-format", FAIL),
        ({"format": ImageFormat.UKI}, "image-format", FAIL),
        ({"format": ImageFormat.COMPRESSED}, "image-format", FAIL),
        ({"format": ImageFormat.ELF}, "image-format", FAIL),
        ({"machine": "aarch64"}, "architecture", FAIL),
        ({"machine": WHY}, "architecture", UNKNOWN),
        ({"page_size": 65536}, "page-size", FAIL),
        ({"five_levels": False}, "paging-levels", WARNING),
        ({"words": WHY}, "kho-version", UNKNOWN),
        ({"words": words()}, "kho-version", UNKNOWN),
        ({"words": words(), "config": {}}, "kho-version", FAIL),
        ({"words": V3}, "kho-version", FAIL),
        ({"words": words("kho-v4", "luo-v6", "memfd-v2")}, "luo-version", FAIL),
        ({"words": words("kho-v4")}, "luo-version", FAIL),
        ({"words": words("kho-v4", "luo-v5", "memfd-v3")}, "memfd-version", FAIL),
        ({"config": {**CONFIG, "CONFIG_KEXEC_HANDOVER": "n"}}, "target-config", FAIL),
        ({"config": {"CONFIG_KEXEC_HANDOVER": "y"}}, "target-config", WARNING),
        ({"memory_size": 2 << 30}, "scratch-fit", FAIL),
        ({"memory_size": WHY}, "scratch-fit", UNKNOWN),
        ({"memory_size": 900 << 20}, "memory-to-load", FAIL),
    ],
)
def test_what_is_said_of_an_image(changes: dict[str, object], name: str, result: Result) -> None:
    assert the(preflight(machine(), **changes), name).result is result


@pytest.mark.parametrize(
    ("name", "spoken", "release", "bad_checks"),
    [
        ("linux-6.17.8/finalized", V1_618, "6.17.8", {}),
        ("linux-6.17.8/finalized", V1_618, "6.17.9", {"kho-version": UNKNOWN}),
        (FINALIZED, V1_618, "6.17.13", {"kho-version": UNKNOWN}),
        ("linux-6.17.8/finalized", V1_618, "6.18.15", {"kho-version": FAIL}),
        (FINALIZED, V1_618, "6.17.8", {"kho-version": FAIL}),
        (FINALIZED, V1_618, "6.18.1", {}),
        (FINALIZED, V1_619, "6.19.11", {}),
        (FINALIZED, V1_70, "7.0.14", {}),
        (FINALIZED, V4, "7.3.4", {"kho-version": FAIL}),
        ("linux-6.19.11/sessions", V1_619, "6.19.11", {}),
        ("linux-6.19.11/sessions", V1_70, "7.0.14", {"luo-version": FAIL}),
        (
            "linux-6.19.11/sessions",
            V1_618,
            "6.18.15",
            {"luo-version": FAIL, "memfd-version": FAIL},
        ),
        ("linux-7.1.13/sessions", V3, "7.1.13", {}),
        ("linux-7.1.13/sessions", V1_70, "7.0.14", {"kho-version": FAIL}),
        ("linux-7.1.13/sessions", V4, "7.2.13", {"kho-version": FAIL}),
        ("linux-7.2.13/sessions", V4, "7.3.4", {}),
        (SESSIONS, V4, "7.2.13", {}),
        (SESSIONS, V3, "7.1.13", {"kho-version": FAIL}),
    ],
)
def test_crossings(name: str, spoken: object, release: str, bad_checks: object) -> None:
    """As luo-abi and kho-abi have them: silent loss, or a panic of the new kernel."""
    result = preflight(
        machine(name), b"kho=on liveupdate=on " + RESERVED, words=spoken, release=release
    )
    versions = {key: value for key, value in bad(result).items() if key.endswith("-version")}
    assert versions == bad_checks


RESERVED = b"reserve_mem=4M:4096:oops reserve_mem=1M:4096:trace"


def test_a_kernel_reads_its_own_map_whatever_form_it_has() -> None:
    here = machine("linux-6.17.8/finalized")
    same = replace(here, machine=replace(here.machine, release="6.17.13"))
    result = preflight(same, words=V1_618, release="6.17.13")
    assert the(result, "kho-version").result is PASS


def test_memory_files_where_there_is_no_live_update_to_open() -> None:
    result = preflight(machine("linux-6.19.11/sessions"), words=V1_618, release="6.18.15")
    assert "no live update at all" in the(result, "memfd-version").text
    other = preflight(machine(), words=words("kho-v4", "luo-v5", "memfd-v3"))
    assert "gives EIO" in the(other, "memfd-version").text


def test_a_crash_kernel_may_count_in_other_pages() -> None:
    answer = the(preflight(machine(), crash=True, page_size=65536), "page-size")
    assert answer.result is WARNING
    assert "handed over" not in answer.text


def test_a_panic_is_called_one() -> None:
    result = preflight(machine("linux-6.19.11/sessions"), words=V1_70, release="7.0.14")
    assert "panics" in the(result, "luo-version").text
    assert "luo-flb" in the(result, "luo-version").text


def test_without_sessions_live_update_is_no_loss() -> None:
    alone = without_sessions(machine())
    result = preflight(alone, RESERVED + b" kho=on", words=words("kho-v4"))
    assert the(result, "luo-version").result is WARNING
    assert the(result, "liveupdate-argument").result is WARNING
    # Another version panics the new kernel all the same.
    other = preflight(alone, words=words("kho-v4", "luo-v6", "memfd-v2"))
    assert the(other, "luo-version").result is FAIL


@pytest.mark.parametrize(
    ("line", "changes", "name", "result"),
    [
        (b"kho=off", {}, "kho-argument", FAIL),
        (b"quiet", {}, "kho-argument", FAIL),
        (b"kho=maybe", {}, "kho-argument", FAIL),
        (b"quiet", {"config": WHY}, "kho-argument", UNKNOWN),
        (
            b"quiet",
            {"config": {**CONFIG, "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT": "y"}},
            "kho-argument",
            PASS,
        ),
        (b"kho=on", {}, "liveupdate-argument", FAIL),
        (b"kho=on liveupdate=0", {}, "liveupdate-argument", FAIL),
        (LINE.ljust(2016), {}, "command-line-length", PASS),
        (LINE.ljust(2017), {}, "command-line-length", FAIL),
        (LINE + b"\0x", {}, "command-line-length", FAIL),
        (LINE, {"command_line_limit": WHY}, "command-line-length", UNKNOWN),
        (LINE, {}, "crashkernel", PASS),
        (LINE.replace(b"256M", b"500M"), {}, "crashkernel", WARNING),
        (LINE.replace(b"256M", b"800M"), {}, "crashkernel", WARNING),
        (LINE.replace(b"256M", b"x"), {}, "crashkernel", WARNING),
        (LINE.replace(b"crashkernel=256M", b""), {}, "crashkernel", WARNING),
        (LINE.replace(b"256M", b"1G-:64M"), {}, "crashkernel", PASS),
        (LINE + b" crashkernel=x", {}, "crashkernel", WARNING),
        (LINE.replace(b"256M", b"800M") + b" crashkernel=64M", {}, "crashkernel", PASS),
        (LINE.replace(b"256M", b"256M,low"), {}, "crashkernel", WARNING),
        (LINE.replace(b"256M", b"256M,high") + b" crashkernel=0,low", {}, "crashkernel", PASS),
        (LINE + b" reserve_mem=16M:4096:new", {}, "reserve-mem-new", PASS),
        (LINE + b" reserve_mem=1G:4096:new", {}, "reserve-mem-new", WARNING),
        (LINE + b" hugepagesz=1G hugepages=1", {}, "gigantic-pages", WARNING),
    ],
)
def test_what_is_said_of_a_command_line(
    line: bytes, changes: dict[str, object], name: str, result: Result
) -> None:
    assert the(preflight(machine(), line, **changes), name).result is result


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"reserve_mem=2M:4096:trace", "1 MiB here and 2 MiB there"),
        (b"reserve_mem=1M:1G:trace", "multiple of 1 GiB"),
        (b"reserve_mem=1M:4096:other", "does not ask for it"),
    ],
)
def test_a_region_that_is_not_asked_for_exactly_is_left_behind(given: bytes, why: str) -> None:
    result = preflight(machine(), LINE.replace(b"reserve_mem=1M:4096:trace", given))
    answer = the(result, "reserve-mem")
    assert (answer.result, result.verdict) == (WARNING, WARNING)
    assert "trace" in answer.text
    assert why in answer.text
    assert "1 MiB are left behind" in the(result, "address-space").text


def test_the_crash_memory_of_a_small_scratch_is_not_had_again() -> None:
    """As the 6.17.8 recording says after its handover: cannot allocate crashkernel."""
    log = recorded("linux-6.17.8/restored").machine.kernel_log
    assert isinstance(log, str)
    assert "cannot allocate crashkernel" in log
    before = machine("linux-6.17.8/finalized")
    result = preflight(before, words=V1_618, release="6.17.8")
    assert the(result, "crashkernel").result is WARNING
    for name in (FINALIZED, "linux-7.1.13/sessions", SESSIONS):
        regions = recorded(name.split("/")[0] + "/restored").memory.crash_regions
        assert regions
        assert the(preflight(machine(name)), "crashkernel").result is PASS


def test_ranges_of_crashkernel_on_a_machine_of_unknown_size() -> None:
    unseen = machine()
    unseen = replace(unseen, memory=replace(unseen.memory, ram=WHY))
    ranges = LINE.replace(b"256M", b"2G-:64M")
    assert the(preflight(unseen, ranges), "crashkernel").result is UNKNOWN
    assert the(preflight(unseen), "crashkernel").result is PASS


def scratch(snapshot: Snapshot, *sizes: int) -> Snapshot:
    """The machine with other areas, one behind the other from 1 GiB on."""
    roles = (ScratchRole.LOWMEM, ScratchRole.GLOBAL, ScratchRole.NODE)
    at, areas = 1 << 30, []
    for role, size in zip(roles, sizes, strict=False):
        areas.append(ScratchArea(role, None if role is not ScratchRole.NODE else 0, at, size))
        at += size
    return replace(snapshot, scratch=tuple(areas))


@pytest.mark.parametrize(
    ("sizes", "initrd", "result"),
    [
        ((64 << 20, 0, 0), 20 << 20, PASS),
        ((16 << 20, 32 << 20, 16 << 20), 15 << 20, PASS),
        ((16 << 20, 32 << 20, 16 << 20), 30 << 20, WARNING),
        ((15 << 20, 0, 0), 0, WARNING),
        ((14 << 20, 0, 0), 0, FAIL),
        ((64 << 20, 64 << 20, 0), 100 << 20, FAIL),
        ((0, 0, 0), 0, FAIL),
    ],
)
def test_the_image_must_fit_the_scratch_areas(
    sizes: tuple[int, ...], initrd: int, result: Result
) -> None:
    disk = InitialRamDisk(initrd, ("cpio",), ()) if initrd else None
    answer = the(preflight(scratch(machine(), *sizes), initrd=disk), "scratch-fit")
    assert answer.result is result
    assert answer.evidence
    if result is FAIL:
        assert "EADDRNOTAVAIL" in answer.text
        assert "kernel 14 MiB aligned to 2 MiB" in answer.evidence


@pytest.mark.parametrize(
    ("disk", "checks"),
    [
        (InitialRamDisk(9, ("cpio",), ()), {}),
        (InitialRamDisk(9, ("cpio", "zstd"), ("7.3.4", "7.3.3")), {}),
        (InitialRamDisk(9, ("zstd",), ("7.3.3",)), {"initrd-modules": WARNING}),
        (InitialRamDisk(9, ("cpio", "lz4"), WHY), {"initrd-format": UNKNOWN}),
        (InitialRamDisk(9, CUT, CUT), {"initrd-format": FAIL}),
    ],
)
def test_the_initrd(disk: InitialRamDisk, checks: dict[str, Result]) -> None:
    assert bad(preflight(machine(), initrd=disk)) == checks


@pytest.mark.parametrize(
    ("lockdown", "options", "signed", "result"),
    [
        ("none", ("KEXEC_SIG",), False, PASS),
        ("none", ("KEXEC_SIG", "KEXEC_SIG_FORCE"), False, FAIL),
        ("integrity", ("KEXEC_SIG",), True, WARNING),
        ("integrity", ("KEXEC_SIG",), False, FAIL),
        ("integrity", (), False, PASS),
        ("confidentiality", ("KEXEC_SIG",), WHY, UNKNOWN),
        (Unknown(Cause.ABSENT, "securityfs is not mounted"), ("KEXEC_SIG",), False, PASS),
    ],
)
def test_the_signature(
    lockdown: object, options: tuple[str, ...], signed: object, result: Result
) -> None:
    config = {f"CONFIG_{name}": "y" for name in options}
    host = replace(machine().machine, lockdown=lockdown, config=config)  # type: ignore[arg-type]
    checked = preflight(replace(machine(), machine=host), signed=signed)
    assert the(checked, "signature").result is result


def test_a_lockdown_that_only_the_log_tells_of() -> None:
    log = "[    0.0] Linux version 7.3.4\n[    0.1] Kernel is locked down from EFI Secure Boot\n"
    lockdown = Unknown(Cause.ABSENT, "not there")
    for text, result in ((log, FAIL), ("[   99.0] later\n", UNKNOWN)):
        host = replace(machine().machine, lockdown=lockdown, kernel_log=text, config=WHY)
        assert the(preflight(replace(machine(), machine=host)), "signature").result is result


@pytest.mark.parametrize(
    ("path", "content", "name", "result"),
    [
        ("/proc/sys/kernel/kexec_load_disabled", "1\n", "load-disabled", FAIL),
        ("/proc/sys/kernel/kexec_load_limit_reboot", "0\n", "load-limit", FAIL),
        ("/proc/sys/kernel/kexec_load_limit_reboot", "1\n", "load-limit", WARNING),
        ("/proc/sys/kernel/kexec_load_limit_reboot", "2\n", "load-limit", PASS),
        ("/proc/meminfo", "MemTotal: 2000000 kB\nMemAvailable: 9000 kB\n", "memory-to-load", FAIL),
        (
            "/proc/meminfo",
            "MemTotal: 2000000 kB\nMemAvailable: 23000 kB\n",
            "memory-to-load",
            WARNING,
        ),
        ("/proc/meminfo", "MemTotal: 2000000 kB\n", "memory-to-load", UNKNOWN),
        ("/run/systemd/system/.empty", "", "sessions", WARNING),
    ],
)
def test_what_is_said_of_the_machine(
    path: str, content: str, name: str, result: Result, tmp_path: Path
) -> None:
    snapshot = edited(SESSIONS, {path: content})(tmp_path)
    assert the(preflight(snapshot), name).result is result


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("linux-6.18.15/cold", WARNING),
        (FINALIZED, PASS),
        ("linux-6.19.11/cold", PASS),
        ("linux-6.19.11/finalized", PASS),
        (SESSIONS, PASS),
    ],
)
def test_finalize_comes_first_where_there_is_such_a_step(name: str, result: Result) -> None:
    assert the(preflight(machine(name)), "finalized").result is result


def test_a_latching_kernel_without_live_update_wants_the_step(tmp_path: Path) -> None:
    name = "linux-6.19.11/cold"
    off = edited(name, {"/dev/liveupdate.stat": None})(tmp_path)
    assert the(preflight(off), "finalized").result is WARNING


def test_sessions_of_the_previous_kernel_go_no_further() -> None:
    answers = found(preflight(machine("linux-7.1.13/restored"), words=V3), "sessions")
    assert [item.result for item in answers] == [WARNING, PASS]
    assert "vm-web" in (answers[0].evidence or "")


def test_a_machine_without_a_handover(tmp_path: Path) -> None:
    config = "CONFIG_KEXEC_FILE=y\n"
    files = {KHO: None, "/proc/config.gz": config}
    result = preflight(edited(SESSIONS, files)(tmp_path))
    assert the(result, "handover").result is FAIL
    assert not {"kho-version", "scratch-fit", "kho-argument"} & {item.id for item in result.checks}


def test_a_crash_image_goes_to_its_own_memory() -> None:
    fits = preflight(machine(), b"irqpoll", crash=True)
    assert bad(fits) == {}
    assert not {"handover", "scratch-fit", "kho-version"} & {item.id for item in fits.checks}
    large = preflight(machine(), b"irqpoll", crash=True, memory_size=255 << 20)
    assert the(large, "crash-region-fit").result is FAIL


def test_names_are_left_for_the_faces_to_escape() -> None:
    checked = preflight(machine(), LINE + b" crashkernel=\x1b[2J", release="7.3\x1b[2J")
    assert "\\" not in "".join(f"{item.text}{item.evidence}" for item in checked.checks)


def test_the_image_is_what_was_read() -> None:
    assert preflight(machine()).image == IMAGE
