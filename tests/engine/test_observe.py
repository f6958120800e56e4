"""Whole machines of kernel releases that were never recorded."""

from pathlib import Path

import pytest

from kho_console.engine.observe import observe
from kho_console.model.blob import BlobState, KexecMetadata, LuoHeader
from kho_console.model.generation import Finalize, MapFormat, Protocol, State
from kho_console.model.memory import MemoryRange, ScratchRole
from kho_console.model.owner import Owner, OwnerKind
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Direction
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.abi import kernel_trees
from tests.abi.page_memory import PageMemory
from tests.engine import releases
from tests.engine.answers import kind_of, map_of, names, tree_of, unknown
from tests.fixture_folder import KHO, FixtureFolder
from tests.fuzz.overlay import Overlay
from tests.recordings import folder

# --- 6.17: bitmaps of 512 bytes


def test_6_17_finalized(tmp_path: Path) -> None:
    snapshot = observe(releases.linux_6_17(tmp_path).open())
    assert kind_of(snapshot) == (
        Protocol.KHO_V1,
        Finalize.REVERSIBLE,
        State.FINALIZED,
        "6.16 to 6.18",
    )
    found = map_of(snapshot)
    assert (found.format, found.tie) == (MapFormat.CHUNKS_512, None)
    assert (found.bytes, found.blocks_by_order) == (0x5000, {0: 3, 1: 1})
    assert list(found.ranges) == [
        MemoryRange(0x82E000, 0x1000),
        MemoryRange(0x7000000, 0x1000),
        MemoryRange(0x3FFD5000, 0x3000),
    ]
    ownership = snapshot.inventory.ownership
    assert not isinstance(ownership, Unknown)
    assert ownership.bytes_by_owner() == {
        Owner(OwnerKind.ROOT_TREE): 0x1000,
        Owner(OwnerKind.BLOB, b"memblock"): 0x1000,
        Owner(OwnerKind.RESERVE_MEM, b"trace"): 0x3000,
    }
    assert not isinstance(snapshot.scratch, Unknown)
    assert [(item.role, item.node) for item in snapshot.scratch[2:]] == [(ScratchRole.NODE, 0)]


def test_6_17_aborted(tmp_path: Path) -> None:
    """Before finalize the files of 6.16 to 6.18 are not there; a failed one leaves blobs behind."""
    made = FixtureFolder(tmp_path, "6.17.8")
    made.scratch([(0x10000000, 16 << 20), (0, 0), (0x14000000, 32 << 20)])
    made.file(f"{KHO}/out/finalize", "0\n")
    made.file(f"{KHO}/out/sub_fdts/memblock", b"left behind")
    snapshot = observe(made.open())
    assert kind_of(snapshot)[1:3] == (Finalize.REVERSIBLE, State.OPEN)
    assert snapshot.inventory.preserved == Unknown(Cause.NOT_YET, "not finalized yet")
    assert unknown(snapshot.outgoing.tree).cause is Cause.ABSENT
    memblock = snapshot.outgoing.blob(b"memblock")
    assert memblock is not None
    assert memblock.state is BlobState.INVALID


def test_finalize_that_lockdown_keeps_shut(tmp_path: Path) -> None:
    """Mode 0600 is closed under lockdown; the tree is there while finalized only."""
    made = releases.linux_6_17(tmp_path)
    made.unreadable(f"{KHO}/out/finalize", 1)
    snapshot = observe(made.open())
    assert kind_of(snapshot)[1:3] == (Finalize.REVERSIBLE, State.FINALIZED)
    assert map_of(snapshot).bytes == 0x5000


# --- 6.19: finalize latches, the window is short


def test_6_19_not_finalized(tmp_path: Path) -> None:
    snapshot = observe(releases.linux_6_19(tmp_path, finalized=False).open())
    assert kind_of(snapshot) == (Protocol.KHO_V1, Finalize.LATCHING, State.OPEN, "6.19 and 7.0")
    tree = tree_of(snapshot.outgoing)
    assert (tree.window, tree.flat.totalsize, tree.map_address) == (152, 220, 0)
    assert snapshot.inventory.preserved == Unknown(Cause.NOT_YET, "not finalized yet")
    assert names(snapshot.outgoing) == [b"LUO", b"memblock"]
    luo = snapshot.outgoing.blob(b"LUO")
    assert luo is not None
    assert unknown(luo.address).cause is Cause.TRUNCATED
    assert isinstance(luo.payload, LuoHeader)
    sessions = snapshot.inventory.sessions
    assert not isinstance(sessions, Unknown)
    assert [(item.name, item.direction) for item in sessions] == [(b"vm-one", Direction.OUTGOING)]


def test_6_19_finalized(tmp_path: Path) -> None:
    snapshot = observe(releases.linux_6_19(tmp_path, finalized=True).open())
    assert kind_of(snapshot) == (
        Protocol.KHO_V1,
        Finalize.LATCHING,
        State.FINALIZED,
        "6.19 and 7.0",
    )
    found = map_of(snapshot)
    assert (found.format, found.tie) == (MapFormat.CHUNKS_PAGE, None)
    assert (found.bytes, found.blocks_by_order) == (0x6000, {0: 4, 1: 1})
    tree = tree_of(snapshot.outgoing)
    assert (tree.window, tree.window_truncated, tree.address) == (152, True, 0x5FD2000)
    luo = snapshot.outgoing.blob(b"LUO")
    assert luo is not None
    assert luo.address == 0x5FD1000
    ownership = snapshot.inventory.ownership
    assert not isinstance(ownership, Unknown)
    assert Owner(OwnerKind.UNATTRIBUTED) not in ownership.bytes_by_owner()


def test_6_19_without_its_kexec_folder(tmp_path: Path) -> None:
    """A tree before finalize tells 6.19 as well."""
    made = releases.linux_6_19(tmp_path, finalized=False)
    made.unreadable("/sys/kernel/kexec", 2)
    assert observe(made.open()).generation.finalize is Finalize.LATCHING


def test_6_19_under_lockdown(tmp_path: Path) -> None:
    for finalized, state in ((False, State.OPEN), (True, State.FINALIZED)):
        made = releases.linux_6_19(tmp_path / state, finalized=finalized)
        made.unreadable(f"{KHO}/out/finalize", 1)
        assert observe(made.open()).state is state


# --- 7.2 to 7.4, and arm64


def test_7_2(tmp_path: Path) -> None:
    snapshot = observe(releases.stateless(tmp_path, "7.2.13").open())
    assert kind_of(snapshot) == (Protocol.KHO_V4, Finalize.NONE, State.STATELESS, "7.2 and 7.3")
    found = map_of(snapshot)
    assert (found.format, found.bytes) == (MapFormat.RADIX, 7 * 4096)
    assert found.blocks_by_order == {0: 5, 1: 1}
    tree = tree_of(snapshot.outgoing)
    assert (tree.window, tree.flat.totalsize, tree.address) == (233, 345, 0x103000)
    assert (snapshot.kexec_count, snapshot.booted_through_handover) == (0, False)
    metadata = snapshot.outgoing.blob(b"kexec-metadata")
    assert metadata is not None
    assert metadata.payload == KexecMetadata(1, b"7.2.13", 1)


def test_7_2_without_physical_memory(tmp_path: Path) -> None:
    made = releases.stateless(tmp_path, "7.2.13")
    for file in (tmp_path / "physmem").iterdir():
        file.unlink()
    snapshot = observe(made.open())
    missing = unknown(snapshot.inventory.preserved)
    assert (missing.cause, missing.reason) == (
        Cause.NOT_RECORDED,
        "memory at 0x400000: not recorded",
    )
    tree = tree_of(snapshot.outgoing)
    assert (tree.flat.totalsize, len(tree.pointers)) == (345, 2)


def test_a_map_at_address_0(tmp_path: Path) -> None:
    made = releases.stateless(tmp_path, "7.2.13")
    place = tmp_path / "root" / f"{KHO}/out/fdt"[1:]
    content = bytearray(place.read_bytes())
    content[96:104] = bytes(8)
    place.write_bytes(content)
    assert unknown(observe(made.open()).inventory.preserved).cause is Cause.INVALID


def test_7_4(tmp_path: Path) -> None:
    made = releases.stateless(tmp_path, "7.4.0", word="kho-v5", areas="bootmem")
    snapshot = observe(made.open())
    assert kind_of(snapshot) == (
        Protocol.UNKNOWN,
        Finalize.NONE,
        State.STATELESS,
        "7.4 and later",
    )
    assert tree_of(snapshot.outgoing).compatible == b"kho-v5"
    assert unknown(snapshot.inventory.preserved).cause is Cause.UNSUPPORTED
    assert names(snapshot.outgoing) == [b"LUO", b"kexec-metadata", b"memblock"]
    assert not isinstance(snapshot.scratch, Unknown)
    assert [item.size for item in snapshot.scratch] == [16 << 20, 0, 32 << 20]


@pytest.mark.parametrize("word", ["kho-v2", "kho-v5", "kho-v99", "other"])
def test_words_that_no_release_has(tmp_path: Path, word: str) -> None:
    snapshot = observe(releases.stateless(tmp_path, "7.3.4", word=word).open())
    assert snapshot.generation.protocol is Protocol.UNKNOWN
    assert unknown(snapshot.inventory.preserved).cause is Cause.UNSUPPORTED
    assert len(tree_of(snapshot.outgoing).pointers) == 2


def test_arm64_with_64_kib_pages(tmp_path: Path) -> None:
    snapshot = observe(releases.arm64(tmp_path).open())
    assert kind_of(snapshot)[:3] == (Protocol.KHO_V4, Finalize.NONE, State.STATELESS)
    assert (snapshot.machine.architecture, snapshot.machine.page_size) == ("aarch64", 65536)
    found = map_of(snapshot)
    assert (found.bytes, found.blocks_by_order) == (7 * 65536, {0: 5, 1: 1})
    assert tree_of(snapshot.outgoing).address == 0x1030000
    assert (snapshot.offered, snapshot.booted_through_handover) == (True, False)


# --- before mainline, and no KHO


def test_the_v6_series(tmp_path: Path) -> None:
    snapshot = observe(releases.series_v6(tmp_path).open())
    assert kind_of(snapshot) == (
        Protocol.KHO_V1,
        Finalize.REVERSIBLE,
        State.FINALIZED,
        "the v6 series of 2025, never in a release",
    )
    assert unknown(snapshot.inventory.preserved) == Unknown(
        Cause.ABSENT, "the root tree names no preserved-memory map"
    )
    assert names(snapshot.outgoing) == [b"memblock"]


@pytest.mark.parametrize(("active", "state"), [(True, State.FINALIZED), (False, State.OPEN)])
def test_the_2024_series(tmp_path: Path, active: bool, state: State) -> None:
    snapshot = observe(releases.series_2024(tmp_path, active=active).open())
    assert kind_of(snapshot) == (
        Protocol.RFC_2024,
        Finalize.ACTIVE_FILE,
        state,
        "the 2024 series, never in a release",
    )
    assert not isinstance(snapshot.scratch, Unknown)
    (area,) = snapshot.scratch
    assert (area.role, area.address, area.size) == (ScratchRole.GLOBAL, 4 << 30, 256 << 20)
    assert snapshot.unavailable is None
    found = snapshot.inventory.preserved
    if not active:
        assert unknown(found) == Unknown(Cause.NOT_YET, "not active yet")
        assert names(snapshot.outgoing) == []
        return
    assert names(snapshot.outgoing) == [b"guest"]
    assert isinstance(found, PreservedMap)
    assert found.format is MapFormat.MEM_ARRAYS
    # Half a page into one page and half into the next one keeps both.
    assert list(found.ranges.pairs()) == [(512 << 20, 514 << 20), (768 << 20, (768 << 20) + 8192)]


def test_no_kho_at_all(tmp_path: Path) -> None:
    snapshot = observe(FixtureFolder(tmp_path, "6.12.0").open())
    assert kind_of(snapshot) == (Protocol.NONE, Finalize.NONE, State.UNAVAILABLE, "none")
    reason = Unknown(Cause.ABSENT, "/sys/kernel/debug/kho is not there")
    assert snapshot.unavailable == reason
    assert snapshot.inventory.preserved == reason
    for value in (snapshot.scratch, snapshot.outgoing.tree, snapshot.outgoing.blobs):
        assert unknown(value).cause is Cause.ABSENT
    assert (snapshot.booted_through_handover, snapshot.offered) == (False, False)


@pytest.mark.parametrize("path", ["/sys/kernel/debug", "/sys/kernel/debug/kho", f"{KHO}/out"])
def test_debugfs_that_may_not_be_read(tmp_path: Path, path: str) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    made.unreadable(path, 13)
    snapshot = observe(made.open())
    assert snapshot.generation.protocol is Protocol.UNKNOWN
    assert snapshot.state is State.UNAVAILABLE
    assert snapshot.unavailable is not None
    assert snapshot.unavailable.cause is Cause.NOT_PERMITTED
    for value in (
        snapshot.scratch,
        snapshot.outgoing.tree,
        snapshot.outgoing.blobs,
        snapshot.inventory.preserved,
        snapshot.kexec_count,
    ):
        assert unknown(value).cause is Cause.NOT_PERMITTED


def test_debugfs_somewhere_else(tmp_path: Path) -> None:
    made = releases.stateless(tmp_path, "7.3.4")
    kernel = tmp_path / "root/sys/kernel"
    (kernel / "debug").rename(kernel / "my debug")
    made.file("/proc/mounts", "none /sys/kernel/my\\040debug debugfs rw 0 0\n")
    snapshot = observe(made.open())
    assert snapshot.debugfs == "/sys/kernel/my debug"
    assert map_of(snapshot).bytes == 7 * 4096


def test_a_blob_of_another_size_than_its_tree_says(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    made.scratch([(0x10000000, 1 << 20), (0, 0)])
    tree = kernel_trees.with_blob(kernel_trees.root("kho-v4", 4096), "newcomer", 0x5000, 7)
    made.file(f"{KHO}/out/fdt", tree)
    made.file(f"{KHO}/out/sub_fdts/newcomer", b"12345678")
    blob = observe(made.open()).outgoing.blob(b"newcomer")
    assert blob is not None
    assert blob.state is BlobState.INVALID
    assert blob.reason == "the root tree says 7 bytes, the file has 8"
    assert blob.address == 0x5000


def test_a_blob_that_may_not_be_read_has_the_size_its_tree_says(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    made.scratch([(0x10000000, 1 << 20), (0, 0)])
    tree = kernel_trees.with_blob(kernel_trees.root("kho-v4", 4096), "newcomer", 0x5000, 7)
    made.file(f"{KHO}/out/fdt", tree)
    made.file(f"{KHO}/out/sub_fdts/newcomer", b"")
    made.unreadable(f"{KHO}/out/sub_fdts/newcomer", 13)
    blob = observe(made.open()).outgoing.blob(b"newcomer")
    assert blob is not None
    assert blob.size == 7
    assert isinstance(blob.state, Unknown)
    assert blob.state.cause is Cause.NOT_PERMITTED
    assert isinstance(blob.content, Unknown)


def test_a_handover_that_was_offered_and_does_not_show_is_no_cold_boot(tmp_path: Path) -> None:
    """A kernel without KEXEC_HANDOVER_DEBUGFS: setup_data alone tells of the handover."""
    made = FixtureFolder(tmp_path, "7.3.4")
    made.file("/sys/kernel/boot_params/setup_data/0/type", "0xa\n")
    made.file("/sys/kernel/boot_params/setup_data/0/data", bytes(32))
    made.directory("/sys/kernel/debug")
    made.session(66, 5, "vm")
    snapshot = observe(made.open())
    assert snapshot.offered is True
    for value in (
        snapshot.booted_through_handover,
        snapshot.incoming,
        snapshot.previous_release,
        snapshot.inventory.waiting,
    ):
        assert isinstance(value, Unknown)
        assert "whether it was taken does not show" in value.reason
    assert not isinstance(snapshot.inventory.sessions, Unknown)
    assert [item.direction for item in snapshot.inventory.sessions] == [Direction.UNKNOWN]


def test_processes_that_were_not_recorded_are_not_no_sessions(tmp_path: Path) -> None:
    place = tmp_path / "bare"
    place.mkdir()
    (place / "manifest.json").write_text(
        '{"format": 1, "release": "7.3.4", "machine": "x86_64", "page_size": 4096,'
        ' "captured_at": "2026-11-21T00:48:00Z"}'
    )
    snapshot = observe(FixtureSource(place))
    assert isinstance(snapshot.inventory.sessions, Unknown)
    assert snapshot.inventory.sessions.cause is Cause.NOT_RECORDED


def test_a_light_look_does_not_read_physical_memory() -> None:
    source = FixtureSource(folder("linux-7.3.4/restored"))
    first = observe(source)
    blind = Overlay(source, {}, PageMemory({}, 4096))
    second = observe(blind, first)
    assert not isinstance(second.incoming, Unknown)
    luo = second.incoming.blob(b"LUO")
    assert luo is not None
    assert (luo.state, luo.reason) == (BlobState.VALID, "")


def test_a_checked_blob_that_changes_is_not_believed_any_longer() -> None:
    source = FixtureSource(folder("linux-7.3.4/restored"))
    first = observe(source)
    path = f"{KHO}/in/sub_fdts/LUO"
    changed = bytearray(source.read(path))
    changed[8] ^= 1
    second = observe(Overlay(source, {path: bytes(changed)}, source.memory), first)
    assert not isinstance(second.incoming, Unknown)
    luo = second.incoming.blob(b"LUO")
    assert luo is not None
    assert luo.state is BlobState.STALE


def test_metadata_that_may_not_be_read_is_not_one_that_never_came(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    made.scratch([(0x10000000, 1 << 20), (0, 0)])
    made.file(f"{KHO}/in/fdt", kernel_trees.root("kho-v4", 4096))
    made.directory(f"{KHO}/in/sub_fdts")
    made.unreadable(f"{KHO}/in/sub_fdts", 13)
    release = observe(made.open()).previous_release
    assert isinstance(release, Unknown)
    assert release.cause is Cause.NOT_PERMITTED
