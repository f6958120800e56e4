import struct
from pathlib import Path

import pytest

from kho_console.abi.setup_data import SetupHandover
from kho_console.engine import offer
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.fixture_folder import FixtureFolder
from tests.recordings import folder

SETUP = "/sys/kernel/boot_params/setup_data"
TREE = "/sys/firmware/devicetree/base"


@pytest.fixture
def made(tmp_path: Path) -> FixtureFolder:
    return FixtureFolder(tmp_path, "7.3.4")


def cause(made: FixtureFolder) -> Cause:
    found = offer.offered(made.open())
    assert isinstance(found, Unknown), found
    return found.cause


def entry(made: FixtureFolder, number: str, kind: str, data: bytes) -> None:
    made.file(f"{SETUP}/{number}/type", kind)
    made.file(f"{SETUP}/{number}/data", data)


def chosen(made: FixtureFolder, cells: int = 2) -> None:
    made.file(f"{TREE}/#address-cells", struct.pack(">I", cells))
    made.file(f"{TREE}/#size-cells", struct.pack(">I", cells))
    form = ">QQ" if cells == 2 else ">II"
    made.file(f"{TREE}/chosen/linux,kho-fdt", struct.pack(form, 0x8000000, 65536))
    made.file(f"{TREE}/chosen/linux,kho-scratch", struct.pack(form, 0x10FF0000, 48))


def test_the_recorded_offer() -> None:
    found = offer.offered(FixtureSource(folder("linux-7.3.4/restored")))
    assert isinstance(found, SetupHandover)
    assert (found.fdt_address, found.fdt_size, found.scratch_size) == (0x66C000, 4096, 64)


def test_a_cold_boot() -> None:
    found = offer.offered(FixtureSource(folder("linux-7.3.4/cold")))
    assert isinstance(found, Unknown)
    assert found.cause is Cause.ABSENT


def test_the_entry_of_type_10(made: FixtureFolder) -> None:
    entry(made, "0", "0x9\n", b"seed")
    entry(made, "1", "0xa\n", struct.pack("<4Q", 1, 2, 3, 4))
    assert offer.offered(made.open()) == SetupHandover(1, 2, 3, 4)


def test_the_series_of_2024_hands_over_48_bytes(made: FixtureFolder) -> None:
    entry(made, "0", "0xa\n", struct.pack("<6Q", 1, 2, 3, 4, 5, 6))
    assert offer.offered(made.open()) == SetupHandover(1, 2, 3, 4, MemoryRange(5, 6))


def test_entries_that_are_no_numbers(made: FixtureFolder) -> None:
    entry(made, "x", "0xa\n", bytes(32))
    assert cause(made) is Cause.ABSENT


def test_a_type_that_cannot_be_read_may_be_a_handover(made: FixtureFolder) -> None:
    entry(made, "1", "10\n", bytes(32))
    assert cause(made) is Cause.INVALID
    made.unreadable(f"{SETUP}/1/type", 13)
    assert cause(made) is Cause.NOT_PERMITTED
    entry(made, "2", "0xa\n", bytes(32))
    assert not isinstance(offer.offered(made.open()), Unknown)


def test_boot_data_that_may_not_be_listed_proves_nothing(made: FixtureFolder) -> None:
    entry(made, "0", "0x9\n", b"seed")
    made.unreadable(SETUP, 13)
    assert cause(made) is Cause.NOT_PERMITTED


def test_data_of_another_length(made: FixtureFolder) -> None:
    entry(made, "0", "0xa\n", bytes(31))
    assert cause(made) is Cause.INVALID


def test_data_that_may_not_be_read(made: FixtureFolder) -> None:
    entry(made, "0", "0xa\n", b"")
    made.unreadable(f"{SETUP}/0/data", 13)
    assert cause(made) is Cause.NOT_PERMITTED


@pytest.mark.parametrize("cells", [1, 2])
def test_chosen_of_arm64(made: FixtureFolder, cells: int) -> None:
    chosen(made, cells)
    assert offer.offered(made.open()) == SetupHandover(0x8000000, 65536, 0x10FF0000, 48)


def test_chosen_of_another_length(made: FixtureFolder) -> None:
    chosen(made)
    made.file(f"{TREE}/chosen/linux,kho-fdt", bytes(8))
    assert cause(made) is Cause.INVALID


def test_chosen_without_its_areas(made: FixtureFolder) -> None:
    chosen(made)
    made.unreadable(f"{TREE}/chosen/linux,kho-scratch", 2)
    assert cause(made) is Cause.ABSENT


@pytest.mark.parametrize("count", [b"", bytes(4), struct.pack(">I", 3), bytes(8)])
def test_cells_that_are_none(made: FixtureFolder, count: bytes) -> None:
    chosen(made)
    made.file(f"{TREE}/#address-cells", count)
    assert cause(made) is Cause.INVALID


def test_neither(made: FixtureFolder) -> None:
    assert cause(made) is Cause.ABSENT
