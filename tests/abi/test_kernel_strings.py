"""Versions a kernel speaks, against text that only mentions them."""

import gzip
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi.kernel_strings import Strings
from kho_console.model.image import ImageWords
from kho_console.model.unknown import Unknown


def words(data: bytes) -> ImageWords:
    strings = Strings()
    strings.feed(data)
    return strings.words


@pytest.mark.parametrize(
    ("data", "kho"),
    [
        (b"%d\n\0kho-v1\0compatible", ("kho-v1",)),
        (b"\xff\xff\xff\xffkho-v4\0\0\0", ("kho-v4",)),
        (b"kho-v3\0", ("kho-v3",)),
        (b"\0kho-v10\0kho-v9\0", ("kho-v9", "kho-v10")),
        (b"\0kho-v5;block-v1\0", ("kho-v5",)),
        (b"is incompatible with 'kho-v4'\0", ()),
        (b"older than kho-v3\0", ()),
        (b"\0not-kho-v3\0", ()),
        (b"\0kho-v3 was there\0", ()),
        (b"\0kho-v3x\0", ()),
        (b"line\nkho-v3\0", ()),
        (b"\0kho-v3", ()),
        (b"\0kho-v\0kho-v12345\0KHO-V1\0", ()),
    ],
)
def test_a_word_is_a_string_of_its_own(data: bytes, kho: tuple[str, ...]) -> None:
    assert words(b"\0" + data if data[:4] != b"kho-" else data).kho == kho


def test_all_kinds_of_words() -> None:
    text = b"\0luo-v1\0luo-session-v2\0luo-flb-v1\0memfd-v1\0memfd-v2\0vfio-v1\0"
    assert words(text) == ImageWords(
        (), ("luo-v1", "luo-flb-v1", "luo-session-v2"), ("memfd-v1", "memfd-v2")
    )


CONFIG = {f"CONFIG_X{number}": "y" for number in range(300)}
PACKED = gzip.compress("".join(f"{name}=y\n" for name in CONFIG).encode())
WHOLE = (
    bytes(50)
    + b"IKCFG_ST as text"
    + b"\0luo-session-v2;x\0"
    + b"Linux version 7.3.4 (root@vm)\0"
    + b"IKCFG_ST"
    + PACKED
    + b"IKCFG_ED\0kho-v4\0"
)


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_pieces_may_be_cut_anywhere(cuts: list[int]) -> None:
    strings = Strings()
    places = [0, *sorted(cuts), len(WHOLE)]
    for start, end in pairwise(places):
        strings.feed(WHOLE[start:end])
    assert strings.words == ImageWords(("kho-v4",), ("luo-session-v2",), ())
    assert strings.banner == b"7.3.4"
    assert strings.config == CONFIG


def test_a_configuration_that_is_damaged_or_does_not_end() -> None:
    for data, why in (
        (b"\0IKCFG_ST\x1f\x8bjunk" + b"IKCFG_ED", "damaged gzip"),
        (b"\0IKCFG_ST" + PACKED, "does not end"),
        (b"nothing", "no configuration"),
    ):
        strings = Strings()
        strings.feed(data)
        assert isinstance(strings.config, Unknown)
        assert why in strings.config.reason
