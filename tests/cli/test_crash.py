"""What the verb `crash` says of a dump, in words and as a document."""

import shutil
from pathlib import Path

import pytest

from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.engine.crash_machines import GIB, LOADED, MIB, REGION, block, core_header, crash_machine
from tests.recordings import folder

LOW = (MIB, 0x7FFE_0000)
DUMPED = ((MIB, REGION[0]), (REGION[1], 0x7FFE_0000))


def described(place: Path, *more: tuple[int, int]) -> str:
    """A machine with 512 MiB above 4 GiB whose header describes only `more` of what is there."""
    content = core_header((*DUMPED, *more))
    ram = (LOW, (4 * GIB, 4 * GIB + GIB // 2))
    machine = crash_machine(place, ram, [REGION], {REGION[0]: content}, second_node=range(32, 36))
    machine.open()
    return str(place)


def test_the_answer_comes_first(console: Console) -> None:
    lines = console("crash", "--source", "linux-7.3.4/hotplugged").out.splitlines()
    assert lines[:7] == [
        "crash         armed",
        "dump          would be complete",
        "memory        2.2 GiB (2,414,739,456 bytes) of 2.2 GiB",
        "CPUs          2 of 2 possible have notes",
        "vmcoreinfo    this kernel's",
        "room          4.0 KiB of 452.0 KiB, 3 of 8,260 ranges",
        "header        7 entries at 0x0000_6f00_0000",
    ]
    assert max(len(line) for line in lines) <= 80


def test_what_a_dump_would_miss_and_where(console: Console, tmp_path: Path) -> None:
    place = described(tmp_path, (6 * GIB, 6 * GIB + 128 * MIB))
    lines = console("crash", "--source", place).out.splitlines()
    words = "would miss 512.0 MiB and describe 128.0 MiB that is gone"
    assert lines[1] == f"dump          {words}"
    assert lines[-2:] == [
        "missing       0x0001_0000_0000   512.0 MiB  memory32-35, node 1",
        "stale         0x0001_8000_0000   128.0 MiB  memory48",
    ]
    assert max(len(line) for line in lines) <= 80


def test_the_document(console: Console, tmp_path: Path) -> None:
    place = described(tmp_path, (4 * GIB, 4 * GIB + 384 * MIB))
    document = console("crash", "--source", place, "--json").document
    validate(document, "crash")
    assert (document["armed"], document["dump"]) == (True, "incomplete")
    assert document["cpus"] == {"noted": 2, "possible": 2, "without": []}
    header = document["elfcorehdr"]
    assert (header["address"], header["entries"], header["notes"]) == (REGION[0], 7, 3)
    assert [load["kind"] for load in header["loads"]] == ["text", *["memory"] * 3]
    assert document["coverage"]["missing"] == [{"address": 4 * GIB + 384 * MIB, "size": 128 * MIB}]
    assert document["coverage"]["stale"] == []
    assert (document["vmcoreinfo"], document["updatable"]) == (True, True)


def test_what_is_missing_and_offline_is_told_apart(console: Console, tmp_path: Path) -> None:
    place = described(tmp_path, (4 * GIB, 4 * GIB + 256 * MIB))
    (tmp_path / "root/sys/devices/system/memory/memory35/state").write_text("offline\n")
    lines = console("crash", "--source", place).out.splitlines()
    assert lines[1] == "dump          would miss 128.0 MiB"
    assert lines[-2:] == [
        "missing       0x0001_1000_0000   128.0 MiB  memory34, node 1",
        "offline       0x0001_1800_0000   128.0 MiB  memory35, node 1; not described",
    ]
    document = console("crash", "--source", place, "--json").document
    validate(document, "crash")
    assert document["coverage"]["idle"] == [{"address": 4 * GIB + 384 * MIB, "size": 128 * MIB}]


def test_what_an_unloaded_image_left_arms_nothing(console: Console, tmp_path: Path) -> None:
    place = described(tmp_path)
    (tmp_path / "root" / LOADED[1:]).write_text("0\n")
    lines = console("crash", "--source", place).out.splitlines()
    assert lines[:3] == [
        "crash         not armed: no image is loaded",
        "dump          none: a panic leaves no dump",
        "header        6 entries at 0x0000_6f00_0000, left behind by an unloaded image",
    ]
    document = console("crash", "--source", place, "--json").document
    validate(document, "crash")
    assert (document["armed"], document["coverage"]) == (False, None)
    assert document["dump"] == "none"
    assert document["elfcorehdr"]["residue"] is True


def test_an_offline_block_is_told_and_no_fault(console: Console, tmp_path: Path) -> None:
    ram = (LOW, (4 * GIB, 4 * GIB + GIB // 2))
    content = core_header((*DUMPED, ram[1]))
    machine = crash_machine(tmp_path, ram, [REGION], {REGION[0]: content})
    block(machine, 33, "offline")
    machine.open()
    lines = console("crash", "--source", str(tmp_path)).out.splitlines()
    assert lines[1] == "dump          would be complete"
    words = "0x0001_0800_0000   128.0 MiB  memory33, node 0; described"
    assert lines[-1] == f"offline       {words}"


def test_a_dump_is_not_called_complete_where_its_notes_are_not_known(
    console: Console, tmp_path: Path
) -> None:
    place = described(tmp_path, (4 * GIB, 4 * GIB + GIB // 2))
    assert "\ndump          would be complete\n" in console("crash", "--source", place).out
    (tmp_path / "root/sys/devices/system/cpu/cpu1/crash_notes").unlink()
    out = console("crash", "--source", place).out
    assert "\ndump          would hold all memory; whether it has all notes is not known\n" in out
    cpus = console("crash", "--source", place, "--json").document["cpus"]
    assert (cpus["noted"], cpus["without"]) == (2, None)


@pytest.mark.parametrize("loaded", ["banana\n", None])
def test_no_verdict_where_nobody_knows_whether_an_image_is_loaded(
    console: Console, tmp_path: Path, loaded: str | None
) -> None:
    place = described(tmp_path, (4 * GIB, 4 * GIB + GIB // 2))
    assert console("crash", "--source", place, "--json").document["dump"] == "complete"
    file = tmp_path / "root" / LOADED[1:]
    file.unlink() if loaded is None else file.write_text(loaded)
    lines = console("crash", "--source", place).out.splitlines()
    assert lines[1] == "dump          whether a panic leaves one is not known"
    assert "b'" not in lines[0]
    assert console("crash", "--source", place, "--json").document["dump"] == "unknown"


def test_a_recording_says_when_it_was_taken_and_how_many_of_its_events_are_damaged(
    console: Console, tmp_path: Path
) -> None:
    copy = tmp_path / "machine"
    shutil.copytree(folder("linux-7.3.4/hotplugged"), copy)
    with (copy / "events.jsonl").open("a") as events:
        events.write("nonsense\n" * 3)
    lines = console("crash", "--source", str(copy)).out.splitlines()
    assert "read          when recorded, 2026-11-21 00:48:41 UTC" in lines
    assert "events        10 recorded, 3 unreadable" in lines


def test_a_size_of_nothing_is_no_room(console: Console, tmp_path: Path) -> None:
    place = described(tmp_path)
    (tmp_path / "root/sys/kernel/crash_elfcorehdr_size").write_text("0\n")
    document = console("crash", "--source", place, "--json").document
    assert document["room"] is None
    assert "0 bytes" in document["room_reason"]


def test_a_kernel_without_crash_hotplug_updates_nothing(console: Console, tmp_path: Path) -> None:
    place = described(tmp_path)
    (tmp_path / "root/sys/devices/system/memory/crash_hotplug").unlink()
    lines = console("crash", "--source", place).out.splitlines()
    words = "not by the kernel, which has no crash_hotplug: a change needs a reload"
    assert f"updated       {words}" in lines
