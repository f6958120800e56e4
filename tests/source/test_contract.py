import os
from pathlib import Path

import pytest

from kho_console.abi.memory import MissingMemory
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.live import LiveSource
from kho_console.source.protocol import Source, SourceKind
from kho_console.source.recording import Recording
from tests.source.contract import SourceContract
from tests.source.prepared import write_fixture, write_tree
from tests.source.recorded import whole


class TestFixtureSource(SourceContract):
    unreadable_cause = Cause.NOT_PERMITTED

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        return FixtureSource(write_fixture(tmp_path))


class TestLiveSource(SourceContract):
    unreadable_cause = Cause.UNREADABLE

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        return LiveSource(write_tree(tmp_path))


class TestRecordedSource(SourceContract):
    unreadable_cause = Cause.NOT_PERMITTED

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        fixture = FixtureSource(write_fixture(tmp_path / "fixture"))
        return Recording(whole(fixture, tmp_path / "a.kho")).at(0)


def test_this_machine() -> None:
    source: Source = LiveSource()
    assert source.kind is SourceKind.LIVE
    assert source.read("/proc/sys/kernel/osrelease").decode().strip() == source.facts().release
    processes = source.processes()
    assert not isinstance(processes, Unknown)
    me = next(item for item in processes if item.pid == os.getpid())
    assert b"python" in me.command or b"pytest" in me.command
    assert me.descriptors
    total = source.memory_total()
    assert not isinstance(total, Unknown)
    assert total > 1 << 20
    assert source.exists("/proc/self/fd") is True
    assert isinstance(source.kernel_log(), str | Unknown)
    try:
        assert len(source.memory.read(0x1000000, 8)) == 8
    except MissingMemory as error:
        assert error.reason
