"""Folders made to mislead: each ends in a clear answer, written down here one by one."""

import errno
import shutil
from pathlib import Path

import pytest

from kho_console import text
from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.engine.observer import Observer
from kho_console.model.blob import BlobState
from kho_console.model.event import Event, EventsLost
from kho_console.model.generation import State
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture import FixtureError, FixtureSource
from tests.recordings import FIXTURES

HOSTILE = FIXTURES / "hostile"
KHO = "/sys/kernel/debug/kho"

NO_FIXTURES = {
    "manifest-is-missing": r"manifest\.json is not there; name a folder that holds manifest\.json",
    "manifest-of-wrong-types": "page_size is '4096'; it must be one of 4096, 16384, 65536",
    "manifest-of-format-2": "format is 2; this console reads format 1",
    "manifest-climbs-out": "it must be absolute and without `..`",
    "memory-overlaps": "overlaps 0x10000.bin; keep one copy of each page",
    "memory-in-pieces": "100 bytes at 0x10000 are no whole pages of 4096 bytes",
    "memory-misnamed": "is no 0xADDRESS.bin in lower-case hex; rename it",
    "page-flags-that-are-none": "page_flags: 12 is no hexadecimal number of 64 bits",
    "links-that-are-none": r"links: '/proc/1/fd/3' leads to \['x'\]; it must be text",
}

MAPS_REFUSED = {
    "radix-loop": ("a node of the radix tree stands in it twice", 0x10000),
    "radix-without-order": ("a leaf names blocks larger than any memory", 0x15000),
    "radix-beyond-memory": ("a node of the radix tree lies beyond 2^56", 0xFFFFFFFFFFFFF000),
    "chunks-loop": ("the chunk list does not end", 0x10000),
    "chunks-huge-claim": ("4294967295 entries where 255 fit", 0x1000C),
    "chunks-share-a-bitmap": ("two bitmaps of the chunk list share memory", 0x11000),
}

OTHERS = {
    "addresses-at-the-end",
    "config-without-end",
    "events-and-log-with-escapes",
    "everything-unreadable",
    "folders-in-place-of-files",
    "links-in-a-circle",
    "machine-contradicts-itself",
    "map-is-missing",
    "mount-with-escapes",
    "names-with-escapes",
    "nothing-recorded",
    "numbers-that-are-none",
    "scratch-counts-differ",
    "sessions-huge-claim",
    "tree-contradicts-itself",
    "tree-empty",
    "tree-huge-claim",
}


def seen(name: str) -> Snapshot:
    """The snapshot of a folder; that its findings can be told is part of every test."""
    snapshot = observe(FixtureSource(HOSTILE / name))
    diagnose(snapshot)
    return snapshot


def why(value: Maybe[object]) -> tuple[Cause, str]:
    assert isinstance(value, Unknown), value
    return value.cause, value.reason


def test_every_folder_has_its_test() -> None:
    folders = {item.name for item in HOSTILE.iterdir()}
    assert folders == NO_FIXTURES.keys() | MAPS_REFUSED.keys() | OTHERS


@pytest.mark.parametrize("name", NO_FIXTURES)
def test_what_is_no_fixture(name: str) -> None:
    with pytest.raises(FixtureError, match=NO_FIXTURES[name]):
        FixtureSource(HOSTILE / name)


@pytest.mark.parametrize("name", MAPS_REFUSED)
def test_maps_that_are_refused(name: str) -> None:
    snapshot = seen(name)
    reason, offset = MAPS_REFUSED[name]
    assert snapshot.inventory.preserved == Unknown(Cause.INVALID, reason, offset)
    assert snapshot.outgoing.preserved == snapshot.inventory.preserved
    assert isinstance(snapshot.outgoing.tree, RootTree)


def test_addresses_at_the_end() -> None:
    snapshot = seen("addresses-at-the-end")
    found = snapshot.inventory.preserved
    assert isinstance(found, PreservedMap)
    assert [(item.start, item.size) for item in found.ranges] == [(0x20000, 4096)]
    ownership = snapshot.inventory.ownership
    assert not isinstance(ownership, Unknown)
    assert sum(ownership.bytes_by_owner().values()) == 4096


def test_config_without_end() -> None:
    config = seen("config-without-end").machine.config
    assert why(config) == (
        Cause.INVALID,
        "/proc/config.gz: more than 8388608 bytes when expanded",
    )


def test_events_and_log_with_escapes() -> None:
    source = FixtureSource(HOSTILE / "events-and-log-with-escapes")
    view = Observer(source).look()
    assert [(item.action, item.device) for item in view.events if isinstance(item, Event)] == [
        ("\x1b[31monline", "\x1b[2Jcpu1"),
        ("add", "memory9"),
        ("\ud800", "cpu0"),
    ]
    lost = [item.reason for item in view.events if isinstance(item, EventsLost)]
    assert [reason.partition(":")[0] for reason in lost] == [
        f"events.jsonl line {line}" for line in (2, 3, 6, 7, 8, 9)
    ]
    assert [text.event(item)[:11] for item in view.events if isinstance(item, Event)] == [
        r"\x1b[31monl",
        "add memory9",
        r"\xed\xa0\x80"[:11],
    ]
    assert view.findings[0].id == "liveupdate-error"


def test_everything_unreadable() -> None:
    snapshot = seen("everything-unreadable")
    assert why(snapshot.outgoing.tree) == (
        Cause.UNREADABLE,
        f"{KHO}/out/fdt: Input/output error (EIO)",
    )
    assert why(snapshot.outgoing.blobs)[0] is Cause.NOT_PERMITTED
    for value, name in (
        (snapshot.scratch, "4095"),
        (snapshot.memory.iomem, "EACCES"),
        (snapshot.memory.blocks, "EPERM"),
        (snapshot.memory.zones, "EOVERFLOW"),
        (snapshot.machine.command_line, "ENOMEM"),
        (snapshot.machine.config, "ETIMEDOUT"),
        (snapshot.machine.boot_time, "EAGAIN"),
        (snapshot.machine.memory_total, "EINVAL"),
        (snapshot.cpus.online, "EIO"),
        (snapshot.kexec.loaded, "EBUSY"),
        (snapshot.kexec.crash_loaded, "EINTR"),
        (snapshot.liveupdate_device, "ENXIO"),
    ):
        assert f"({name})" in why(value)[1]


def test_folders_in_place_of_files() -> None:
    snapshot = seen("folders-in-place-of-files")
    for value in (
        snapshot.outgoing.tree,
        snapshot.scratch,
        snapshot.memory.iomem,
        snapshot.machine.command_line,
        snapshot.kexec.loaded,
    ):
        assert "(EISDIR)" in why(value)[1]
    assert why(snapshot.outgoing.blobs)[0] is Cause.ABSENT
    assert snapshot.inventory.sessions == ()


def test_machine_contradicts_itself() -> None:
    snapshot = seen("machine-contradicts-itself")
    assert snapshot.memory.ram == (MemoryRange(0, 0xC0000000),)
    assert not isinstance(snapshot.scratch, Unknown)
    assert why(snapshot.scratch[2].node) == (
        Cause.INVALID,
        "2 node areas, but /sys/devices/system/node/has_memory lists 901 nodes",
    )
    assert why(snapshot.machine.boot_time) == (Cause.INVALID, "an uptime of 1e+14 seconds")
    assert [item.id for item in diagnose(snapshot)].count("scratch-overlap") == 3


def test_map_is_missing() -> None:
    snapshot = seen("map-is-missing")
    assert snapshot.inventory.preserved == Unknown(
        Cause.NOT_RECORDED, "memory at 0x10000: not recorded", 0x10000
    )


def test_nothing_recorded() -> None:
    snapshot = seen("nothing-recorded")
    assert snapshot.state is State.UNAVAILABLE
    assert [item.id for item in diagnose(snapshot)] == ["kho-unknown-why"]
    for value in (snapshot.scratch, snapshot.memory.ram, snapshot.cpus.online):
        assert why(value)[0] is Cause.ABSENT


def test_links_in_a_circle() -> None:
    snapshot = seen("links-in-a-circle")
    for value in (snapshot.outgoing.tree, snapshot.outgoing.blobs):
        cause, reason = why(value)
        assert cause is Cause.UNREADABLE
        assert "ELOOP" in reason


def test_mount_with_escapes() -> None:
    """/proc/mounts writes the escape as three octal digits; the path is the real one."""
    snapshot = seen("mount-with-escapes")
    assert snapshot.debugfs == "/mnt/\x1b[31mred"
    assert (snapshot.state, snapshot.unavailable) == (State.OPEN, None)
    tree = f"{snapshot.debugfs}/kho/out/fdt"
    assert why(snapshot.outgoing.tree) == (Cause.ABSENT, f"{tree} is not there")


def test_names_with_escapes() -> None:
    snapshot = seen("names-with-escapes")
    blobs = snapshot.outgoing.blobs
    assert not isinstance(blobs, Unknown)
    assert [(item.name, item.state) for item in blobs[1:]] == [
        (b"\x1b[2J\n", BlobState.VALID),
        (b"memblock", BlobState.VALID),
    ]
    assert blobs[0].name == b"\x07bell"
    assert why(blobs[0].state)[0] is Cause.NOT_PERMITTED
    assert why(blobs[0].size)[0] is Cause.NOT_PERMITTED
    sessions = snapshot.inventory.sessions
    assert not isinstance(sessions, Unknown)
    assert [item.name for item in sessions] == [b"a\nb\x1b[2J", b"n" * 5000]
    assert sessions[0].holders[0].command == b"\x1b[31mred"


def test_numbers_that_are_none() -> None:
    snapshot = seen("numbers-that-are-none")
    for value in (
        snapshot.kexec.loaded,
        snapshot.kexec.crash_loaded,
        snapshot.kexec.crash_size,
        snapshot.kexec.elfcorehdr_size,
        snapshot.machine.boot_time,
        snapshot.machine.memory_total,
        snapshot.machine.lockdown,
        snapshot.memory.iomem,
        snapshot.memory.blocks,
        snapshot.cpus.possible,
    ):
        assert why(value)[0] is Cause.INVALID
    assert snapshot.taken == 0


def test_scratch_counts_differ() -> None:
    assert why(seen("scratch-counts-differ").scratch) == (
        Cause.INVALID,
        f"{KHO}/out/scratch_phys and _len: 3 addresses but 1 lengths",
    )


def test_sessions_huge_claim() -> None:
    snapshot = seen("sessions-huge-claim")
    assert isinstance(snapshot.incoming, Side)
    luo = snapshot.incoming.blob(b"LUO")
    assert luo is not None
    assert luo.state is BlobState.VALID
    metadata = snapshot.incoming.blob(b"kexec-metadata")
    assert metadata is not None
    assert (metadata.state, "not terminated" in metadata.reason) == (BlobState.STALE, True)
    assert why(snapshot.previous_release)[0] is not None
    assert snapshot.inventory.sessions == ()


def test_tree_contradicts_itself() -> None:
    snapshot = seen("tree-contradicts-itself")
    tree = snapshot.outgoing.tree
    assert isinstance(tree, RootTree)
    assert why(tree.map_address) == (Cause.INVALID, "preserved-memory-map has 3 bytes, not 8")
    assert [item.name for item in tree.pointers] == [b"a", b"a", b"../../etc"]
    assert [why(item.size)[0] for item in tree.pointers] == [
        Cause.INVALID,
        Cause.INVALID,
        Cause.INVALID,
    ]
    assert why(snapshot.inventory.preserved)[0] is Cause.INVALID


def test_tree_empty() -> None:
    snapshot = seen("tree-empty")
    assert why(snapshot.outgoing.tree) == (
        Cause.INVALID,
        f"{KHO}/out/fdt: 0 bytes are too few for a tree header",
    )
    memblock = snapshot.outgoing.blob(b"memblock")
    assert memblock is not None
    assert (memblock.state, memblock.reason) == (BlobState.INVALID, "it is empty")


def test_tree_huge_claim() -> None:
    tree = seen("tree-huge-claim").outgoing.tree
    assert isinstance(tree, RootTree)
    assert (tree.window, tree.flat.totalsize) == (152, 0xFFFFFFFF)
    assert [item.reason for item in tree.flat.faults] == ["cut inside a property value"]
    assert why(tree.compatible)[0] is Cause.TRUNCATED


# A wheel cannot carry links, and its builder stops at one that leads nowhere: they are made here.


@pytest.mark.parametrize(
    "target", ["{outside}/secret", "../../../../../../../secret", "/proc/self/mem"]
)
def test_links_out_of_the_folder_are_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_bytes(b"\xd0\x0d\xfe\xed secret")
    folder = tmp_path / "fixture"
    shutil.copytree(HOSTILE / "tree-empty", folder)
    place = folder / "root" / f"{KHO}/out/fdt"[1:]
    place.unlink()
    place.symlink_to(target.format(outside=tmp_path))
    snapshot = observe(FixtureSource(folder))
    cause, reason = why(snapshot.outgoing.tree)
    assert (cause, reason) in (
        (Cause.INVALID, f"{KHO}/out/fdt leads out of the fixture"),
        (Cause.ABSENT, f"{KHO}/out/fdt is not there"),
    )


def test_folders_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/memblock").write_bytes(b"secret")
    folder = tmp_path / "fixture"
    shutil.copytree(HOSTILE / "tree-empty", folder)
    place = folder / "root" / f"{KHO}/out/sub_fdts"[1:]
    shutil.rmtree(place)
    place.symlink_to(tmp_path / "outside")
    snapshot = observe(FixtureSource(folder))
    assert why(snapshot.outgoing.blobs)[1] == f"{KHO}/out/sub_fdts leads out of the fixture"


def test_memory_that_is_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "fixture"
    shutil.copytree(HOSTILE / "radix-loop", folder)
    place = folder / "physmem/0x10000.bin"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FixtureError, match="is no regular file"):
        FixtureSource(folder)


def test_a_device_of_errors(tmp_path: Path) -> None:
    """Every path below debugfs gives EIO."""
    folder = tmp_path / "fixture"
    shutil.copytree(HOSTILE / "tree-empty", folder)
    manifest = folder / "manifest.json"
    text = manifest.read_text().replace(
        '"format": 1',
        f'"unreadable": [{{"path": "/sys/kernel/debug", "errno": {errno.EIO}}}], "format": 1',
    )
    manifest.write_text(text)
    snapshot = observe(FixtureSource(folder))
    assert snapshot.unavailable is not None
    assert snapshot.unavailable.cause is Cause.UNREADABLE
