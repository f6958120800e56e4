from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.engine import scratch
from kho_console.model.generation import Finalize, Generation, Protocol
from kho_console.model.memory import ScratchArea, ScratchRole
from kho_console.model.unknown import Cause, Unknown
from tests.fixture_folder import KHO, FixtureFolder

NODES = "/sys/devices/system/node"
OLD = Generation(Protocol.KHO_V1, Finalize.REVERSIBLE, "", f"{KHO}/out")
NEW = Generation(Protocol.KHO_V4, Finalize.NONE, "", f"{KHO}/out")


def areas(made: FixtureFolder, generation: Generation = NEW) -> tuple[ScratchArea, ...]:
    found = scratch.areas(made.open(), generation)
    assert not isinstance(found, Unknown), found
    return found


def why(made: FixtureFolder) -> Unknown:
    found = scratch.areas(made.open(), NEW)
    assert isinstance(found, Unknown)
    return found


@pytest.fixture
def made(tmp_path: Path) -> FixtureFolder:
    """The example of kho-abi 2.3: two nodes, kho_scratch=16M,64M,32M."""
    folder = FixtureFolder(tmp_path, "7.3.4")
    folder.scratch(
        [
            (0x5D000000, 0x1000000),
            (0x59000000, 0x4000000),
            (0x2D000000, 0x2000000),
            (0x57000000, 0x2000000),
        ]
    )
    folder.file(f"{NODES}/has_memory", "0-1\n")
    folder.file(f"{NODES}/online", "0-1\n")
    return folder


def test_the_order_is_the_kernels(made: FixtureFolder) -> None:
    assert areas(made) == (
        ScratchArea(ScratchRole.LOWMEM, None, 0x5D000000, 16 << 20),
        ScratchArea(ScratchRole.GLOBAL, None, 0x59000000, 64 << 20),
        ScratchArea(ScratchRole.NODE, 0, 0x2D000000, 32 << 20),
        ScratchArea(ScratchRole.NODE, 1, 0x57000000, 32 << 20),
    )


def test_nodes_online_up_to_6_18_and_with_memory_later(made: FixtureFolder) -> None:
    made.file(f"{NODES}/has_memory", "0,3\n")
    assert [item.node for item in areas(made)[2:]] == [0, 3]
    assert [item.node for item in areas(made, OLD)[2:]] == [0, 1]


@pytest.mark.parametrize("listed", ["0\n", "0-2\n", "\n"])
def test_nodes_that_do_not_match_are_not_guessed(made: FixtureFolder, listed: str) -> None:
    made.file(f"{NODES}/has_memory", listed)
    for item in areas(made)[2:]:
        assert isinstance(item.node, Unknown)
        assert item.node.cause is Cause.INVALID


def test_nodes_that_are_not_known(made: FixtureFolder) -> None:
    made.unreadable(f"{NODES}/has_memory", 13)
    (first, _) = areas(made)[2:]
    assert isinstance(first.node, Unknown)
    assert first.node.cause is Cause.NOT_PERMITTED


def test_an_area_of_no_bytes_is_an_area(tmp_path: Path) -> None:
    folder = FixtureFolder(tmp_path, "7.3.4")
    folder.scratch([(0x5D000000, 0x1000000), (0x7FC00000, 0)])
    assert [item.size for item in areas(folder)] == [16 << 20, 0]


def test_another_number_of_lines(made: FixtureFolder) -> None:
    made.file(f"{KHO}/out/scratch_len", "0x1000\n0x2000\n")
    assert why(made).reason == (f"{KHO}/out/scratch_phys and _len: 4 addresses but 2 lengths")


@pytest.mark.parametrize("content", ["1000\n" * 4, "0x\n" * 4, "0x1 \n" * 4, "\x1b[2J\n"])
def test_lines_that_are_no_numbers(made: FixtureFolder, content: str) -> None:
    made.file(f"{KHO}/out/scratch_len", content)
    assert why(made).cause is Cause.INVALID


@pytest.mark.parametrize("name", ["scratch_phys", "scratch_len"])
def test_either_file_is_missing(made: FixtureFolder, name: str) -> None:
    made.unreadable(f"{KHO}/out/{name}", 2)
    assert why(made) == Unknown(Cause.ABSENT, f"{KHO}/out/{name} is not there")


def test_bootmem_of_7_4(tmp_path: Path) -> None:
    folder = FixtureFolder(tmp_path, "7.4.0")
    folder.scratch([(0x5D000000, 0x1000000), (0, 0)], "bootmem")
    named = replace(NEW, scratch="bootmem")
    assert areas(folder, named)[0] == ScratchArea(ScratchRole.LOWMEM, None, 0x5D000000, 16 << 20)
