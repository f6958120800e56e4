from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import number_list
from kho_console.abi.error import FormatError
from tests.abi.page_memory import recorded_file

SYSTEM = "/sys/devices/system/"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"0-3,8,10-11\n", (0, 1, 2, 3, 8, 10, 11)),
        (b"0\n", (0,)),
        (b"\n", ()),
        (b"", ()),
        (b"7-7", (7,)),
    ],
)
def test_lists(data: bytes, expected: tuple[int, ...]) -> None:
    assert number_list.numbers(data) == expected


def test_recorded() -> None:
    moment = "linux-7.3.4/cold"
    assert number_list.numbers(recorded_file(moment, SYSTEM + "cpu/possible")) == (0, 1)
    assert number_list.numbers(recorded_file(moment, SYSTEM + "cpu/offline")) == ()
    block_size = recorded_file(moment, SYSTEM + "memory/block_size_bytes")
    assert number_list.hexadecimal(block_size) == 128 << 20
    kind = recorded_file("linux-7.3.4/restored", "/sys/kernel/boot_params/setup_data/1/type")
    assert number_list.prefixed(kind) == 10


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"0-3,2\n", 4),
        (b"0,0", 2),
        (b"3-1", 0),
        (b"0,,1", 2),
        (b"0-", 2),
        (b"-1", 0),
        (b"0 1", 0),
        (b"x", 0),
        (b"0-1048576", 0),
        (b"4,99999999999999999999999", 2),
        ("٣".encode(), 0),
    ],
)
def test_damaged_lists(data: bytes, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        number_list.numbers(data)
    assert caught.value.offset == offset


def test_limit_of_a_list() -> None:
    assert number_list.numbers(b"0-3", limit=4) == (0, 1, 2, 3)
    with pytest.raises(FormatError):
        number_list.numbers(b"0-4", limit=4)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (number_list.hexadecimal, b""),
        (number_list.hexadecimal, b"+1"),
        (number_list.hexadecimal, b"1_0"),
        (number_list.hexadecimal, b"0x10"),
        (number_list.hexadecimal, b"10000000000000000"),
        (number_list.prefixed, b"10"),
        (number_list.prefixed, b"0x"),
        (number_list.prefixed, b"0x1\n\n"),
    ],
)
def test_damaged_values(read: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(FormatError):
        read(data)


TEXT = st.binary(max_size=30) | st.text("0123456789abcdefx-,\n ", max_size=12).map(str.encode)


@given(TEXT)
def test_any_bytes(data: bytes) -> None:
    for read in (
        number_list.numbers,
        number_list.hexadecimal,
        number_list.prefixed,
    ):
        try:
            read(data)
        except FormatError:
            continue


@given(st.sets(st.integers(0, 200)))
def test_every_list_of_single_numbers(numbers: set[int]) -> None:
    text = ",".join(str(number) for number in sorted(numbers))
    assert number_list.numbers(text.encode()) == tuple(sorted(numbers))
