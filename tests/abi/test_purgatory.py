import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import purgatory
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.model.memory import MemoryRange
from tests.abi.page_memory import PageMemory

PURGATORY, HEADER, KERNEL = (MemoryRange(at << 12, 8192) for at in (16, 32, 48))
SEGMENTS = (HEADER, PURGATORY, KERNEL)
SIZES = st.integers(0, 1 << 22)


def machine(header: bytes = b"header") -> PageMemory:
    pages = {16 << 12: b"purgatory", 32 << 12: header, 48 << 12: b"kernel"}
    empty = {(at + 1) << 12: bytes(4096) for at in (16, 32, 48)}
    return PageMemory(empty | {at: page.ljust(4096, b"\0") for at, page in pages.items()})


def test_the_header_is_protected_only_where_it_is_hashed() -> None:
    for left_out, goes_on in (((1,), False), ((0, 1), True)):
        protected = purgatory.regions(SEGMENTS, left_out)
        stored = purgatory.digest(purgatory.in_memory(protected, machine()))
        assert purgatory.verify(protected, stored, machine())
        assert purgatory.verify(protected, stored, machine(b"another")) is goes_on


def test_the_digest_is_sha256_with_zeros_up_to_the_size_in_memory() -> None:
    region = MemoryRange(KERNEL.start, 3 << 20)
    wanted = hashlib.sha256(b"kernel" + bytes((3 << 20) - 6)).digest()
    assert purgatory.digest(purgatory.filled(b"kernel", region)) == wanted
    with pytest.raises(FormatError, match="8193 bytes for a region of 8192"):
        purgatory.digest(purgatory.filled(bytes(8193), KERNEL))


def test_memory_that_is_gone_is_no_verdict() -> None:
    with pytest.raises(MissingMemory):
        purgatory.verify([MemoryRange(0, 1)], bytes(32), machine())


def test_the_table_of_a_kernel() -> None:
    table = struct.pack("<4Q", 0x30000, 8192, 0x20000, 8192).ljust(256, b"\0")
    assert purgatory.read_regions(table) == (KERNEL, HEADER)
    assert purgatory.write_regions((KERNEL, HEADER)) == table


@given(st.lists(st.builds(MemoryRange, SIZES, st.integers(1, 1 << 40)), max_size=20), st.booleans())
def test_tables_are_read_as_written(wanted: list[MemoryRange], little_endian: bool) -> None:
    if len(wanted) > purgatory.MOST_REGIONS:
        with pytest.raises(FormatError, match="where 16 fit"):
            purgatory.write_regions(wanted, little_endian=little_endian)
        return
    table = purgatory.write_regions(wanted, little_endian=little_endian)
    assert len(table) == purgatory.TABLE_SIZE
    assert purgatory.read_regions(table, little_endian=little_endian) == tuple(wanted)


def test_seventeen_segments_do_not_fit_unless_some_are_left_out() -> None:
    segments = [KERNEL] * 17
    assert len(purgatory.regions(segments, {3})) == 16
    with pytest.raises(FormatError, match="17 regions"):
        purgatory.regions(segments, ())


@pytest.mark.parametrize(
    ("table", "offset", "word"),
    [
        (bytes(255), 255, "256 bytes"),
        (bytes(16) + struct.pack("<QQ", (1 << 64) - 1, 2).ljust(240, b"\0"), 24, "no end"),
    ],
)
def test_damaged_tables(table: bytes, offset: int, word: str) -> None:
    with pytest.raises(FormatError, match=word) as caught:
        purgatory.read_regions(table)
    assert caught.value.offset == offset
