import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import fdt, luo
from kho_console.abi.error import FormatError
from kho_console.model.blob import Field, LuoHeader
from kho_console.model.unknown import Cause, Maybe, Unknown
from tests.abi import kernel_trees
from tests.abi.kernel_trees import u64
from tests.abi.page_memory import recorded_file

OUT, IN = "/sys/kernel/debug/kho/out/sub_fdts/LUO", "/sys/kernel/debug/kho/in/sub_fdts/LUO"
NUMBERS = st.integers(0, (1 << 64) - 1)
NO_FLB = Unknown(Cause.ABSENT, "6.19 has no FLB node")
ROOT = [("compatible", b"luo-v1\0"), ("liveupdate-number", u64(3))]
SESSION = [("compatible", b"luo-session-v2\0"), ("luo-session-header", u64(0x9B0000))]
FLB = [("compatible", b"luo-flb-v1\0"), ("luo-flb-header", u64(0x98C000))]


# --- luo-v5, the struct of 7.2 and later


def test_the_recorded_struct_of_7_3() -> None:
    header, fields = luo.decode_struct(recorded_file("linux-7.3.4/sessions", OUT))
    assert header == LuoHeader(b"luo-v5", 1, 0, 0x4046B000, "blocks")
    assert fields == (
        Field("compatible", 0, 8, b"luo-v5", "text"),
        Field("liveupdate_num", 8, 8, 1, "count"),
        Field("sessions_pa", 16, 8, 0, "address"),
        Field("flbs_pa", 24, 8, 0x4046B000, "address"),
    )


def test_a_longer_word_moves_what_follows() -> None:
    """A posted series joins words with `;`; the field is the word rounded up to 8 bytes."""
    data = b"luo-v5;block-v1\0" + struct.pack("<3Q", 7, 0x1000, 0x2000)
    header, fields = luo.decode_struct(data)
    assert header == LuoHeader(b"luo-v5;block-v1", 7, 0x1000, 0x2000, "blocks")
    assert [field.offset for field in fields] == [0, 16, 24, 32]
    assert luo.encode_struct(header) == data


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"luo-v5\0\0", b"luo-v5"),
        (b"luo-v5\0", b"luo-v5"),
        (b"luo-v12345\0\0", None),
        (b"luo-v4\0\0", b"luo-v4"),
        (b"luo-v5\0x", None),
        (b"luo-v5x\0", None),
        (b"luo-v\0\0\0", None),
        (b"luo-v5;\x1b[J\0", None),
        (b"", None),
        (b"luo-v5;" + b"a" * 248, b"luo-v5;" + b"a" * 248),
    ],
)
def test_the_word_at_the_start(data: bytes, word: bytes | None) -> None:
    assert luo.struct_word(data) == word


def test_a_word_is_not_searched_for_ever() -> None:
    word = luo.struct_word(b"luo-v5;" + b"a" * 100_000)
    assert word is None or len(word) <= 256


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no luo-v word"),
        (bytes(32), "no luo-v word"),
        (b"luo-v4\0\0" + bytes(24), "version luo-v4"),
        (b"luo-v5\0\0" + bytes(23), "31 bytes are too few"),
        (b"luo-v5;block-v1\0" + bytes(16), "32 bytes are too few"),
    ],
)
def test_structs_that_are_none(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        luo.decode_struct(data)


def test_a_struct_without_an_flb_address_cannot_be_written() -> None:
    with pytest.raises(FormatError, match="FLB"):
        luo.encode_struct(LuoHeader(b"luo-v5", 1, 0, NO_FLB, "blocks"))


@given(NUMBERS, NUMBERS, NUMBERS)
def test_struct_round_trip(update: int, sessions: int, flbs: int) -> None:
    header = LuoHeader(b"luo-v5", update, sessions, flbs, "blocks")
    assert luo.decode_struct(luo.encode_struct(header))[0] == header
    assert len(luo.encode_struct(header)) == 32


# --- luo-v1, the tree of 6.19 to 7.1


def test_the_recorded_tree_of_7_1() -> None:
    blob = recorded_file("linux-7.1.13/restored", IN)
    header, fields = luo.decode_tree(fdt.read(blob))
    assert header == LuoHeader(b"luo-v1", 1, 0x9B0000, 0x98C000, "luo-session-v2")
    assert fields == (
        Field("/liveupdate-number", 0x68, 8, 1, "count"),
        Field("/luo-session/luo-session-header", 0xA8, 8, 0x9B0000, "address"),
        Field("/luo-flb/luo-flb-header", 0xE4, 8, 0x98C000, "address"),
    )
    assert luo.encode_tree(header) == blob


def test_the_tree_of_6_19_has_no_flb_node() -> None:
    blob = kernel_trees.sequential(ROOT, [("luo-session", SESSION)])
    header, fields = luo.decode_tree(fdt.read(blob))
    assert header == LuoHeader(b"luo-v1", 3, 0x9B0000, NO_FLB, "luo-session-v2")
    assert len(fields) == 2
    assert luo.encode_tree(header) == blob


def test_another_session_format_is_named() -> None:
    session = [("compatible", b"luo-session-v9\0"), SESSION[1]]
    blob = kernel_trees.sequential(ROOT, [("luo-session", session)])
    assert luo.decode_tree(fdt.read(blob))[0].session_format == "luo-session-v9"


Nodes = list[tuple[str, list[tuple[str, bytes]]]]


@pytest.mark.parametrize(
    ("properties", "nodes", "reason"),
    [
        ([("compatible", b"luo-v2\0"), ROOT[1]], [("luo-session", SESSION)], "not luo-v1"),
        (ROOT[1:], [("luo-session", SESSION)], "no compatible"),
        (ROOT[:1], [("luo-session", SESSION)], "no liveupdate-number"),
        ([ROOT[0], ("liveupdate-number", bytes(4))], [], "4 bytes, not 8"),
        (ROOT, [], "no /luo-session"),
        (ROOT, [("luo-session", SESSION[:1])], "no luo-session-header"),
        (ROOT, [("luo-session", SESSION[1:])], "no compatible"),
        (ROOT, [("luo-session", SESSION), ("luo-flb", FLB[:1])], "no luo-flb-header"),
    ],
)
def test_trees_that_are_none(
    properties: list[tuple[str, bytes]], nodes: Nodes, reason: str
) -> None:
    with pytest.raises(FormatError, match=reason):
        luo.decode_tree(fdt.read(kernel_trees.sequential(properties, nodes)))


@given(NUMBERS, NUMBERS, st.just(NO_FLB) | NUMBERS)
def test_tree_round_trip(update: int, sessions: int, flbs: Maybe[int]) -> None:
    header = LuoHeader(b"luo-v1", update, sessions, flbs, "luo-session-v2")
    assert luo.decode_tree(fdt.read(luo.encode_tree(header)))[0] == header
