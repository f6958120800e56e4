"""What a dump would contain while memory comes and goes; the scenes follow one another."""

import json
import os
import re
from typing import Any

import pytest

from kho_console.abi import elf, elfcorehdr
from kho_console.source.live.uevents import RECEIVE_BUFFER
from tests.vm import machine
from tests.vm.guest import INSIDE, PYTHON, Guest
from tests.vm.scenes.facts import finding_ids

MEMORY = "/sys/devices/system/memory"
DROPPED = "kexec_trylock() failed"
PREPARED = "Loaded ELF headers at"
LARGE_INITRD = 96 << 20
"""Bytes that a load has to hash and to copy after it has written down which memory there is."""

X86_64 = 62
WATCHED = "/run/watch.jsonl"
UUID = "8c1f5a52-3d0e-4f6b-9a47-0d2b6c7e1f93"
FILL = 1024
"""Bytes that an event is made larger by; the kernel has 2 KiB for all that it says."""

BIG = 2048 * machine.MIB
ROUNDS = 4


def APPLIES(series: tuple[int, int]) -> bool:  # noqa: N802
    return series >= (6, 18)


def test_the_header_is_what_readelf_says(guest: Guest) -> None:
    _need_readelf(guest)
    guest.run(f"echo online_movable > {MEMORY}/auto_online_blocks")
    guest.python("image.py", "load-crash", "console=ttyS0")
    crash = guest.document("crash")
    assert crash["armed"] is True
    assert (crash["coverage"]["missing"], crash["coverage"]["stale"]) == ([], [])
    possible = guest.read("/sys/devices/system/cpu/possible")
    assert crash["cpus"]["noted"] == int(possible.split("-")[-1]) + 1
    assert [load["kind"] for load in crash["elfcorehdr"]["loads"]].count("text") == 1
    _same_as_readelf(guest, crash)


def test_a_new_dimm_is_covered(guest: Guest) -> None:
    _need_readelf(guest)
    dimm = _plug(guest, "first", machine.DIMM)
    crash = guest.document("crash")
    assert (crash["coverage"]["missing"], crash["coverage"]["stale"]) == ([], [])
    assert {**dimm, "kind": "memory"} in crash["elfcorehdr"]["loads"]
    _same_as_readelf(guest, crash)


def test_a_dimm_that_is_gone_is_stale(guest: Guest) -> None:
    (dimm,) = [
        {"address": load["address"], "size": load["size"]}
        for load in guest.document("crash")["elfcorehdr"]["loads"]
        if load["size"] == machine.DIMM
    ]
    blocks = _blocks(guest, dimm)
    for name in blocks:
        guest.run(f"echo offline > {MEMORY}/{name}/state")
    guest.command("device_del", id="first")
    guest.run(f"while test -e {MEMORY}/{blocks[-1]} -o -e {MEMORY}/{blocks[0]}; do sleep 0.2; done")
    crash = guest.document("crash")
    assert crash["coverage"]["stale"] == [dimm]
    assert crash["coverage"]["missing"] == []
    assert "crash-memory-stale" in finding_ids(guest.document("status"))


def test_a_storm_arrives_whole_or_is_told_as_lost(guest: Guest) -> None:
    _watch(guest)
    blocks = _blocks(guest, _plug(guest, "big", BIG))
    states = " ".join(f"{MEMORY}/{name}/state" for name in blocks)
    guest.run(
        f"for round in $(seq {ROUNDS}); do for action in offline online_movable; do "
        f"for state in {states}; do echo $action > $state; done; done; done",
        240,
    )
    # Two for the block's coming, and two for each round; the CPU's are more.
    wanted = len(blocks) * (2 + 2 * ROUNDS)
    _wait(guest, f"""test $(grep '"event"' {WATCHED} | grep -c '"memory"') -ge {wanted}""")
    heard = _watched(guest)
    told = {name: _actions(heard, name) for name in blocks}
    whole = ["add", "online", *["offline", "online"] * ROUNDS]
    if any(actions != whole for actions in told.values()):
        assert any(item["kind"] == "gap" for item in heard)
    named = _named_by_gaps(heard)
    assert [name for name in blocks if told[name][-1:] != ["online"] and name not in named] == []
    coverage = guest.document("crash")["coverage"]
    assert (coverage["missing"], coverage["stale"]) == ([], [])


def test_a_gap_names_what_a_full_buffer_kept_back(guest: Guest) -> None:
    """A console that is stopped hears nothing, and the kernel drops what does not fit."""
    movable = guest.run(f"grep -lx Movable {MEMORY}/memory[0-9]*/valid_zones").split()
    name = movable[-1].split("/")[-2]
    _watch(guest)
    event = f"change {UUID} FILL={'a' * FILL}"
    guest.run(
        f"kill -STOP $(cat /run/watch.pid); for turn in $(seq {RECEIVE_BUFFER // FILL * 2}); do "
        f"echo {event} > {MEMORY}/{name}/uevent; done; "
        f"echo offline > {MEMORY}/{name}/state; kill -CONT $(cat /run/watch.pid)",
        240,
    )
    _wait(guest, f"grep '\"gap\"' {WATCHED} | grep -q {name}")
    heard = _watched(guest)
    guest.run(f"echo online_movable > {MEMORY}/{name}/state")
    assert _actions(heard, name) == []
    assert [item["reason"] for item in heard if item["kind"] == "lost"] == [
        "the receive buffer of kernel events overflowed"
    ]
    assert _named_by_gaps(heard) == {name}


def test_memory_that_comes_during_a_load_is_missed(guest: Guest) -> None:
    os.truncate(guest.share / "initrd", LARGE_INITRD)
    before = _logged(guest, DROPPED)
    for name in ("raced", "raced-again"):
        dimm = _plugged_during_a_load(guest, name)
        if _logged(guest, DROPPED) > before:
            break
    else:
        pytest.fail("each load was over before the memory was online")
    crash = guest.document("crash")
    assert crash["armed"] is True
    assert crash["coverage"]["missing"] == [dimm]

    guest.run(f"echo offline > {MEMORY}/{_blocks(guest, dimm)[-1]}/state")
    assert guest.document("crash")["coverage"]["missing"] == []


def _plugged_during_a_load(guest: Guest, name: str) -> dict[str, int]:
    """Plug a DIMM in after the load has written down which memory there is."""
    prepared = _logged(guest, PREPARED)
    guest.run(
        f"{PYTHON} -ISB {INSIDE / 'image.py'} load-crash-debug console=ttyS0 </dev/null "
        ">/run/load.log 2>&1 & echo $! > /run/load.pid; "
        f"until test $(dmesg | grep -c '{PREPARED}') -gt {prepared}; do sleep 0.02; done",
        120,
    )
    dimm = _plug(guest, name, machine.DIMM)
    guest.run("while test -e /proc/$(cat /run/load.pid)/maps; do sleep 0.1; done", 120)
    assert guest.read("/run/load.log") == ""
    return dimm


def _need_readelf(guest: Guest) -> None:
    if guest.try_run("command -v readelf").code:
        pytest.skip("readelf is not installed (Debian: binutils)")


def _logged(guest: Guest, words: str) -> int:
    return int(guest.try_run(f"dmesg | grep -cF '{words}'").out)


def _plug(guest: Guest, name: str, size: int) -> dict[str, int]:
    """Plug a DIMM in, wait until all of its blocks are online, and tell where it is."""
    before = _memory_blocks(guest)
    guest.command(
        "object-add", **{"qom-type": "memory-backend-ram", "id": f"of-{name}", "size": size}
    )
    guest.command("device_add", driver="pc-dimm", id=name, memdev=f"of-{name}", node=1)
    bytes_each = int(guest.read(f"{MEMORY}/block_size_bytes"), 16)
    wanted = len(before) + size // bytes_each
    guest.run(
        f"until test $(cat {MEMORY}/memory[0-9]*/state | grep -cx online) -ge {wanted}; "
        "do sleep 0.1; done",
        120,
    )
    new = _memory_blocks(guest) - before
    return {"address": min(new) * bytes_each, "size": len(new) * bytes_each}


def _memory_blocks(guest: Guest) -> set[int]:
    found = guest.run(f"ls -d {MEMORY}/memory[0-9]*").split()
    return {int(path.rpartition("memory")[2]) for path in found}


def _blocks(guest: Guest, dimm: dict[str, int]) -> list[str]:
    size = int(guest.read(f"{MEMORY}/block_size_bytes"), 16)
    first, count = dimm["address"] // size, dimm["size"] // size
    return [f"memory{number}" for number in range(first, first + count)]


def _watch(guest: Guest) -> None:
    """Start a console that watches, and wait until it has heard of something."""
    guest.run(
        f"rm -f {WATCHED}; {PYTHON} -m kho_console watch --json </dev/null >{WATCHED} "
        "2>/run/watch.log & echo $! > /run/watch.pid; "
        f"until test -s {WATCHED}; do for state in 0 1; do "
        "echo $state > /sys/devices/system/cpu/cpu1/online; sleep 0.3; done; done",
        120,
    )


def _wait(guest: Guest, true: str) -> None:
    """Wait for something that may never become true, and end the console that watches."""
    guest.run(
        f"for turn in $(seq 100); do {true} && break; sleep 0.3; done; "
        "kill $(cat /run/watch.pid); "
        "while test -e /proc/$(cat /run/watch.pid)/maps; do sleep 0.2; done",
        90,
    )


def _watched(guest: Guest) -> list[dict[str, Any]]:
    return [json.loads(line) for line in guest.read(WATCHED).splitlines()]


def _actions(heard: list[dict[str, Any]], device: str) -> list[str]:
    return [
        item["action"] for item in heard if item["kind"] == "event" and item["device"] == device
    ]


def _named_by_gaps(heard: list[dict[str, Any]]) -> set[str]:
    """Memory blocks of which re-scans said that they changed without an event."""
    found = [item["found"] or "" for item in heard if item["kind"] == "gap"]
    runs = [match for words in found for match in re.findall(r"memory(\d+)(?:-(\d+))?", words)]
    return {
        f"memory{number}"
        for first, last in runs
        for number in range(int(first), int(last or first) + 1)
    }


def _same_as_readelf(guest: Guest, crash: Any) -> None:
    """The header as the console reads and shows it, against readelf on the same bytes."""
    shown = crash["elfcorehdr"]
    start = crash["regions"][-1]["address"]
    assert shown["address"] == start
    skip = next(
        int(row[1], 16) + start - int(row[3], 16)
        for row in _rows(guest.try_run("readelf -lW /proc/kcore", 120).out, "LOAD")
        if int(row[3], 16) <= start < int(row[3], 16) + int(row[5], 16)
    )
    guest.run(
        f"dd if=/proc/kcore of=/run/share/elfcorehdr iflag=skip_bytes bs=64K count=1 skip={skip} "
        "2>/run/dd.log"
    )
    header = elfcorehdr.read((guest.share / "elfcorehdr").read_bytes())
    said = guest.run("readelf -hlW /run/share/elfcorehdr")
    assert _fields(said) >= {
        ("Class", "ELF64"),
        ("Data", "2's complement, little endian"),
        ("Type", "CORE (Core file)"),
        ("Machine", "Advanced Micro Devices X86-64"),
        ("Start of program headers", f"{elf.HEADER_SIZE} (bytes into file)"),
        ("Size of program headers", f"{elf.PROGRAM_HEADER_SIZE} (bytes)"),
        ("Number of program headers", str(header.entries)),
    }
    assert (header.machine, header.little_endian) == (X86_64, True)
    notes = [["NOTE", note.start, 0, note.start, note.size, note.size] for note in header.notes]
    loads = [
        [
            "LOAD",
            load.range.start if load.copy is None else load.copy,
            load.virtual,
            load.range.start,
            load.range.size,
            load.range.size,
        ]
        for load in header.loads
    ]
    assert notes + loads == [
        [row[0], *(int(word, 16) for word in row[1:6])] for row in _rows(said, "NOTE", "LOAD")
    ]
    assert (shown["entries"], shown["notes"]) == (header.entries, len(header.notes))
    assert shown["loads"] == [
        {"address": load.range.start, "size": load.range.size, "kind": load.kind}
        for load in header.loads
    ]


def _rows(said: str, *kinds: str) -> list[list[str]]:
    """Program headers: type, offset, virtual and physical address, size in file and memory."""
    words = [line.split() for line in said.splitlines()]
    return [row for row in words if row[:1] and row[0] in kinds]


def _fields(said: str) -> set[tuple[str, str]]:
    """The fields of the ELF file header, by readelf's words for them."""
    parted = [line.partition(":") for line in said.splitlines()]
    return {(name.strip(), value.strip()) for name, _, value in parted}
