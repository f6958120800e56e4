import struct
import tracemalloc

import pytest

from kho_console.abi import luo_session
from kho_console.abi.error import FormatError
from kho_console.abi.luo_session import FileRecord, SessionRecord
from kho_console.abi.memory import MissingMemory
from kho_console.model.blob import LuoHeader
from kho_console.model.unknown import Cause, Unknown
from tests.abi.page_memory import PageMemory, recorded

SESSIONS, FILES, MORE = 0x100000, 0x200000, 0x300000


def blocks_at(address: int) -> LuoHeader:
    return LuoHeader(b"luo-v5", 1, address, 0, "blocks")


def array_at(address: int) -> LuoHeader:
    return LuoHeader(b"luo-v1", 1, address, 0, "luo-session-v2")


def session(name: bytes, files: int = 0, count: int = 0) -> bytes:
    return struct.pack("<64sQQ", name, files, count)


def file(token: int, data: int = 0x5000, handler: bytes = b"memfd-v2") -> bytes:
    return struct.pack("<48sQQ", handler, data, token)


def block(following: int, *records: bytes, page_size: int = 4096) -> bytes:
    packed = struct.pack("<QQ", following, len(records)) + b"".join(records)
    return packed.ljust(page_size, b"\0")


def array(*records: bytes, pages: int = 16, page_size: int = 4096) -> dict[int, bytes]:
    """The session array of 6.19 to 7.1: a count, then records, over 16 pages."""
    data = (struct.pack("<Q", len(records)) + b"".join(records)).ljust(pages * page_size, b"\0")
    return {
        SESSIONS + at: data[at : at + page_size] for at in range(0, pages * page_size, page_size)
    }


def unknown_of(record: SessionRecord) -> Unknown:
    assert isinstance(record.files, Unknown)
    return record.files


# --- recordings


def test_the_records_of_7_1_after_the_kexec() -> None:
    found = luo_session.read(recorded("linux-7.1.13/restored"), array_at(0x9B0000), 4096)
    names = [
        (item.name, len(item.files)) for item in found.sessions if isinstance(item.files, tuple)
    ]
    assert names == [(b"vm-web", 2), (b"vm-db", 1), (b"empty", 0)]
    web, database, _ = found.sessions
    assert isinstance(web.files, tuple)
    assert isinstance(database.files, tuple)
    assert [(item.token, item.handler) for item in web.files] == [
        (0x1001, b"memfd-v2"),
        (0x1002, b"memfd-v2"),
    ]
    assert [item.token for item in database.files] == [0x2001]


def test_the_records_of_7_3_after_the_kexec() -> None:
    """Released, yet still whole in this recording; the memfds' own states are gone."""
    found = luo_session.read(recorded("linux-7.3.4/restored"), blocks_at(0xAAC000), 4096)
    assert [item.name for item in found.sessions] == [b"vm-web", b"vm-db", b"empty"]
    assert found.sessions[0].files == (
        FileRecord(b"memfd-v2", 0xABD000, 0x1001),
        FileRecord(b"memfd-v2", 0xDBA000, 0x1002),
    )


# --- flat arrays, 6.19 to 7.1


def test_an_array() -> None:
    pages = array(session(b"a", FILES, 2), session(b"b\n\x1b")) | {
        FILES: (file(0) + file((1 << 64) - 1)).ljust(4096, b"\0")
    }
    found = luo_session.read(PageMemory(pages), array_at(SESSIONS), 4096)
    assert found.sessions == (
        SessionRecord(
            b"a",
            (FileRecord(b"memfd-v2", 0x5000, 0), FileRecord(b"memfd-v2", 0x5000, (1 << 64) - 1)),
        ),
        SessionRecord(b"b\n\x1b", ()),
    )


def test_819_sessions_and_no_more() -> None:
    """(65536 - 8) / 80 at 4 KiB (luo-abi 8.3)."""
    records = [session(b"s%d" % index) for index in range(819)]
    found = luo_session.read(PageMemory(array(*records)), array_at(SESSIONS), 4096)
    assert len(found.sessions) == 819
    pages = array()
    pages[SESSIONS] = struct.pack("<Q", 820).ljust(4096, b"\0")
    with pytest.raises(FormatError, match="820 sessions where 819 fit"):
        luo_session.read(PageMemory(pages), array_at(SESSIONS), 4096)


def test_128_files_and_no_more() -> None:
    data = b"".join(file(token) for token in range(128))
    pages = {FILES: data[:4096], FILES + 4096: data[4096:]}
    memory = PageMemory(array(session(b"full", FILES, 128), session(b"more", FILES, 129)) | pages)
    full, more = luo_session.read(memory, array_at(SESSIONS), 4096).sessions
    assert isinstance(full.files, tuple)
    assert len(full.files) == 128
    assert unknown_of(more).reason == "129 files where 128 fit"


@pytest.mark.parametrize("address", [0, SESSIONS + 8])
def test_an_array_that_is_no_page(address: int) -> None:
    with pytest.raises(FormatError, match="not page aligned"):
        luo_session.read(PageMemory({}), array_at(address), 4096)


def test_a_session_keeps_its_name_when_its_files_are_lost() -> None:
    records = (session(b"gone", FILES, 1), session(b"odd", FILES + 8, 1), session(b"fine"))
    found = luo_session.read(PageMemory(array(*records)), array_at(SESSIONS), 4096)
    gone, odd, fine = found.sessions
    assert [item.name for item in found.sessions] == [b"gone", b"odd", b"fine"]
    assert unknown_of(gone).cause is Cause.NOT_RECORDED
    assert unknown_of(odd).cause is Cause.INVALID
    assert fine.files == ()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (session(b""), "without a proper name"),
        (session(b"n" * 64), "without a proper name"),
        (session(b"x", FILES, 0), "announces 0 files"),
        (session(b"x", 0, 3), "announces 3 files"),
    ],
)
def test_sessions_that_are_none(record: bytes, reason: str) -> None:
    for header, pages in (
        (array_at(SESSIONS), array(record)),
        (blocks_at(SESSIONS), {SESSIONS: block(0, record)}),
    ):
        with pytest.raises(FormatError, match=reason):
            luo_session.read(PageMemory(pages), header, 4096)


def test_another_format() -> None:
    header = LuoHeader(b"luo-v1", 1, SESSIONS, 0, "luo-session-v9")
    with pytest.raises(FormatError, match="luo-session-v9"):
        luo_session.read(PageMemory({}), header, 4096)


# --- blocks, 7.2 and later


def test_no_sessions() -> None:
    found = luo_session.read(PageMemory({}), blocks_at(0), 4096)
    assert found.sessions == ()


@pytest.mark.parametrize(("page_size", "sessions", "files"), [(4096, 51, 63), (65536, 819, 1023)])
def test_chains_of_blocks(page_size: int, sessions: int, files: int) -> None:
    """Records for a page of 4 and 64 KiB as in luo-abi 8.2, and one more in a second block."""
    names = [session(b"n%d" % index) for index in range(sessions)]
    tokens = [file(index) for index in range(files + 1)]
    pages = {
        SESSIONS: block(SESSIONS + page_size, *names, page_size=page_size),
        SESSIONS + page_size: block(0, session(b"last", FILES, files + 1), page_size=page_size),
        FILES: block(MORE, *tokens[:files], page_size=page_size),
        MORE: block(0, tokens[files], page_size=page_size),
    }
    found = luo_session.read(PageMemory(pages, page_size), blocks_at(SESSIONS), page_size)
    assert len(found.sessions) == sessions + 1
    last = found.sessions[-1].files
    assert isinstance(last, tuple)
    assert [item.token for item in last] == list(range(files + 1))


def test_a_count_that_differs_from_the_blocks() -> None:
    pages = {SESSIONS: block(0, session(b"x", FILES, 2)), FILES: block(0, file(1))}
    (found,) = luo_session.read(PageMemory(pages), blocks_at(SESSIONS), 4096).sessions
    assert unknown_of(found) == Unknown(Cause.INVALID, "1 files where the session has 2", FILES)


def test_a_file_without_a_handler() -> None:
    for handler in (b"", b"h" * 48):
        pages = {
            SESSIONS: block(0, session(b"x", FILES, 1)),
            FILES: block(0, file(1, handler=handler)),
        }
        (found,) = luo_session.read(PageMemory(pages), blocks_at(SESSIONS), 4096).sessions
        assert unknown_of(found).reason == "a file without a proper handler word"


def test_damaged_and_missing_chains() -> None:
    with pytest.raises(FormatError, match="circle"):
        luo_session.read(
            PageMemory({SESSIONS: block(SESSIONS, session(b"x"))}), blocks_at(SESSIONS), 4096
        )
    with pytest.raises(MissingMemory):
        luo_session.read(PageMemory({}), blocks_at(SESSIONS), 4096)


def test_sessions_cannot_share_their_files() -> None:
    """51 sessions over one chain of 400 blocks would be a million records out of 1.6 MB."""
    chain = {
        FILES + index * 4096: block(
            FILES + (index + 1) * 4096 if index < 399 else 0, *(file(token) for token in range(63))
        )
        for index in range(400)
    }
    names = [session(b"n%d" % index, FILES, 400 * 63) for index in range(50)]
    tail = session(b"tail", FILES + 4096, 399 * 63)
    memory = PageMemory({SESSIONS: block(0, *names, tail)} | chain)
    tracemalloc.start()
    try:
        first, *others = luo_session.read(memory, blocks_at(SESSIONS), 4096).sessions
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(first.files, tuple)
    assert {unknown_of(other).reason for other in others} == {
        "a block of records stands in two lists"
    }
    assert peak < 64 << 20
