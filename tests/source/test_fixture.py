import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kho_console.abi.memory import MissingMemory
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureError, FixtureSource
from kho_console.source.protocol import SourceError
from tests.source.prepared import manifest, write_fixture


def with_manifest(folder: Path, **changes: object) -> FixtureSource:
    (folder / "manifest.json").write_text(json.dumps(manifest(**changes)))
    return FixtureSource(folder)


def cause_of_read(source: FixtureSource, path: str) -> Cause:
    with pytest.raises(SourceError) as caught:
        source.read(path)
    return caught.value.unknown.cause


# --- manifest


def test_manifest_alone_is_a_fixture(tmp_path: Path) -> None:
    source = with_manifest(tmp_path, hostname="h", description="bare")
    assert source.facts().description == "bare"
    assert source.exists("/sys") is False
    assert source.clock() == 0.0
    for value in (
        source.processes(),
        source.kernel_log(),
        source.memory_total(),
        source.boot_time(),
    ):
        assert isinstance(value, Unknown)
        assert value.cause is Cause.NOT_RECORDED
    with pytest.raises(MissingMemory, match="not recorded"):
        source.memory.read(0, 1)


def test_hostname_defaults_to_the_folder(tmp_path: Path) -> None:
    keys = manifest()
    del keys["hostname"]
    (tmp_path / "manifest.json").write_text(json.dumps(keys))
    assert FixtureSource(tmp_path).facts().hostname == tmp_path.name


@pytest.mark.parametrize("page_size", [4096, 16384, 65536])
def test_page_sizes(tmp_path: Path, page_size: int) -> None:
    assert with_manifest(tmp_path, page_size=page_size).facts().page_size == page_size


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="is no folder"):
        FixtureSource(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(FixtureError, match="is no folder"):
        FixtureSource(tmp_path / "file")


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match=r"manifest\.json") as caught:
        FixtureSource(tmp_path)
    assert caught.value.path == tmp_path


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', "[" * 100_000, '{"format": 1' + "0" * 5000 + "}", "\udcff"],
)
def test_manifest_that_is_no_json_object(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_bytes(os.fsencode(text))
    with pytest.raises(FixtureError) as caught:
        FixtureSource(tmp_path)
    assert caught.value.path == tmp_path / "manifest.json"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"format": 2}, "format is 2; this console reads format 1"),
        ({"format": "1"}, "format"),
        ({"format": True}, "format"),
        ({"format": None}, "format"),
        ({"page_size": 8192}, "4096, 16384, 65536"),
        ({"page_size": 4096.0}, "page_size"),
        ({"page_size": None}, "page_size"),
        ({"release": None}, "release is missing"),
        ({"release": 7}, "release is 7"),
        ({"machine": []}, "machine"),
        ({"hostname": 3}, "hostname"),
        ({"description": {}}, "description"),
        ({"captured_at": None}, "captured_at is missing"),
        ({"captured_at": "yesterday"}, "captured_at is 'yesterday'"),
        ({"captured_at": "0001-01-01T00:00:00+14:00"}, "captured_at"),
        ({"unreadable": {}}, "unreadable must be a list"),
        ({"unreadable": ["/x"]}, "path and an errno"),
        ({"unreadable": [{"path": "/x"}]}, "path and an errno"),
        ({"unreadable": [{"path": "/x", "errno": True}]}, "path and an errno"),
        ({"unreadable": [{"path": "/x", "errno": 0}]}, "path and an errno"),
        ({"unreadable": [{"path": "x", "errno": 1}]}, "absolute"),
        ({"unreadable": [{"path": 5, "errno": 1}]}, "absolute"),
        ({"links": []}, "links must be"),
        ({"links": {"x": "y"}}, "absolute"),
        ({"links": {"/a/../b": "y"}}, "without"),
        ({"links": {"/a": 5}}, "must be text"),
        ({"links": {"/a": ""}}, "must be text"),
        ({"links": {"/a": "b\0c"}}, "no path"),
        ({"links": {"/a": "\ud800"}}, "no path"),
        ({"page_flags": []}, "must be an object"),
        ({"page_flags": {"4096": "0x0"}}, "no hexadecimal"),
        ({"page_flags": {"0x1000": 0}}, "no hexadecimal"),
        ({"page_flags": {"0x1000": "0x10000000000000000"}}, "64 bits"),
    ],
)
def test_hostile_manifests(tmp_path: Path, changes: dict[str, object], word: str) -> None:
    with pytest.raises(FixtureError, match=word) as caught:
        with_manifest(tmp_path, **changes)
    assert caught.value.path.name == "manifest.json"


@given(
    key=st.sampled_from([*sorted(manifest()), "links", "unreadable", "page_flags", "description"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_manifest_opens_or_says_why(tmp_path: Path, key: str, value: object) -> None:
    try:
        assert with_manifest(tmp_path, **{key: value}).facts().release
    except FixtureError as error:
        assert key in error.reason


# --- nothing outside the folder


def test_paths_do_not_climb(tmp_path: Path) -> None:
    source = FixtureSource(write_fixture(tmp_path))
    assert cause_of_read(source, "/../manifest.json") is Cause.INVALID
    assert cause_of_read(source, "/sys/../../manifest.json") is Cause.INVALID
    assert isinstance(source.exists("/.."), Unknown)
    with pytest.raises(SourceError):
        source.list("/..")


def test_links_of_the_manifest_stay_inside(tmp_path: Path) -> None:
    links = {"/up": "../../../../etc/hostname", "/abs": "/etc/hostname", "/loop": "loop"}
    source = FixtureSource(write_fixture(tmp_path, links=links))
    assert cause_of_read(source, "/up") is Cause.ABSENT
    assert cause_of_read(source, "/abs") is Cause.ABSENT
    with pytest.raises(SourceError) as caught:
        source.read("/loop/x")
    assert caught.value.errno == errno.ELOOP
    assert source.link("/loop") == "loop"


def test_symbolic_links_on_disk_do_not_lead_out(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path / "fixture")
    (tmp_path / "secret").write_text("secret")
    root = folder / "root"
    (root / "abs").symlink_to(tmp_path / "secret")
    (root / "rel").symlink_to("../../secret")
    (root / "manifest").symlink_to("../manifest.json")
    (root / "dir").symlink_to(tmp_path)
    (root / "inside").symlink_to("sys/kernel/kexec_loaded")
    (root / "loop").symlink_to("loop")
    source = FixtureSource(folder)
    for name in ("/abs", "/rel", "/manifest", "/dir/secret"):
        assert cause_of_read(source, name) is Cause.INVALID
    with pytest.raises(SourceError):
        source.list("/dir")
    assert isinstance(source.exists("/dir/secret"), Unknown)
    assert cause_of_read(source, "/loop") is Cause.UNREADABLE
    assert source.read("/inside") == b"0\n"
    assert source.link("/rel") == "../../secret"


@pytest.mark.parametrize("name", ["manifest.json", "kmsg.txt", "events.jsonl"])
def test_files_beside_root_do_not_lead_out(tmp_path: Path, name: str) -> None:
    folder = write_fixture(tmp_path / "fixture")
    outside = tmp_path / name
    outside.write_text(json.dumps(manifest()))
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside)
    if name == "manifest.json":
        with pytest.raises(FixtureError, match="leads out"):
            FixtureSource(folder)
        return
    source = FixtureSource(folder)
    if name == "kmsg.txt":
        log = source.kernel_log()
        assert isinstance(log, Unknown)
        assert log.cause is Cause.INVALID
    else:
        (lost,) = source.events().poll(0)
        assert isinstance(lost, EventsLost)


@pytest.mark.parametrize("name", ["root", "physmem"])
def test_folders_do_not_lead_out(tmp_path: Path, name: str) -> None:
    folder = write_fixture(tmp_path / "fixture")
    shutil.rmtree(folder / name)
    (folder / name).symlink_to("/")
    with pytest.raises(FixtureError) as caught:
        FixtureSource(folder)
    assert caught.value.path == folder / name


def test_fifos_are_refused_without_waiting(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    os.mkfifo(folder / "root/fifo")
    os.mkfifo(folder / "events.jsonl")
    source = FixtureSource(folder)
    assert cause_of_read(source, "/fifo") is Cause.UNREADABLE
    (lost,) = source.events().poll(0)
    assert "no regular file" in lost.reason if isinstance(lost, EventsLost) else False
    (folder / "manifest.json").unlink()
    os.mkfifo(folder / "manifest.json")
    with pytest.raises(FixtureError, match="no regular file"):
        FixtureSource(folder)


# --- unreadable


def test_everything_below_an_unreadable_directory(tmp_path: Path) -> None:
    unreadable = [
        {"path": "/sys/kernel/debug", "errno": errno.EACCES},
        {"path": "/proc/iomem", "errno": errno.EIO},
        {"path": "/sys/kernel/gone", "errno": errno.ENOENT},
        {"path": "/sys/firmware/nowhere", "errno": errno.EPERM},
    ]
    source = FixtureSource(write_fixture(tmp_path, unreadable=unreadable))
    path = "/sys/kernel/debug/kho/out/fdt"
    assert cause_of_read(source, path) is Cause.NOT_PERMITTED
    assert source.exists("/sys/kernel/debug") is True
    found = source.exists(path)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.NOT_PERMITTED
    with pytest.raises(SourceError):
        source.list("/sys/kernel/debug")
    assert cause_of_read(source, "/proc/iomem") is Cause.UNREADABLE
    assert "iomem" in source.list("/proc")
    assert source.exists("/sys/kernel/gone") is False
    assert "gone" not in source.list("/sys/kernel")
    # nobody saw whether it is there: its directory is not recorded either
    assert isinstance(source.exists("/sys/firmware/nowhere"), Unknown)


def test_links_below_an_unreadable_directory(tmp_path: Path) -> None:
    links = {"/proc/66/fd/4": "/dev/liveupdate"}
    unreadable = [{"path": "/proc/66/fd", "errno": errno.EACCES}]
    source = FixtureSource(write_fixture(tmp_path, links=links, unreadable=unreadable))
    with pytest.raises(SourceError) as caught:
        source.link("/proc/66/fd/4")
    assert caught.value.unknown.cause is Cause.NOT_PERMITTED
    processes = source.processes()
    assert not isinstance(processes, Unknown)
    closed = processes[0].descriptors
    assert isinstance(closed, Unknown)
    assert closed.cause is Cause.NOT_PERMITTED


def test_a_device_is_not_read(tmp_path: Path) -> None:
    source = FixtureSource(write_fixture(tmp_path))
    with pytest.raises(SourceError, match="is a device"):
        source.read("/dev/liveupdate")
    with pytest.raises(SourceError, match="is a device"):
        source.read("/proc/66/fd/4")


# --- physical memory


@pytest.mark.parametrize(
    ("name", "size", "word"),
    [
        ("0x101000.bin", 4096, "overlaps"),
        ("0x0100000.bin", 4096, "overlaps"),
        ("0xff000.bin", 8192, "overlaps"),
        ("0x200000.bin", 4095, "whole pages of 4096"),
        ("0x200000.bin", 0, "whole pages"),
        ("0x200800.bin", 4096, "whole pages"),
        ("0xABC000.bin", 4096, "lower-case"),
        ("200000.bin", 4096, "lower-case"),
        ("0x10000000000000000.bin", 4096, "lower-case"),
        ("0xfffffffffffff000.bin", 8192, "64-bit"),
    ],
)
def test_contradictory_physmem(tmp_path: Path, name: str, size: int, word: str) -> None:
    folder = write_fixture(tmp_path)
    (folder / "physmem" / name).write_bytes(bytes(size))
    with pytest.raises(FixtureError, match=word):
        FixtureSource(folder)


def test_whole_pages_are_those_of_the_manifest(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    with pytest.raises(FixtureError, match="65536"):
        with_manifest(folder, page_size=65536)


def test_physmem_that_leads_out(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    (folder / "page").write_bytes(bytes(4096))
    (folder / "physmem/0x300000.bin").symlink_to("../page")
    with pytest.raises(FixtureError, match="no regular file"):
        FixtureSource(folder)
    (folder / "physmem/0x300000.bin").unlink()
    os.mkfifo(folder / "physmem/0x300000.bin")
    with pytest.raises(FixtureError, match="no regular file"):
        FixtureSource(folder)


def test_other_files_may_lie_beside_memory(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    (folder / "physmem/.empty").touch()
    (folder / "physmem/README").touch()
    (folder / "physmem/0xfffffffffffff000.bin").write_bytes(b"\xa5" * 4096)
    source = FixtureSource(folder)
    assert source.memory.read((1 << 64) - 4096, 4096) == b"\xa5" * 4096


def test_a_hole_says_where_it_is(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    (folder / "physmem/0x104000.bin").write_bytes(bytes(4096))
    with pytest.raises(MissingMemory, match="not recorded") as caught:
        FixtureSource(folder).memory.read(0x102000, 0x3000)
    assert caught.value.address == 0x103000


def test_a_file_that_shrank(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    source = FixtureSource(folder)
    os.truncate(folder / "physmem/0x100000.bin", 100)
    with pytest.raises(MissingMemory, match="shorter") as caught:
        source.memory.read(0x100000, 4096)
    assert caught.value.address == 0x100064


# --- what is beside root/


def test_events_and_lines_that_are_none(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    variables = {"ACTION": "add", "DEVPATH": "/devices/system/cpu/cpu1", "SUBSYSTEM": "cpu"}
    lines: list[object] = [
        {"monotonic": 5, "kind": "uevent", "env": variables},
        {"monotonic": 6.0, "kind": "note", "text": "of another kind"},
        {"monotonic": True, "kind": "uevent", "env": variables},
        {"monotonic": 10**400, "kind": "uevent", "env": variables},
        {"monotonic": float("nan"), "kind": "uevent", "env": variables},
        {"monotonic": 7, "kind": "uevent", "env": []},
        [],
    ]
    text = "\n\n".join(json.dumps(line) for line in lines) + "\n{\n"
    (folder / "events.jsonl").write_text(text)
    first, *rest = FixtureSource(folder).events().poll(0)
    assert first == Event(5.0, "add", "cpu", "cpu1", None)
    assert [type(item) for item in rest] == [EventsLost] * 6
    assert [item.monotonic for item in rest] == [5.0] * 6
    places = [item.reason.split(":")[0] for item in rest if isinstance(item, EventsLost)]
    assert places == [f"events.jsonl line {number}" for number in (5, 7, 9, 11, 13, 14)]


def test_clock_without_uptime_is_the_last_event(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    (folder / "root/proc/uptime").unlink()
    variables = {"ACTION": "add", "DEVPATH": "/devices/system/cpu/cpu1", "SUBSYSTEM": "cpu"}
    line = {"monotonic": 49.94, "kind": "uevent", "env": variables}
    (folder / "events.jsonl").write_text(json.dumps(line))
    assert FixtureSource(folder).clock() == 49.94


@pytest.mark.parametrize("uptime", [b"", b"x", b"nan 1", b"inf 1", b"-1 1", b"\xff", b"1e300 1"])
def test_hostile_uptime(tmp_path: Path, uptime: bytes) -> None:
    folder = write_fixture(tmp_path)
    (folder / "root/proc/uptime").write_bytes(uptime)
    booted = FixtureSource(folder).boot_time()
    assert isinstance(booted, Unknown)
    assert booted.cause is Cause.INVALID


@pytest.mark.parametrize("meminfo", [b"", b"MemTotal: x kB", b"MemTotal: " + b"9" * 30 + b" kB"])
def test_hostile_meminfo(tmp_path: Path, meminfo: bytes) -> None:
    folder = write_fixture(tmp_path)
    (folder / "root/proc/meminfo").write_bytes(meminfo)
    total = FixtureSource(folder).memory_total()
    assert isinstance(total, Unknown)
    assert total.cause is Cause.INVALID


def test_names_in_proc_that_are_no_pids(tmp_path: Path) -> None:
    huge = "9" * 5000
    links = {f"/proc/{huge}/fd/3": "x", "/proc/66/fd/" + huge: "y", "/proc/70/fd/3": "z"}
    source = FixtureSource(write_fixture(tmp_path, links=links))
    processes = source.processes()
    assert not isinstance(processes, Unknown)
    assert [(item.pid, item.descriptors) for item in processes] == [
        (66, {}),
        (67, {}),
        (70, {3: b"z"}),
    ]


def test_kernel_log_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path)
    (folder / "kmsg.txt").write_bytes(b"[    0.000000] \xff\n")
    assert FixtureSource(folder).kernel_log() == "[    0.000000] \\xff\n"


@given(path=st.text(max_size=30).map(lambda text: "/" + text))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_path_answers_or_source_error(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "fixture"
    if not folder.exists():
        write_fixture(folder)
    source = FixtureSource(folder)
    found = source.exists(path)
    for ask in (source.read, source.list, source.link):
        try:
            ask(path)
            assert found is True
        except SourceError as error:
            assert error.unknown.reason
