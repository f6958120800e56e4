"""The words that both faces print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console import text
from kho_console.model.memory import ScratchArea, ScratchRole
from kho_console.model.owner import Owner, OwnerKind
from kho_console.model.unknown import Cause, Unknown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"vm-web", "vm-web"),
        (b"a b", "a b"),
        (b"back\\slash", "back\\\\slash"),
        (b"\x1b[31mred\n", "\\x1b[31mred\\x0a"),
        ("über".encode(), "\\xc3\\xbcber"),
        ("\udcff", "\\xff"),
        (b"\x7f\x00", "\\x7f\\x00"),
    ],
)
def test_names_are_escaped(name: bytes | str, shown: str) -> None:
    assert text.escaped(name) == shown


@given(st.binary(max_size=64))
def test_an_escaped_name_is_one_line_of_ascii_and_tells_every_byte(name: bytes) -> None:
    shown = text.escaped(name)
    assert shown.isprintable() or not shown
    assert shown.isascii()
    back = shown.encode().decode("unicode_escape").encode("latin-1")
    assert back == name


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0x5B5000, "0x0000_005b_5000"),
        (0, "0x0000_0000_0000"),
        (0xFD00000000, "0x00fd_0000_0000"),
        (0x12345678_9ABCD, "0x0001_2345_6789_abcd"),
    ],
)
def test_addresses_come_in_groups_of_four(value: int, shown: str) -> None:
    assert text.address(value) == shown


def test_a_short_address_keeps_its_groups() -> None:
    assert text.address(0x40000000, digits=8) == "0x4000_0000"
    assert text.address(0x100000000, digits=8) == "0x0001_0000_0000"


@pytest.mark.parametrize(
    ("value", "long", "short", "exact"),
    [
        (294, "294 B", "294", "294 bytes"),
        (4096, "4.0 KiB", "4.0K", "4.0 KiB (4,096 bytes)"),
        (15896576, "15.2 MiB", "15.2M", "15.2 MiB (15,896,576 bytes)"),
        (1 << 40, "1.0 TiB", "1.0T", "1.0 TiB (1,099,511,627,776 bytes)"),
        ((1 << 20) - 1, "1.0 MiB", "1.0M", "1.0 MiB (1,048,575 bytes)"),
    ],
)
def test_sizes(value: int, long: str, short: str, exact: str) -> None:
    assert text.size(value) == long
    assert text.short_size(value) == short
    assert text.exact(value) == exact


def test_every_cause_has_a_word_that_fits_a_column() -> None:
    for cause in Cause:
        assert 0 < len(text.word(Unknown(cause, "why"))) <= 18


def test_an_unknown_value_is_told_by_its_word() -> None:
    assert text.told(5, str) == "5"
    assert text.told(Unknown(Cause.NOT_PERMITTED, "why"), str) == "not permitted"


def test_owners_in_words() -> None:
    assert text.owner(Owner(OwnerKind.RESERVE_MEM, b"oops")) == "reserve_mem oops"
    assert text.owner(Owner(OwnerKind.ROOT_TREE)) == "root tree"
    memfd = Owner(OwnerKind.MEMFD, b"0xabd000", None, 2 << 20)
    assert text.owner(memfd) == "memfd 2.0 MiB, session unknown"
    known = Owner(OwnerKind.MEMFD, b"0xabd000", b"vm\n", 2 << 20)
    assert text.owner(known) == "memfd 2.0 MiB, session vm\\x0a"


def test_areas_in_words() -> None:
    area = ScratchArea(ScratchRole.NODE, 3, 0, 0)
    assert text.scratch_role(area) == "node 3"
    lost = ScratchArea(ScratchRole.NODE, Unknown(Cause.INVALID, "why"), 0, 0)
    assert text.scratch_role(lost) == "node ?"


def test_counts() -> None:
    assert text.count(1, "range") == "1 range"
    assert text.count(2611, "block") == "2,611 blocks"
    assert text.count(0, "entry", "entries") == "0 entries"
