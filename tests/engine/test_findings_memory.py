"""Scratch, preserved memory, root trees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kho_console.abi import runs
from kho_console.model.finding import Severity
from kho_console.model.machine import Machine
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from tests.engine.machines import KHO, Case, check, edited, found, plain, recorded
from tests.recordings import folder

COLD = "linux-7.3.4/cold"
RESTORED = "linux-7.3.4/restored"
FINALIZED = "linux-6.18.15/finalized"
PHYS, LEN, FDT = f"{KHO}/out/scratch_phys", f"{KHO}/out/scratch_len", f"{KHO}/out/fdt"
IN_FDT = (folder(RESTORED) / "root/sys/kernel/debug/kho/in/fdt").read_bytes()

IN_MEMBLOCK = f"{KHO}/in/sub_fdts/memblock"
MEMBLOCK = (folder(RESTORED) / f"root{IN_MEMBLOCK}").read_bytes()
TWO_READINGS = (
    "libfdt refuses it (at 0x0: damaged tree: FDT_ERR_TRUNCATED), our reader takes all of it"
)

LOW_HALF = "00100000-3fffffff : System RAM\n"
"""RAM without node 1: a scratch area, the radix tree and preserved memory lie above it."""


def areas(*numbers: int) -> str:
    return "".join(f"0x{number:x}\n" for number in numbers)


def preserved(snapshot: Snapshot, **changes: object) -> Snapshot:
    """The same with another map of preserved memory."""
    known = snapshot.inventory.preserved
    assert not isinstance(known, Unknown)
    inventory = replace(snapshot.inventory, preserved=replace(known, **changes))  # type: ignore[arg-type]
    return replace(snapshot, inventory=inventory)


def owned(snapshot: Snapshot, rest: int, complete: bool) -> Snapshot:
    """The same with a map of 256 MiB of which `rest` bytes have no owner."""
    start, end = 0x1000_0000, 0x2000_0000
    owners = Ownership(
        np.array([start, start + rest], np.uint64),
        np.array([start + rest, end], np.uint64),
        np.array([0, 1], np.int32),
        (Owner(OwnerKind.UNATTRIBUTED), Owner(OwnerKind.RESERVE_MEM, b"oops")),
        complete,
    )
    changed = preserved(snapshot, ranges=runs.of_ranges([(start, end)]))
    return replace(changed, inventory=replace(changed.inventory, ownership=owners))


CASES = (
    Case(
        "scratch-missing",
        Severity.ERROR,
        (LEN, "0x0 0x0 0x0 0x0"),
        edited(COLD, {LEN: areas(0, 0, 0, 0)}),
        (plain(COLD), edited(COLD, {LEN: "0x0\n"}), edited(COLD, {KHO: None})),
    ),
    Case(
        "scratch-outside-ram",
        Severity.ERROR,
        (PHYS, "0x66000000, length 0x3800000"),
        edited(COLD, {"/proc/iomem": LOW_HALF}),
        (plain(COLD), edited(COLD, {"/proc/iomem": "00000000-00000000 : System RAM\n"})),
    ),
    Case(
        "scratch-overlap",
        Severity.ERROR,
        (PHYS, "0xf000000, length 0x3800000"),
        # node 1 moves into the last 20 MiB of node 0, and on into low memory.
        edited(COLD, {PHYS: areas(0x10400000, 0x7FC00000, 0xE000000, 0xF000000)}),
        # The empty global area may lie anywhere.
        (plain(COLD), edited(COLD, {PHYS: areas(0x10400000, 0x11000000, 0xE000000, 0x66000000)})),
    ),
    Case(
        "scratch-unreadable",
        Severity.ERROR,
        (PHYS, f"{KHO}/out/scratch_phys and _len: 4 addresses but 3 lengths"),
        edited(COLD, {LEN: areas(0x2E800000, 0, 0x2400000)}),
        (plain(COLD), edited(COLD, {KHO: None})),
    ),
    Case(
        "scratch-too-small",
        Severity.WARNING,
        (PHYS, "0x66000000, length 0x3fff000"),
        edited(COLD, {LEN: areas(0x1000000, 0, 0x2400000, 0x3FFF000)}),
        (
            plain(COLD),
            edited(COLD, {LEN: areas(0x1000000, 0, 0x2400000, 0x4000000)}),
            edited(COLD, {LEN: areas(0, 0, 0, 0)}),
        ),
    ),
    Case(
        "scratch-zero",
        Severity.INFO,
        (LEN, "0x0 for global"),
        plain(COLD),
        (
            edited(COLD, {LEN: areas(0x2E800000, 0x10000, 0x2400000, 0x3800000)}),
            edited(COLD, {LEN: areas(0, 0, 0, 0)}),
        ),
    ),
    Case(
        "tree-read-differently",
        Severity.WARNING,
        (IN_MEMBLOCK, TWO_READINGS),
        edited(RESTORED, {IN_MEMBLOCK: MEMBLOCK[:16] + b"\x10\0\0\0" + MEMBLOCK[20:]}),
        # A damaged or a cut tree is damaged for both readers.
        (
            plain(RESTORED),
            edited(RESTORED, {IN_MEMBLOCK: MEMBLOCK[:64] + b"\0\0\0\7" + MEMBLOCK[68:]}),
            edited(RESTORED, {IN_MEMBLOCK: MEMBLOCK[:100]}),
        ),
    ),
    Case(
        "map-outside-ram",
        Severity.ERROR,
        (FDT, "preserved-memory-map 0x400d7000"),
        edited(COLD, {"/proc/iomem": LOW_HALF}),
        (plain(COLD), plain("linux-7.3.4/hotplugged"), edited(COLD, {"/proc/iomem": None})),
    ),
    Case(
        "map-overlaps-scratch",
        Severity.ERROR,
        (f"{KHO}/out", "scratch 0x40000000 to 0x42400000"),
        edited(COLD, {PHYS: areas(0x10400000, 0x7FC00000, 0x40000000, 0x66000000)}),
        # An empty area holds nothing.
        (plain(COLD), edited(COLD, {PHYS: areas(0x10400000, 0x4046A000, 0xE000000, 0x66000000)})),
    ),
    Case(
        "map-unreadable",
        Severity.WARNING,
        (FDT, "preserved-memory-map 0x400d7000"),
        edited(COLD, physmem=False),
        (plain(COLD), plain(RESTORED), plain("linux-6.18.15/cold"), edited(COLD, {KHO: None})),
    ),
    Case(
        "generation-from-release",
        Severity.INFO,
        ("uname -r", "6.18.15"),
        lambda place: preserved(recorded(FINALIZED), tie="both bitmap sizes fit"),
        (plain(FINALIZED), plain("linux-6.18.15/cold")),
    ),
    Case(
        "owners-incomplete",
        Severity.INFO,
        ("unattributed", "33554432 of 268435456 bytes"),
        lambda place: owned(recorded(COLD), 32 << 20, True),
        (plain(COLD), lambda place: owned(recorded(COLD), 8 << 20, True)),
    ),
    Case(
        "tree-damaged",
        Severity.ERROR,
        (f"{KHO}/in/fdt", f"{KHO}/in/fdt: no device tree magic"),
        edited(RESTORED, {f"{KHO}/in/fdt": b"\0" + IN_FDT[1:]}),
        (plain(RESTORED), plain(COLD), plain(FINALIZED)),
    ),
    Case(
        "tree-unreadable",
        Severity.WARNING,
        (FDT, f"{FDT} is not there"),
        edited(COLD, {FDT: None}),
        (plain(COLD), plain(RESTORED), plain("linux-6.18.15/cold"), edited(COLD, {KHO: None})),
    ),
    Case(
        "tree-window",
        Severity.INFO,
        (FDT, "233 bytes, totalsize 345"),
        plain(COLD),
        (plain(FINALIZED), plain(RESTORED)),
    ),
    Case(
        "tree-hidden",
        Severity.INFO,
        (FDT, "not there"),
        plain(RESTORED),
        (plain(COLD), plain("linux-6.18.15/restored")),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_window_that_memory_does_not_complete(tmp_path: Path) -> None:
    [finding] = found(edited(COLD, physmem=False)(tmp_path), "tree-window")
    assert finding.severity is Severity.WARNING
    assert "some blobs have no known address" in finding.text


def test_cut_incoming_tree_is_damaged(tmp_path: Path) -> None:
    [finding] = found(edited(RESTORED, {f"{KHO}/in/fdt": IN_FDT[:200]})(tmp_path), "tree-damaged")
    assert finding.subject == "incoming root tree"


def test_cut_tree_of_a_kernel_without_window_is_damaged(tmp_path: Path) -> None:
    tree = (folder(FINALIZED) / "root/sys/kernel/debug/kho/out/fdt").read_bytes()
    snapshot = edited(FINALIZED, {FDT: tree[:140]}, physmem=False)(tmp_path)
    assert found(snapshot, "tree-damaged")
    assert not found(snapshot, "tree-window")


def test_tree_that_may_not_be_read(tmp_path: Path) -> None:
    [finding] = found(edited(COLD, unreadable={FDT: 13})(tmp_path), "tree-unreadable")
    assert finding.remedy == "Run as root."


def test_map_that_does_not_hold_together(tmp_path: Path) -> None:
    window = (folder(COLD) / f"root{FDT}").read_bytes()
    unaligned = window[:96] + (0x400D7008).to_bytes(8, "little") + window[104:]
    [finding] = found(edited(COLD, {FDT: unaligned})(tmp_path), "map-unreadable")
    assert finding.severity is Severity.ERROR


def test_search_for_owners_that_stopped() -> None:
    [finding] = found(owned(recorded(COLD), 4096, False), "owners-incomplete")
    assert "stopped at its limit: 4 KiB have no known owner" in finding.text


def test_zero_global_area_is_explained_by_memory_below_4_gib() -> None:
    assert ("/proc/iomem", "no System RAM above 4 GiB") in {
        (item.path, item.value) for item in found(recorded(COLD), "scratch-zero")[0].evidence
    }
    # The DIMM that came later lies above 4 GiB: memory as it is now explains nothing.
    [finding] = found(recorded("linux-7.3.4/hotplugged"), "scratch-zero")
    assert [item.path for item in finding.evidence] == [LEN]


def test_areas_of_7_4_are_called_bootmem(tmp_path: Path) -> None:
    files = {
        PHYS: None,
        LEN: None,
        f"{KHO}/out/bootmem_phys": areas(0x10400000, 0x7FC00000, 0xE000000, 0x66000000),
        f"{KHO}/out/bootmem_len": areas(0x2E800000, 0, 0x2400000, 0x3800000),
    }
    [finding] = found(edited(COLD, files, release="7.4.0")(tmp_path), "scratch-zero")
    assert finding.evidence[0].path == f"{KHO}/out/bootmem_len"


def test_arm64_zero_area_is_not_explained_by_4_gib() -> None:
    host: Machine = replace(recorded(COLD).machine, architecture="aarch64")
    [finding] = found(replace(recorded(COLD), machine=host), "scratch-zero")
    assert [item.path for item in finding.evidence] == [LEN]


def test_preserved_ranges_are_checked_against_each_piece_of_ram() -> None:
    cold = recorded(COLD)
    ram = cold.memory.ram
    assert not isinstance(ram, Unknown)
    across = runs.of_ranges([(ram[0].start, ram[1].start + 4096), (0x200000, 0x300000)])
    [finding] = found(preserved(cold, ranges=across), "map-outside-ram")
    assert finding.text.startswith("1 preserved range ")
    assert finding.evidence[1].value == "no System RAM over all of 0x1000 to 0x101000"


def test_empty_map_says_nothing() -> None:
    nothing = preserved(recorded(COLD), ranges=runs.empty())
    known = nothing.inventory.preserved
    assert isinstance(known, PreservedMap)
    assert not found(nothing, "map-outside-ram")
    assert not found(nothing, "map-overlaps-scratch")
