"""Serialised live-update sessions and their files.

Flat arrays from 6.19 to 7.1 (`luo-session-v2`), chains of blocks from 7.2 on (`luo-v5`). The
kernel writes them inside the kexec reboot call only, and the next kernel frees them when
/dev/liveupdate is first opened. Sources: kernel/liveupdate/luo_session.c and luo_file.c,
include/linux/kho/abi/luo.h.
"""

import struct

from kho_console.abi import block_list
from kho_console.abi.error import FormatError
from kho_console.abi.luo import SESSION_TREE
from kho_console.abi.memory import MissingMemory, PhysicalMemory, as_unknown
from kho_console.abi.text import c_string
from kho_console.model.blob import LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass

_SESSION = struct.Struct("<64sQQ")
_FILE = struct.Struct("<48sQQ")
_COUNT = 8
_SESSION_PAGES = 16
_FILE_PAGES = 2


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A preserved file: its handler's word, where its state lies, its token."""

    handler: bytes
    data: int
    token: int


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A serialised session; its files stand elsewhere and may be lost while it is not."""

    name: bytes
    files: Maybe[tuple[FileRecord, ...]]


@dataclass(frozen=True, slots=True)
class SessionRecords:
    """All serialised sessions."""

    sessions: tuple[SessionRecord, ...]


def read(memory: PhysicalMemory, header: LuoHeader, page_size: int) -> SessionRecords:
    """The sessions that a `LUO` header points at.

    Raises:
        FormatError: The records are damaged, or of a format no release has.
        MissingMemory: They cannot be had.
    """
    if header.session_format == "blocks":
        return _read_blocks(memory, header.sessions, page_size)
    if header.session_format == SESSION_TREE.decode():
        return _read_array(memory, header.sessions, page_size)
    raise FormatError(0, f"sessions in the unknown format {header.session_format!r}")


def array_range(header: LuoHeader, page_size: int) -> MemoryRange:
    """The memory of the flat session array (6.19 to 7.1)."""
    return MemoryRange(header.sessions, _SESSION_PAGES * page_size)


def _read_blocks(memory: PhysicalMemory, first: int, page_size: int) -> SessionRecords:
    if not first:
        return SessionRecords(())
    chain = block_list.walk(memory, first, _SESSION.size, page_size)
    pages = set(chain.pages)
    sessions = []
    for raw in chain.entries:
        name, files, count = _session(raw, first)
        try:
            if files in pages:
                raise FormatError(files, "a block of records stands in two lists")
            found, more = _file_blocks(memory, files, count, page_size)
            if not pages.isdisjoint(more):
                raise FormatError(files, "a block of records stands in two lists")
        except (FormatError, MissingMemory) as error:
            sessions.append(SessionRecord(name, as_unknown(error)))
            continue
        pages.update(more)
        sessions.append(SessionRecord(name, found))
    return SessionRecords(tuple(sessions))


def _file_blocks(
    memory: PhysicalMemory, first: int, count: int, page_size: int
) -> tuple[tuple[FileRecord, ...], tuple[int, ...]]:
    if not first:
        return (), ()
    chain = block_list.walk(memory, first, _FILE.size, page_size)
    if len(chain.entries) != count:
        raise FormatError(first, f"{len(chain.entries)} files where the session has {count}")
    return tuple(_file(raw, first) for raw in chain.entries), chain.pages


def _read_array(memory: PhysicalMemory, first: int, page_size: int) -> SessionRecords:
    if not first or first % page_size:
        raise FormatError(first, "the session array is not page aligned")
    count = int.from_bytes(memory.read(first, _COUNT), "little")
    capacity = (_SESSION_PAGES * page_size - _COUNT) // _SESSION.size
    if count > capacity:
        raise FormatError(first, f"{count} sessions where {capacity} fit")
    sessions = []
    for index in range(count):
        at = first + _COUNT + index * _SESSION.size
        name, files, number = _session(memory.read(at, _SESSION.size), at)
        try:
            sessions.append(SessionRecord(name, _file_array(memory, files, number, page_size)))
        except (FormatError, MissingMemory) as error:
            sessions.append(SessionRecord(name, as_unknown(error)))
    return SessionRecords(tuple(sessions))


def _session(raw: bytes, at: int) -> tuple[bytes, int, int]:
    padded, files, count = _SESSION.unpack(raw)
    name = c_string(padded)
    if not name or len(name) == len(padded):
        raise FormatError(at, "a session without a proper name")
    if bool(files) != bool(count):
        raise FormatError(at, f"session {name!r} announces {count} files at 0x{files:x}")
    return name, files, count


def _file_array(
    memory: PhysicalMemory, first: int, count: int, page_size: int
) -> tuple[FileRecord, ...]:
    capacity = _FILE_PAGES * page_size // _FILE.size
    if count > capacity:
        raise FormatError(first, f"{count} files where {capacity} fit")
    if first % page_size:
        raise FormatError(first, "a file array is not page aligned")
    raw = memory.read(first, count * _FILE.size) if count else b""
    return tuple(
        _file(raw[at : at + _FILE.size], first + at) for at in range(0, len(raw), _FILE.size)
    )


def _file(raw: bytes, at: int) -> FileRecord:
    padded, data, token = _FILE.unpack(raw)
    handler = c_string(padded)
    if not handler or len(handler) == len(padded):
        raise FormatError(at, "a file without a proper handler word")
    return FileRecord(handler, data, token)
