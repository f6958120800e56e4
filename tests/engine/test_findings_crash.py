"""What a dump taken now would get wrong, in an operator's words."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kho_console.engine.observe import observe
from kho_console.model.finding import Severity
from kho_console.model.memory import MemoryRange
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.source.fixture import FixtureSource
from tests.engine.crash_machines import (
    CPUS,
    GIB,
    LOADED,
    MIB,
    REGION,
    VMCOREINFO,
    Span,
    core_header,
    crash_machine,
)
from tests.engine.machines import Case, Machine, check, edited, found, plain
from tests.fixture_folder import FixtureFolder
from tests.recordings import folder

CRASH = "linux-7.3.4/crash-loaded"
HOTPLUGGED = "linux-7.3.4/hotplugged"
MEMORY = "/sys/devices/system/memory"
IOMEM, NOTES = "/proc/iomem", "/sys/devices/system/cpu/cpu1/crash_notes"
RECORDED_IOMEM = {
    name: (folder(name) / "root/proc/iomem").read_text() for name in (CRASH, HOTPLUGGED)
}
KDUMP_TOOLS = "/usr/lib/udev/rules.d/50-kdump-tools.rules"
RELOADS = (
    '# memory\nSUBSYSTEM=="memory", ACTION=="online", PROGRAM="/usr/sbin/kdump-config try-reload"\n'
    'SUBSYSTEM=="cpu", ACTION=="add", RUN+="/usr/sbin/kdump-config try-reload"\n'
)
SKIPS = "".join(
    f'SUBSYSTEM=="{name}", ATTRS{{crash_hotplug}}=="1", GOTO="end"\n' for name in ("cpu", "memory")
)
RAM: tuple[Span, ...] = ((MIB, 0x7FFE_0000),)
DUMPED: tuple[Span, ...] = ((MIB, REGION[0]), (REGION[1], 0x7FFE_0000))


def made(content: bytes, change: Callable[[FixtureFolder], None] | None = None) -> Machine:
    def make(place: Path) -> Snapshot:
        machine = crash_machine(place / "made", RAM, [REGION], {REGION[0]: content})
        if change is not None:
            change(machine)
        return observe(machine.open())

    return make


def tight(ranges: int) -> Machine:
    """A segment of a page, where 68 ranges of memory fit, with so many in it."""
    cut = range(MIB, REGION[0], MIB)[: ranges - 2]
    starts = [MIB, *(at + MIB for at in cut)]
    pieces = zip(starts, [*starts[1:], REGION[0]], strict=True)
    return made(
        core_header([*pieces, DUMPED[1]]),
        lambda machine: machine.file("/sys/kernel/crash_elfcorehdr_size", "4032\n"),
    )


CASES = (
    Case(
        "crash-memory-missing",
        Severity.WARNING,
        (IOMEM, "System RAM 0x100000000 to 0x120000000"),
        edited(CRASH, {IOMEM: RECORDED_IOMEM[HOTPLUGGED]}),
        (plain(CRASH), plain(HOTPLUGGED), edited(CRASH, {IOMEM: None})),
    ),
    Case(
        "crash-memory-stale",
        Severity.WARNING,
        ("/proc/kcore", "PT_LOAD 0x100000000 to 0x120000000"),
        edited(HOTPLUGGED, {IOMEM: RECORDED_IOMEM[CRASH]}),
        (plain(HOTPLUGGED), edited(HOTPLUGGED, physmem=False)),
    ),
    Case(
        "crash-cpus-missing",
        Severity.WARNING,
        (NOTES, "not among the notes"),
        edited(CRASH, {NOTES: "3ed2b000\n"}),
        (plain(CRASH), edited(CRASH, {NOTES: None})),
    ),
    Case(
        "crash-vmcoreinfo",
        Severity.WARNING,
        ("/sys/kernel/vmcoreinfo", "not among the notes"),
        edited(CRASH, {"/sys/kernel/vmcoreinfo": "0x0000000040026000 2024\n"}),
        (plain(CRASH), edited(CRASH, {"/sys/kernel/vmcoreinfo": None})),
    ),
    Case(
        "crash-header-full",
        Severity.WARNING,
        ("/proc/kcore", "4096 of 4096 bytes"),
        tight(62),
        (plain(CRASH), tight(2), tight(61), tight(69)),
    ),
    Case(
        "crash-udev-reloads",
        Severity.WARNING,
        (KDUMP_TOOLS, "an event comes to a rule that loads, where crash_hotplug is 1"),
        edited(CRASH, {KDUMP_TOOLS: RELOADS}),
        (
            plain(CRASH),
            edited(CRASH, {KDUMP_TOOLS: SKIPS + RELOADS}),
            edited(CRASH, {KDUMP_TOOLS: RELOADS, LOADED: "0\n"}),
            edited(
                CRASH, {KDUMP_TOOLS: RELOADS, "/etc/udev/rules.d/50-kdump-tools.rules": "# none\n"}
            ),
            edited(
                CRASH,
                {KDUMP_TOOLS: RELOADS, "/sys/devices/system/memory/crash_hotplug": "0\n"},
            ),
            edited(CRASH, {"/usr/lib/udev/rules.d/98-kexec.rules": '# RUN+="kdump"\n'}),
        ),
    ),
    Case(
        "crash-residue",
        Severity.INFO,
        ("/proc/kcore", "ELF core header at 0x6f000000, 3 notes"),
        edited(CRASH, {LOADED: "0\n", "/sys/kernel/kexec/crash_loaded": "0\n"}),
        (plain(CRASH), plain("linux-7.3.4/cold")),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_the_words_of_a_miss(tmp_path: Path) -> None:
    """With the time of the event: the kernel rewrites the header for the last block, too."""
    edited(CRASH, {IOMEM: RECORDED_IOMEM[HOTPLUGGED]})(tmp_path)
    events = (folder(HOTPLUGGED) / "events.jsonl").read_text()
    (tmp_path / "machine/events.jsonl").write_text(events)
    snapshot = observe(FixtureSource(tmp_path / "machine"))
    (finding,) = found(snapshot, "crash-memory-missing")
    boot = snapshot.machine.boot_time
    assert not isinstance(boot, Unknown)
    when = f"{boot + timedelta(seconds=64.115):%H:%M:%S}"
    assert finding.text == (
        f"A dump taken now would miss 512 MiB (memory32-35), brought online at {when} UTC: "
        "the crash image was not updated."
    )


def test_memory_that_is_not_online_yet_is_no_alarm(tmp_path: Path) -> None:
    blocks = {
        f"/sys/devices/system/memory/memory{number}/state": "offline\n" for number in range(32, 36)
    }
    snapshot = edited(CRASH, {IOMEM: RECORDED_IOMEM[HOTPLUGGED], **blocks})(tmp_path)
    (finding,) = found(snapshot, "crash-memory-missing")
    assert finding.severity is Severity.INFO
    assert "512 MiB (memory32-35): it is offline" in finding.text


def test_of_memory_that_is_offline_in_part_the_rest_counts(tmp_path: Path) -> None:
    blocks = {f"{MEMORY}/memory{number}/state": "offline\n" for number in (34, 35)}
    snapshot = edited(CRASH, {IOMEM: RECORDED_IOMEM[HOTPLUGGED], **blocks})(tmp_path)
    (finding,) = found(snapshot, "crash-memory-missing")
    assert finding.severity is Severity.WARNING
    assert "would miss 256 MiB (memory32-33)" in finding.text


def test_a_kernel_that_updates_nothing_adds_nothing_when_memory_goes_online(tmp_path: Path) -> None:
    blocks = {f"{MEMORY}/memory{number}/state": "offline\n" for number in range(32, 36)}
    files = {IOMEM: RECORDED_IOMEM[HOTPLUGGED], f"{MEMORY}/crash_hotplug": "0\n", **blocks}
    (finding,) = found(edited(CRASH, files)(tmp_path), "crash-memory-missing")
    assert finding.severity is Severity.WARNING
    assert finding.text.endswith("(memory32-35): it is offline, so nothing is in it.")
    assert finding.remedy == "Load the crash image again once it is online."


@pytest.mark.parametrize(
    ("machine", "config", "spoken"),
    [
        ("aarch64", None, True),
        ("riscv64", None, True),
        ("s390x", None, True),
        ("x86_64", "CONFIG_KEXEC=y\n# CONFIG_CRASH_HOTPLUG is not set\n", True),
        ("x86_64", "CONFIG_CRASH_HOTPLUG=y\n", False),
        ("x86_64", None, False),
    ],
)
def test_a_kernel_that_updates_no_image(
    tmp_path: Path, machine: str, config: str | None, spoken: bool
) -> None:
    """It has no crash_hotplug; nor do we know of one without where that was not recorded."""
    folder = crash_machine(tmp_path, RAM, [REGION], {}, machine=machine)
    (folder.place / f"root{MEMORY}/crash_hotplug").unlink()
    if config is not None:
        folder.file("/boot/config-7.3.4", config)
    said = [finding.text for finding in found(observe(folder.open()), "crash-not-updatable")]
    assert [words.startswith("This kernel updates no crash image") for words in said] == (
        [True] if spoken else []
    )


def test_only_the_first_few_of_many_pieces_are_named(tmp_path: Path) -> None:
    """Every other 128 MiB below the region is not described, nor what lies behind it."""
    described = tuple((at * GIB // 8, at * GIB // 8 + GIB // 8) for at in range(1, 13, 2))
    (finding,) = found(made(core_header(described))(tmp_path), "crash-memory-missing")
    assert "(memory0, memory2, memory4, memory6, memory8 and 3 more)" in finding.text
    assert len(finding.evidence) == 5


def test_a_cpu_and_vmcoreinfo_of_another_boot_are_told_apart(tmp_path: Path) -> None:
    other = MemoryRange(VMCOREINFO.start, VMCOREINFO.size + 4096)
    one = made(core_header(DUMPED, cpus=CPUS[1:]))(tmp_path / "a")
    two = made(core_header(DUMPED, vmcoreinfo=other))(tmp_path / "b")
    (cpus,) = found(one, "crash-cpus-missing")
    assert "the registers of 1 CPU (cpu0)" in cpus.text
    assert not found(two, "crash-cpus-missing")
    assert found(two, "crash-vmcoreinfo")
    assert not found(one, "crash-vmcoreinfo")
