import struct
from pathlib import Path

import pytest

from kho_console.abi import blob
from kho_console.engine import sessions
from kho_console.model.blob import Blob
from kho_console.model.session import Direction, Holder, Session
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Process
from tests.abi.page_memory import PageMemory, recorded, recorded_file
from tests.fixture_folder import FixtureFolder
from tests.fuzz.overlay import Overlay
from tests.recordings import folder

LINK = b"anon_inode:[luo_session] "
RECORDS, FILES, STATE = 0x100000, 0x200000, 0x300000


def process(pid: int, *targets: bytes, command: bytes = b"agent") -> Process:
    return Process(pid, command, dict(enumerate(targets)))


def luo(content: bytes) -> Blob:
    return blob.interpret(b"LUO", content, 4096, incoming=True)


def struct_at(address: int) -> Blob:
    return luo(b"luo-v5\0\0" + struct.pack("<3Q", 1, address, 0))


def block(*records: bytes) -> bytes:
    return (struct.pack("<QQ", 0, len(records)) + b"".join(records)).ljust(4096, b"\0")


def one_file(handler: bytes = b"memfd-v2", data: int = STATE) -> PageMemory:
    return PageMemory(
        {
            RECORDS: block(struct.pack("<64sQQ", b"vm", FILES, 1)),
            FILES: block(struct.pack("<48sQQ", handler, data, 7)),
        }
    )


# --- held by processes


def test_nobody_holds_anything() -> None:
    assert sessions.held((), cold=True) == ()
    assert sessions.held((process(1, b"/dev/null"),), cold=False) == ()


def test_one_session_of_two_processes() -> None:
    found = sessions.held(
        (process(9, LINK + b"vm", LINK + b"vm"), process(3, LINK + b"vm", command=b"other")),
        cold=True,
    )
    (only,) = found
    assert (only.name, only.direction) == (b"vm", Direction.OUTGOING)
    assert only.holders == (Holder(3, b"other"), Holder(9, b"agent"))
    assert isinstance(only.files, Unknown)
    assert only.files.cause is Cause.NOT_YET


def test_after_a_handover_the_direction_is_not_known() -> None:
    (only,) = sessions.held((process(1, LINK + b"vm"),), cold=False)
    assert only.direction is Direction.UNKNOWN
    assert isinstance(only.files, Unknown)
    assert only.files.cause is Cause.ABSENT


@pytest.mark.parametrize("name", [b"", b"a b", b"x\n\x1b[2J", b"\xff" * 63, b"a (deleted)"])
def test_names_are_kept_as_they_are(name: bytes) -> None:
    (only,) = sessions.held((process(1, LINK + name),), cold=True)
    assert only.name == name


def test_what_only_looks_like_a_session() -> None:
    targets = (b"anon_inode:[luo_session]", b"/tmp/" + LINK + b"x", b"anon_inode:[luo_file] x")
    assert sessions.held((process(1, *targets),), cold=True) == ()


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        (b"/dev/liveupdate", True),
        (LINK + b"x", False),
        (b"/dev/liveupdate2", False),
        (b"/dev/null", False),
    ],
)
def test_who_holds_the_device(target: bytes, holds: bool) -> None:
    found = sessions.device_holders((process(1, target),))
    assert [holder.pid for holder in found] == ([1] if holds else [])
    assert sessions.device_holders(()) == ()


def test_a_process_that_shows_nothing_is_counted() -> None:
    closed = Process(7, b"agent", Unknown(Cause.NOT_PERMITTED, "closed"))
    seen = process(1, LINK + b"vm")
    assert sessions.unseen((closed, seen)) == 1
    assert [item.name for item in sessions.held((closed, seen), cold=True)] == [b"vm"]
    assert sessions.device_holders((closed,)) == ()


# --- waiting in the previous kernel's records


def waiting(memory: PageMemory, blob: Blob | None) -> Maybe[tuple[Session, ...]]:
    return sessions.incoming(
        Overlay(FixtureSource(folder("linux-7.1.13/restored")), {}, memory), blob
    )


def test_recorded_sessions_of_7_1() -> None:
    content = recorded_file("linux-7.1.13/restored", "/sys/kernel/debug/kho/in/sub_fdts/LUO")
    found = waiting(recorded("linux-7.1.13/restored"), luo(content))
    assert not isinstance(found, Unknown)
    assert [(item.name, item.direction, item.holders) for item in found] == [
        (name, Direction.INCOMING, ()) for name in (b"vm-web", b"vm-db", b"empty")
    ]
    web = found[0].files
    assert not isinstance(web, Unknown)
    assert [(item.token, item.handler, item.size) for item in web] == [
        (0x1001, b"memfd-v2", 2 << 20),
        (0x1002, b"memfd-v2", 64 << 10),
    ]


def reason_of(value: object) -> Unknown:
    assert isinstance(value, Unknown), value
    return value


def test_no_blob_and_one_that_is_gone() -> None:
    assert reason_of(waiting(PageMemory({}), None)).cause is Cause.ABSENT
    stale = reason_of(waiting(PageMemory({}), luo(b"#!/bin/sh\n")))
    assert stale.cause is Cause.RELEASED
    assert stale.reason.startswith("the LUO blob is stale: released by the kernel")


def test_records_that_are_gone() -> None:
    missing = reason_of(waiting(PageMemory({}), struct_at(RECORDS)))
    assert missing.cause is Cause.NOT_RECORDED
    zeros = PageMemory({RECORDS: bytes(4096)})
    assert reason_of(waiting(zeros, struct_at(RECORDS))).cause is Cause.INVALID


@pytest.mark.parametrize("flags", [1 << 10, 1 << 5 | 1 << 12, 1 << 7, 1 << 26])
def test_records_whose_page_is_in_other_hands_wait_no_more(tmp_path: Path, flags: int) -> None:
    made = FixtureFolder(tmp_path, release="7.1.13")
    made.pages(one_file().pages)
    source = made.open(page_flags={hex(RECORDS): hex(flags)})
    gone = reason_of(sessions.incoming(source, struct_at(RECORDS)))
    assert gone.cause is Cause.RELEASED
    assert "freed" in gone.reason


@pytest.mark.parametrize("flags", [0, 1 << 32, 1 << 20])
def test_records_whose_page_nobody_has_taken_count(tmp_path: Path, flags: int) -> None:
    made = FixtureFolder(tmp_path, release="7.1.13")
    made.pages(one_file().pages)
    source = made.open(page_flags={hex(RECORDS): hex(flags)})
    found = sessions.incoming(source, struct_at(RECORDS))
    assert not isinstance(found, Unknown)
    assert [item.name for item in found] == [b"vm"]


def size_and_state(memory: PageMemory) -> tuple[object, object]:
    found = waiting(memory, struct_at(RECORDS))
    assert not isinstance(found, Unknown)
    files = found[0].files
    assert not isinstance(files, Unknown)
    assert [item.token for item in files] == [7]
    return files[0].size, files[0].state


def test_a_handler_that_is_not_known() -> None:
    size, state = size_and_state(one_file(b"vfio-pci-v1"))
    assert reason_of(size).cause is reason_of(state).cause is Cause.UNSUPPORTED


def test_the_state_of_a_file_is_gone() -> None:
    size, state = size_and_state(one_file())
    assert reason_of(size).cause is reason_of(state).cause is Cause.NOT_RECORDED


def test_the_state_of_a_file_runs_into_a_missing_page() -> None:
    memory = one_file(data=STATE + 4096 - 8)
    memory.pages[STATE] = bytes(4096)
    size, state = size_and_state(memory)
    assert reason_of(size).cause is reason_of(state).cause is Cause.NOT_RECORDED


def test_the_size_is_known_where_only_the_folios_are_gone() -> None:
    memory = one_file()
    head = struct.pack("<QQIIQQIHH", 0, 8192, 0, 0, 2, 0x400000, 1, 1, 0)
    memory.pages[STATE] = head.ljust(4096, b"\0")
    size, state = size_and_state(memory)
    assert size == 8192
    assert reason_of(state).cause is Cause.NOT_RECORDED


def test_a_state_that_contradicts_itself() -> None:
    memory = one_file()
    memory.pages[STATE] = b"\xff" * 4096
    size, state = size_and_state(memory)
    assert reason_of(size).cause is reason_of(state).cause is Cause.INVALID
