"""What every source promises; `test_contract.py` runs it over each of them.

The source under test shows the machine of `prepared.py`.
"""

import os
from datetime import UTC, datetime

import pytest

from kho_console.abi.memory import MissingMemory
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import Process, Source, SourceError
from tests.source.prepared import BOOTED, FDT, PAGES

BLOCK = "/sys/devices/system/node/node0/memory8"


class SourceContract:
    unreadable_cause: Cause

    def test_read_gives_the_whole_file(self, source: Source) -> None:
        assert source.read("/sys/kernel/debug/kho/out/fdt") == FDT
        assert source.read("/sys/kernel/kexec_loaded") == b"0\n"

    def test_a_file_of_the_cap_is_read_and_a_longer_one_refused(self, source: Source) -> None:
        path = "/sys/kernel/debug/kho/out/fdt"
        assert len(source.read(path, limit=233)) == 233
        with pytest.raises(SourceError, match="longer than 232 bytes") as caught:
            source.read(path, limit=232)
        assert caught.value.unknown.cause is Cause.UNREADABLE

    def test_missing(self, source: Source) -> None:
        path = "/sys/kernel/debug/kho/in/fdt"
        assert source.exists(path) is False
        for ask in (source.read, source.list, source.link):
            with pytest.raises(SourceError) as caught:
                ask(path)
            assert caught.value.path == path
            assert caught.value.unknown.cause is Cause.ABSENT

    def test_below_a_file_is_nothing(self, source: Source) -> None:
        path = "/sys/kernel/kexec_loaded/x"
        assert source.exists(path) is False
        with pytest.raises(SourceError) as caught:
            source.read(path)
        assert caught.value.unknown.cause is Cause.ABSENT

    def test_unreadable(self, source: Source) -> None:
        path = "/sys/kernel/denied"
        with pytest.raises(SourceError, match=path) as caught:
            source.read(path)
        assert caught.value.unknown.cause is self.unreadable_cause
        assert source.exists(path) is True

    def test_a_directory_is_no_file(self, source: Source) -> None:
        with pytest.raises(SourceError) as caught:
            source.read("/sys/kernel")
        assert caught.value.unknown.cause is Cause.UNREADABLE

    @pytest.mark.parametrize("path", ["", "sys", "/sys/\0", "/sys/\ud800"])
    def test_no_absolute_path(self, source: Source, path: str) -> None:
        for ask in (source.read, source.list, source.link):
            with pytest.raises(SourceError, match="no absolute path"):
                ask(path)
        assert isinstance(source.exists(path), Unknown)

    def test_list_is_sorted_and_has_links(self, source: Source) -> None:
        assert source.list("/sys/devices/system/node/node0") == ("cpulist", "memory8")
        assert source.list("/proc/66/fd") == ("10", "4")
        assert source.list("/sys/kernel/empty") == ()
        assert source.list("/dev")[-1] == "liveupdate"
        assert {"denied", "empty", "kexec_loaded"} <= set(source.list("/sys/kernel"))

    def test_a_file_cannot_be_listed(self, source: Source) -> None:
        with pytest.raises(SourceError):
            source.list("/sys/kernel/kexec_loaded")

    def test_link(self, source: Source) -> None:
        assert source.link(BLOCK) == "../../memory/memory8"
        assert source.link("/proc/66/fd/10") == "anon_inode:[luo_session] vm-\udcff"
        with pytest.raises(SourceError) as caught:
            source.link("/sys/kernel/kexec_loaded")
        assert caught.value.unknown.cause is Cause.UNREADABLE

    def test_links_are_followed(self, source: Source) -> None:
        assert source.read(f"{BLOCK}/state") == b"online\n"
        assert source.list(BLOCK) == ("phys_index", "state")
        assert source.exists(f"{BLOCK}/state") is True

    def test_exists(self, source: Source) -> None:
        for path in ("/", "/proc/66/fd", "/proc/66/fd/4", BLOCK, "/dev/liveupdate"):
            assert source.exists(path) is True
        assert source.exists("/dev/nothing") is False

    def test_memory(self, source: Source) -> None:
        assert source.memory.read(0x100FFC, 8) == bytes.fromhex("ff03000000040000")
        assert source.memory.read(0x101FF0, 32) == PAGES[0x1FF0:0x2010]
        assert source.memory.read(0x100000, 0x3000) == PAGES
        assert source.memory.read(0x100000, 0) == b""

    @pytest.mark.parametrize(
        ("address", "size", "missing"),
        [
            (0, 1, 0),
            (0xFFFFF, 2, 0xFFFFF),
            (0x102FFF, 2, 0x103000),
            ((1 << 64) - 8, 16, (1 << 64) - 8),
            (0x100000, 1 << 60, 0x100000),
        ],
    )
    def test_missing_memory(self, source: Source, address: int, size: int, missing: int) -> None:
        with pytest.raises(MissingMemory) as caught:
            source.memory.read(address, size)
        assert caught.value.address == missing
        assert not caught.value.permission

    def test_page_flags(self, source: Source) -> None:
        assert [source.page_flags(address) for address in (0x100000, 0x101FFF, 0x102000)] == [
            0x400,
            0x1_0000_0000,
            0,
        ]
        assert isinstance(source.page_flags(0x103000), Unknown)
        assert isinstance(source.page_flags((1 << 64) - 1), Unknown)

    def test_processes(self, source: Source) -> None:
        descriptors = {4: b"/dev/liveupdate", 10: b"anon_inode:[luo_session] vm-\xff"}
        agent = b"python3 /opt/agent/live-update-agent"
        assert source.processes() == (
            Process(66, agent, descriptors),
            Process(67, b"kworker/0:1", {}),
        )

    def test_memory_total_and_boot(self, source: Source) -> None:
        assert source.memory_total() == 2243248 * 1024
        assert source.boot_time() == datetime.fromtimestamp(BOOTED, UTC)

    def test_kernel_log(self, source: Source) -> None:
        assert source.kernel_log() == "[    5.678901] text hello\n"

    def test_clock_does_not_run_back(self, source: Source) -> None:
        assert 0 < source.clock() <= source.clock()

    def test_facts(self, source: Source) -> None:
        facts = source.facts()
        assert facts.page_size in (4096, 16384, 65536)
        assert all((facts.hostname, facts.release, facts.machine, source.name))

    def test_events(self, source: Source) -> None:
        stream = source.events()
        assert isinstance(stream.poll(0), list)
        stream.close()
        assert stream.poll(60) == []

    def test_nothing_stays_open(self, source: Source) -> None:
        source.read("/sys/kernel/kexec_loaded")
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        for _ in range(5):
            source.read("/sys/kernel/kexec_loaded")
            source.list("/sys/kernel")
            with pytest.raises(SourceError):
                source.read("/sys/kernel")
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
