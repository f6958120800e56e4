"""The real recordings, with what `ls`, `xxd` and `cat` show of them."""

import gc
import os
from pathlib import Path

import pytest

from kho_console.model.event import Event
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceError

FIXTURES = Path(__file__).parents[2] / "fixtures"
MOMENTS = sorted(path.parent for path in FIXTURES.glob("linux-*/*/manifest.json"))


def opened(moment: str) -> FixtureSource:
    return FixtureSource(FIXTURES / moment)


def test_all_are_there() -> None:
    assert len(MOMENTS) == 41


@pytest.mark.parametrize("folder", MOMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_opens_and_answers(folder: Path) -> None:
    source = FixtureSource(folder)
    assert f"linux-{source.facts().release}" == folder.parent.name
    assert source.facts().hostname in ("hv-17", "guest")
    assert source.name == f"{folder.parent.name}/{folder.name}"
    total = source.memory_total()
    assert not isinstance(total, Unknown)
    assert total % 1024 == 0
    assert "Linux version" in str(source.kernel_log())
    assert source.exists("/sys/kernel/debug/kho") is True
    for place in (folder / "physmem").glob("*.bin"):
        address = int(place.stem, 16)
        data = place.read_bytes()
        assert source.memory.read(address, len(data)) == data


def test_host_of_a_moment() -> None:
    source = opened("linux-7.3.4/hotplugged")
    assert source.memory_total() == 2243248 * 1024
    assert source.clock() == 67.04
    assert str(source.boot_time()) == "2026-11-21 00:47:33.960000+00:00"


def test_sessions_are_descriptors_of_their_holder() -> None:
    processes = opened("linux-7.3.4/sessions").processes()
    assert not isinstance(processes, Unknown)
    (agent,) = processes
    assert (agent.pid, agent.command) == (66, b"python3 /opt/agent/live-update-agent")
    assert agent.descriptors == {
        4: b"/dev/liveupdate",
        5: b"anon_inode:[luo_session] vm-web",
        8: b"anon_inode:[luo_session] vm-db",
        10: b"anon_inode:[luo_session] empty",
    }


def test_names_known_only_from_links() -> None:
    source = opened("linux-7.3.4/sessions")
    assert source.list("/proc/66/fd") == ("10", "4", "5", "8")
    assert "fd" in source.list("/proc/66")
    node = source.list("/sys/devices/system/node/node0")
    assert {"memory0", "cpu0", "cpulist", "reclaim"} <= set(node)
    path = "/sys/devices/system/node/node1/memory8/state"
    assert source.read(path) == b"online\n"


def test_unreadable_as_recorded() -> None:
    path = "/sys/devices/system/node/node0/reclaim"
    source = opened("linux-6.18.15/cold")
    with pytest.raises(SourceError) as caught:
        source.read(path)
    assert (caught.value.errno, caught.value.unknown.cause) == (13, Cause.NOT_PERMITTED)
    assert source.exists(path) is True


def test_the_device_file_stands_without_its_record() -> None:
    assert opened("linux-7.1.13/cold").exists("/dev/liveupdate") is True
    assert opened("linux-7.1.13/cold").list("/dev") == ("liveupdate",)
    assert opened("linux-6.18.15/cold").exists("/dev/liveupdate") is False


def test_an_empty_directory_is_empty() -> None:
    source = opened("linux-6.18.15/cold")
    path = "/sys/kernel/debug/kho/out/sub_fdts"
    assert source.list(path) == ()
    assert source.exists(f"{path}/.empty") is False
    with pytest.raises(SourceError):
        source.read(f"{path}/.empty")


def test_events_of_cpus_and_memory_only() -> None:
    stream = opened("linux-7.3.4/hotplugged").events()
    events = stream.poll(0)
    # 11 lines, one of the container subsystem
    assert len(events) == 10
    assert events[0] == Event(49.94, "offline", "cpu", "cpu1", 918)
    assert events[2] == Event(52.062, "add", "memory", "memory32", 920)
    assert events[-1] == Event(64.115, "online", "memory", "memory35", 928)
    assert stream.poll(0) == []


def test_opening_does_not_open_the_pages() -> None:
    gc.collect()  # what earlier tests left open closes now, not in between
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    sources = [FixtureSource(folder) for folder in MOMENTS]
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert len(sources) == 41
