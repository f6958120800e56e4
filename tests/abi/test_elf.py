import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi.elf import (
    PT_LOAD,
    ProgramHeader,
    read_header,
    read_program_headers,
)
from kho_console.abi.error import FormatError

FIXTURES = Path(__file__).parents[2] / "fixtures"
CORE_HEADER = FIXTURES / "linux-7.3.4/crash-loaded/physmem/0x6f000000.bin"


def header(**changes: int) -> bytes:
    fields = {"kind": 4, "machine": 62, "table": 64, "entry_size": 56, "count": 2} | changes
    ident = bytes([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]) + bytes(9)
    return ident + struct.pack(
        "<HHIQQQIHHHHHH",
        *(fields["kind"], fields["machine"], 1, 0, fields["table"], 0, 0, 64),
        *(fields["entry_size"], fields["count"], 0, 0, 0),
    )


def test_elf_core_header_of_a_real_crash_image() -> None:
    # Expected values as `readelf -hlW` prints them.
    data = CORE_HEADER.read_bytes()
    head = read_header(data)
    assert (head.little_endian, head.type, head.machine) == (True, 4, 62)
    assert (head.table_offset, head.count, head.table_size) == (64, 6, 336)
    entries = read_program_headers(head, data[64:])
    assert [entry.type for entry in entries] == [4] * 3 + [1] * 3
    assert entries[0] == ProgramHeader(4, 0, 0x3EC2A400, 0, 0x3EC2A400, 0x170, 0x170, 0)
    assert entries[2].file_size == 0x1024
    text, memory = entries[3], entries[5]
    assert (text.virtual, text.physical) == (0xFFFFFFFF8F000000, 0x69A00000)
    assert (text.flags, text.offset, text.memory_size) == (7, 0x69A00000, 0xAF2000)
    assert (memory.virtual, memory.physical) == (0xFF2F5FB1FF000000, 0x7F000000)
    assert memory.memory_size == 0xFE0000


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
def test_same_addresses_as_readelf() -> None:
    run = subprocess.run(
        ["readelf", "-lW", str(CORE_HEADER)], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in run.stdout.splitlines()]
    seen = [tuple(int(word, 16) for word in row[1:6]) for row in rows if row[:1] == ["LOAD"]]
    data = CORE_HEADER.read_bytes()
    loads = [
        (item.offset, item.virtual, item.physical, item.file_size, item.memory_size)
        for item in read_program_headers(read_header(data), data[64:])
        if item.type == PT_LOAD
    ]
    assert loads == seen


def test_big_endian_as_on_s390() -> None:
    ident = bytes.fromhex("7f454c46020201000000000000000000")
    rest = "0004 0016 00000001 0000000000000000 0000000000000040 0000000000000000"
    tail = "00000000 0040 0038 0001 0000 0000 0000"
    head = read_header(ident + bytes.fromhex(rest + tail))
    assert (head.little_endian, head.type, head.machine, head.count) == (False, 4, 22, 1)
    table = bytes.fromhex("00000001 00000007" + "0000000000001000" * 6)
    assert read_program_headers(head, table)[0].physical == 0x1000


@pytest.mark.parametrize(
    ("data", "offset", "word"),
    [
        (b"", 0, "64 bytes"),
        (header()[:63], 63, "64 bytes"),
        (b"\x7fELG" + header()[4:], 0, "magic"),
        (header()[:4] + b"\x01" + header()[5:], 4, "class 1"),
        (header()[:5] + b"\x03" + header()[6:], 5, "byte order 3"),
        (header()[:6] + b"\x00" + header()[7:], 6, "version 0"),
        (header(entry_size=64), 54, "64 bytes"),
        (header(count=0xFFFF), 56, "65535"),
        (header(table=63), 32, "inside"),
        (header(table=(1 << 64) - 8), 32, "beyond"),
    ],
)
def test_damaged_headers_say_where(data: bytes, offset: int, word: str) -> None:
    with pytest.raises(FormatError, match=word) as caught:
        read_header(data)
    assert caught.value.offset == offset


def test_short_table_says_how_many_are_there() -> None:
    head = read_header(header(count=3))
    with pytest.raises(FormatError, match="3 program headers announced, 1 there") as caught:
        read_program_headers(head, bytes(111))
    assert caught.value.offset == 64 + 111


def test_no_program_headers_need_no_table() -> None:
    head = read_header(header(count=0, table=0, entry_size=0))
    assert read_program_headers(head, b"") == ()


@given(st.binary(max_size=200))
def test_any_bytes_answer_or_format_error(noise: bytes) -> None:
    for data in (noise, header()[:16] + noise):
        try:
            head = read_header(data)
            assert len(read_program_headers(head, data[head.table_offset :])) == head.count
        except FormatError as error:
            assert error.offset >= 0
