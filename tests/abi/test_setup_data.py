import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import chosen, setup_data
from kho_console.abi.error import FormatError
from kho_console.abi.setup_data import SetupHandover
from kho_console.model.memory import MemoryRange
from tests.abi.page_memory import recorded_file

NODE = "/sys/kernel/boot_params/setup_data/{}/{}"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("linux-7.3.4/restored", SetupHandover(0x66C000, 0x1000, 0x3EBF0000, 0x40)),
        ("linux-6.18.15/restored", SetupHandover(0x406DD000, 0x1000, 0x303F0000, 0x40)),
    ],
)
def test_recorded(moment: str, expected: SetupHandover) -> None:
    assert setup_data.parse_type(recorded_file(moment, NODE.format(0, "type"))) == 9
    assert setup_data.parse_type(recorded_file(moment, NODE.format(1, "type"))) == 10
    assert setup_data.decode(recorded_file(moment, NODE.format(1, "data"))) == expected


def test_2024_has_an_array_of_memory() -> None:
    data = struct.pack("<6Q", 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x60)
    assert setup_data.decode(data) == SetupHandover(
        0x1000, 0x2000, 0x3000, 0x4000, MemoryRange(0x5000, 0x60)
    )


@pytest.mark.parametrize("size", [0, 31, 33, 40, 47, 49])
def test_other_sizes(size: int) -> None:
    with pytest.raises(FormatError) as caught:
        setup_data.decode(bytes(size))
    assert caught.value.offset == size


def test_chosen_cells() -> None:
    fdt = bytes.fromhex("00000001 80000000 00000000 00001000")
    scratch = bytes.fromhex("00000000 9ff00000 00000000 00000040")
    assert chosen.decode(fdt, scratch, 2, 2) == SetupHandover(0x180000000, 0x1000, 0x9FF00000, 0x40)
    narrow = bytes.fromhex("00000001 80000000 00001000")
    assert chosen.decode_range(narrow, 2, 1) == MemoryRange(0x180000000, 0x1000)
    with pytest.raises(FormatError, match="not 16"):
        chosen.decode(narrow, scratch, 2, 2)


def test_cell_counts() -> None:
    assert chosen.decode_cell_count(b"\0\0\0\x02") == 2
    for data in (b"\0\0\0\x03", b"\0\0\0\0", b"\x02\0\0\0", b"\0\0\x02"):
        with pytest.raises(FormatError):
            chosen.decode_cell_count(data)


@given(st.binary(max_size=50), st.binary(max_size=20), st.sampled_from([1, 2]))
def test_any_bytes(data: bytes, other: bytes, cells: int) -> None:
    with suppress(FormatError):
        setup_data.decode(data)
    with suppress(FormatError):
        setup_data.parse_type(other)
    with suppress(FormatError):
        chosen.decode_cell_count(other)
    with suppress(FormatError):
        chosen.decode(data, other, cells, cells)
