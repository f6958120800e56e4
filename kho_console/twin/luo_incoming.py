"""Sessions that came from the previous kernel, and how user space claims them."""

import errno
from dataclasses import field

from kho_console.abi import luo_session, memfd
from kho_console.abi.error import FormatError
from kho_console.abi.luo_session import FileRecord, SessionRecord
from kho_console.abi.memory import MissingMemory
from kho_console.model.blob import LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.twin.handover import Handover
from kho_console.twin.memfd import MemoryFile, Preserved, receive
from kho_console.twin.refused import Refused

_HANDLERS = {b"memfd-v1": 1, b"memfd-v2": 2}


@dataclass
class IncomingSession:
    """A session of the previous kernel.

    Attributes:
        name: Its name.
        records: Its files, by token, which nobody asked for yet.
        files: Files that were retrieved.
        failed: Errno of tokens whose retrieval failed for good.
        retrieved: Whether somebody holds it.
    """

    name: bytes
    records: dict[int, FileRecord]
    files: dict[int, MemoryFile] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)
    retrieved: bool = False


class Incoming:
    """What LUO received.

    Attributes:
        header: What the incoming blob said.
        sessions: By name; None until the device is first opened.
        broken: Whether reading the records failed: every opening of the device gives EIO.
    """

    def __init__(self, handover: Handover, header: LuoHeader) -> None:
        """Wait for somebody who opens the device."""
        self._handover = handover
        self.header = header
        self.sessions: dict[bytes, IncomingSession] | None = None
        self.broken = False

    def read(self) -> None:
        """The first opening of the device: take the records over, and free their pages.

        Raises:
            Refused: EIO where a record does not hold together, or its handler is not known.
        """
        if self.broken:
            raise Refused(errno.EIO, "the records could not be read")
        if self.sessions is not None:
            return
        memory, page_size = self._handover.hardware.memory, self._handover.hardware.page_size
        try:
            records = luo_session.read(memory, self.header, page_size)
            self.sessions = {item.name: self._session(item) for item in records.sessions}
        except (FormatError, MissingMemory, Refused) as error:
            self.broken = True
            raise Refused(errno.EIO, str(error)) from error
        self._free_records()

    def opened_before(self, held: set[bytes]) -> None:
        """Somebody opened the device before the twin began, and holds these sessions."""
        self.sessions = {name: IncomingSession(name, {}, retrieved=True) for name in sorted(held)}

    def retrieve_session(self, name: bytes) -> IncomingSession:
        """RETRIEVE_SESSION.

        Raises:
            Refused: ENOENT, EINVAL where somebody has it already.
        """
        session = self._known().get(name)
        if session is None:
            raise Refused(errno.ENOENT, "no such incoming session")
        if session.retrieved:
            raise Refused(errno.EINVAL, "somebody has this session")
        session.retrieved = True
        return session

    def retrieve_file(self, name: bytes, token: int) -> MemoryFile:
        """RETRIEVE_FD.

        Raises:
            Refused: ENOENT, or what the handler said, for good.
        """
        session = self._held(name)
        if token in session.failed:
            raise Refused(session.failed[token], "it failed before")
        if token in session.files:
            return session.files[token]
        record = session.records.get(token)
        if record is None:
            raise Refused(errno.ENOENT, "no such token")
        try:
            done = self._receive(record)
        except (FormatError, MissingMemory) as error:
            session.failed[token] = errno.EIO
            raise Refused(errno.EIO, str(error)) from error
        del session.records[token]
        for piece in done.records:
            self._handover.allocator.give_back(piece)
        done.file.preserved = self._handover.row.same_inode_refused
        session.files[token] = done.file
        return done.file

    def finish(self, name: bytes) -> None:
        """FINISH, and what closing a session does: what nobody retrieved is destroyed.

        Raises:
            Refused: ENOENT.
        """
        session = self._held(name)
        for record in session.records.values():
            try:
                done = self._receive(record)
            except (FormatError, MissingMemory):
                continue
            for piece in [*done.records, *done.file.pages]:
                self._handover.allocator.give_back(piece)
        session.records.clear()
        for file in session.files.values():
            file.preserved = False

    def close(self, name: bytes) -> None:
        """The last holder lets the session go: an implicit FINISH.

        Raises:
            Refused: ENOENT.
        """
        self.finish(name)
        del self._known()[name]

    def unclaimed_bytes(self) -> int:
        """Bytes of files that nobody has retrieved, as far as their records tell."""
        total = 0
        for record in self._waiting():
            try:
                done = self._receive(record)
            except (FormatError, MissingMemory):
                continue
            total += sum(piece.size for piece in [*done.records, *done.file.pages])
        return total

    def _waiting(self) -> list[FileRecord]:
        if self.sessions is not None:
            return [item for found in self.sessions.values() for item in found.records.values()]
        memory, page_size = self._handover.hardware.memory, self._handover.hardware.page_size
        try:
            records = luo_session.read(memory, self.header, page_size)
        except (FormatError, MissingMemory):
            return []
        return [
            item
            for found in records.sessions
            if not isinstance(found.files, Unknown)
            for item in found.files
        ]

    def _session(self, record: SessionRecord) -> IncomingSession:
        if isinstance(record.files, Unknown):
            raise Refused(errno.EIO, record.files.reason)
        version = self._handover.row.memfd
        for item in record.files:
            if _HANDLERS.get(item.handler) != version:
                raise Refused(errno.EIO, f"No registered handler for compatible {item.handler!r}")
        return IncomingSession(record.name, {item.token: item for item in record.files})

    def _receive(self, record: FileRecord) -> Preserved:
        return receive(self._handover, record.data, _HANDLERS[record.handler])

    def _free_records(self) -> None:
        """The pages of the session records; what was at their head reads as zero then."""
        memory, page_size = self._handover.hardware.memory, self._handover.hardware.page_size
        if not self.header.sessions:
            return
        if self.header.session_format == "blocks":
            page = self.header.sessions
            while page:
                following = int.from_bytes(memory.read(page, 8), "little")
                memory.write(page, bytes(16))
                self._handover.allocator.give_back(MemoryRange(page, page_size))
                page = following
            return
        piece = luo_session.array_range(self.header, page_size)
        memory.write(piece.start, bytes(8))
        self._handover.allocator.give_back(piece)

    def _known(self) -> dict[bytes, IncomingSession]:
        if self.sessions is None:
            raise Refused(errno.ENOENT, "the device was never opened")
        return self.sessions

    def _held(self, name: bytes) -> IncomingSession:
        session = self._known().get(name)
        if session is None or not session.retrieved:
            raise Refused(errno.ENOENT, "nobody holds such a session")
        return session


assert set(_HANDLERS.values()) == set(memfd.STATE_SIZES)
