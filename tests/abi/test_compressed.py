"""Expansion in bounded steps: the cap holds however well the data is packed."""

import bz2
import gzip
import lzma

import pytest
import zstandard

from kho_console.abi.compressed import Compression, Expansion
from kho_console.abi.error import FormatError
from kho_console.abi.reader import Bytes

ZEROS = bytes(64 << 20)
BOMBS = {
    Compression.GZIP: gzip.compress(ZEROS, 1),
    Compression.BZIP2: bz2.compress(ZEROS, 1),
    Compression.XZ: lzma.compress(ZEROS, preset=0),
    Compression.LZMA: lzma.compress(ZEROS, lzma.FORMAT_ALONE, preset=0),
    Compression.ZSTD: zstandard.compress(ZEROS),
}


@pytest.mark.parametrize("form", BOMBS)
def test_no_more_is_given_than_the_limit(form: Compression) -> None:
    expansion = Expansion(Bytes(BOMBS[form]), 0, len(BOMBS[form]), form, limit=3 << 20)
    given = 0
    with pytest.raises(FormatError, match="more than 3145728 bytes"):
        for piece in expansion:
            given += len(piece)
    assert given <= 3 << 20


@pytest.mark.parametrize("form", BOMBS)
def test_where_a_stream_ends_is_known(form: Compression) -> None:
    data = b"before" + BOMBS[form] + b"behind"
    expansion = Expansion(Bytes(data), 6, len(data), form)
    assert sum(map(len, expansion)) == len(ZEROS)
    assert expansion.end == len(data) - 6
    cut = Expansion(Bytes(data), 6, len(data) - 20, form)
    assert sum(map(len, cut)) <= len(ZEROS)
    assert cut.end is None


def test_what_has_no_library_here_is_refused() -> None:
    with pytest.raises(FormatError, match="no library for lz4"):
        list(Expansion(Bytes(b"\x02!L\x18"), 0, 4, Compression.LZ4))
