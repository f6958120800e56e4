"""The records of a recording: what is written is read, what is damaged is refused."""

import struct
import zlib

import pytest
import zstandard

from kho_console.abi.error import FormatError
from kho_console.abi.reader import Bytes
from kho_console.abi.recording import bodies, content, framing
from kho_console.abi.recording.bodies import (
    Checkpoint,
    Counts,
    Entry,
    Happened,
    Index,
    Mark,
    Moment,
)
from kho_console.abi.recording.framing import HEADER, Frame, Kind

PLACE = 1 << 20
ENTRY = Entry(PLACE - 9, Counts(3, 2, 1, 300), 12.5, 1_700_000_000_000_000)


def framed(kind: Kind, body: bytes, start: int = PLACE) -> Frame:
    found = framing.read_frame(Bytes(framing.frame(kind, body)), 0)
    assert (found.kind, found.body) == (kind, body)
    return Frame(found.kind, found.body, start, start + found.end)


def test_a_record_is_laid_out_as_documented() -> None:
    checked = b"\x04\x82\x01" + b"x" * 130
    expected = struct.pack("<I", zlib.crc32(checked)) + checked
    assert framing.frame(Kind.MARK, b"x" * 130) == expected
    assert HEADER == b"KHO-REC\n\x01\0\0\0\0\0\0\0"


def test_every_body_is_read_as_it_was_written() -> None:
    moment = Moment(1.25, 77, {b"F/proc/a": PLACE - 5, b"X/b": 0})
    assert bodies.read_moment(framed(Kind.MOMENT, bodies.moment(moment, PLACE))) == moment
    mark = Mark(Happened.ACTION, 1.5, 78, {"step": "begin"})
    assert bodies.read_mark(framed(Kind.MARK, bodies.mark(mark))) == mark
    table = {b"M" + bytes(8): 16, b"F/x": 1 << 19}
    assert bodies.read_table(framed(Kind.TABLE, bodies.table(table, PLACE))) == table
    tables = (PLACE - 8, 0) * 32
    checkpoint = Checkpoint(Entry(PLACE, *_rest(ENTRY)), 16, 99, 0, tables)
    body = bodies.checkpoint(checkpoint)
    assert bodies.read_checkpoint(framed(Kind.CHECKPOINT, body)) == checkpoint
    index = Index((ENTRY, Entry(PLACE - 2, *_rest(ENTRY))), (Entry(17, *_rest(ENTRY)),))
    assert bodies.read_index(framed(Kind.INDEX, bodies.index(index, PLACE))) == index
    assert bodies.read_run(framed(Kind.RUN, bodies.run({"host": "a"}))) == {"host": "a"}


def _rest(entry: Entry) -> tuple[Counts, float, int]:
    return entry.counts, entry.monotonic, entry.wall


def test_a_value_rests_on_another_and_is_small() -> None:
    old = b"".join(b"line %d\n" % number for number in range(1000))
    new = old.replace(b"line 500", b"line five hundred")
    body = content.pack(new, PLACE, PLACE - 100, old)
    assert len(body) < 60 < len(content.pack(new, PLACE))
    found = content.read(framed(Kind.CONTENT, body))
    assert found.base == PLACE - 100
    assert content.value(found, old, PLACE) == new
    with pytest.raises(FormatError):
        content.value(found, old[:5000], PLACE)


@pytest.mark.parametrize("at", range(len(framing.frame(Kind.MARK, b"0123456789"))))
def test_a_changed_byte_is_noticed(at: int) -> None:
    data = bytearray(framing.frame(Kind.MARK, b"0123456789"))
    data[at] ^= 0x10
    with pytest.raises(FormatError):
        framing.read_frame(Bytes(bytes(data)), 0)


def test_a_length_beyond_the_file_is_not_read() -> None:
    class Endless:
        size = 1 << 60

        def read(self, offset: int, size: int) -> bytes:
            assert size <= framing.LARGEST_BODY + 32
            return (b"\0\0\0\0\x02" + framing.number(1 << 50)).ljust(512, b"\0")[:size]

    with pytest.raises(FormatError, match="length"):
        framing.read_frame(Endless(), 0)
    with pytest.raises(FormatError):
        framing.read_frame(Bytes(b"\0" * 64), 0)


def test_no_value_grows_beyond_what_it_says() -> None:
    bomb = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(
            format=zstandard.FORMAT_ZSTD1_MAGICLESS
        )
    ).compress(bytes(64 << 20))
    body = framing.number(100) + framing.number(0) + b"\x01" + bomb
    assert len(content.value(content.read(framed(Kind.CONTENT, body)), b"", PLACE)) == 100
    huge = framing.number(1 << 40) + framing.number(0) + b"\x01" + bomb
    with pytest.raises(FormatError, match="too large"):
        content.read(framed(Kind.CONTENT, huge))
    with pytest.raises(FormatError):
        bodies.read_table(framed(Kind.TABLE, framing.number(1 << 40) + bomb))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        struct.pack("<dq", float("nan"), 1) + b"\0",
        struct.pack("<dq", 1.0, -1) + b"\0",
        struct.pack("<dq", 1.0, 1 << 62) + b"\0",
        struct.pack("<dq", 1.0, 1) + framing.number(1 << 40),
        struct.pack("<dq", 1.0, 1) + b"\xff" * 11,
        struct.pack("<dq", 1.0, 1) + b"\x01\x01F" + framing.number(PLACE + 1),
    ],
)
def test_a_damaged_moment_is_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        bodies.read_moment(Frame(Kind.MOMENT, body, PLACE, PLACE + 100))


def test_an_index_that_does_not_ascend_is_refused() -> None:
    index = Index((ENTRY, ENTRY), ())
    with pytest.raises(FormatError, match="ascend"):
        bodies.read_index(framed(Kind.INDEX, bodies.index(index, PLACE)))
    with pytest.raises(FormatError, match="entries"):
        bodies.read_index(framed(Kind.INDEX, bodies.index(Index((), (ENTRY,)), PLACE)))
