import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi.memparse import kstrtobool, kstrtouint, memparse


@pytest.mark.parametrize(
    ("text", "value", "length"),
    [
        (b"16M,", 16 << 20, 3),
        (b"1g", 1 << 30, 2),
        (b"2T", 2 << 40, 2),
        (b"1P", 1 << 50, 2),
        (b"1E", 1 << 60, 2),
        (b"0x10k", 16 << 10, 5),
        (b"0X1e", 0x1E, 4),
        (b"010", 8, 3),
        (b"08", 0, 1),
        (b"0", 0, 1),
        (b"0x", 0, 1),
        (b"0xg", 0, 1),
        (b"12MM", 12 << 20, 3),
        (b"K", 0, 1),
        (b"", 0, 0),
        (b" 1", 0, 0),
        (b"-1", 0, 0),
        (b"+1", 0, 0),
        (b",5", 0, 0),
        (b"18446744073709551617", 1, 20),
        (b"17E", 1 << 60, 3),
    ],
)
def test_memparse(text: bytes, value: int, length: int) -> None:
    assert memparse(text) == (value, length)


def test_switches() -> None:
    for text in (b"1", b"y", b"Y", b"true", b"T", b"enable", b"E", b"on", b"On", b"oN", b"yes!"):
        assert kstrtobool(text) is True
    for text in (b"0", b"n", b"No", b"false", b"F", b"disable", b"D", b"off", b"OF"):
        assert kstrtobool(text) is False
    for text in (b"", b"o", b"oo", b"2", b" 1", b"\xff", b"auto"):
        assert kstrtobool(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"0", 0),
        (b"200", 200),
        (b"+7", 7),
        (b"7\n", 7),
        (b"4294967295", 4294967295),
        (b"4294967296", None),
        (b"0" * 5000 + b"9", 9),
        (b"9" * 5000, None),
        (b"", None),
        (b"+", None),
        (b"-1", None),
        (b"0x10", None),
        (b"1 ", None),
    ],
)
def test_unsigned(text: bytes, value: int | None) -> None:
    assert kstrtouint(text) == value


@given(st.binary(max_size=40))
def test_any_bytes(text: bytes) -> None:
    value, length = memparse(text)
    assert 0 <= value < 1 << 64
    assert 0 <= length <= len(text)
    kstrtobool(text)
    kstrtouint(text)


@given(st.integers(0, 2**64 - 1))
def test_every_number(number: int) -> None:
    assert memparse(b"%d:" % number) == (number, len(str(number)))
    assert memparse(b"0x%x:" % number) == (number, len(f"0x{number:x}"))
