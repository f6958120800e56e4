"""The Live Update Orchestrator of a running kernel: outgoing sessions (6.19 and later)."""

import errno
import struct
from collections.abc import Iterator
from dataclasses import field, replace

from kho_console.abi import block_list
from kho_console.abi import luo as abi_luo
from kho_console.model.blob import LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Unknown
from kho_console.model.value import dataclass
from kho_console.twin import memfd
from kho_console.twin.handover import Handover
from kho_console.twin.memfd import MemoryFile, Preserved
from kho_console.twin.refused import Refused

_NAME = 64
_SESSION = struct.Struct("<64sQQ")
_FILE = struct.Struct("<48sQQ")
_SESSION_ORDER = 4
_FILE_ORDER = 1
_NO_FLB = Unknown(Cause.ABSENT, "6.19 has no FLB node")


@dataclass
class OutgoingSession:
    """A session that goes to the next kernel.

    Attributes:
        name: As the kernel keeps it.
        files: By token, in the order of preservation.
        records: Pages set aside for the file records.
    """

    name: bytes
    files: dict[int, Preserved] = field(default_factory=dict)
    records: list[MemoryRange] = field(default_factory=list)


class Outgoing:
    """What LUO hands on.

    Attributes:
        header: What its blob says.
        sessions: By name, in the order of creation.
        serialized: Whether the records are written; then no session changes any more.
    """

    def __init__(self, handover: Handover, header: LuoHeader, page: int, size: int) -> None:
        """Go on with the blob of `size` bytes at `page`."""
        self._handover = handover
        self._page = page
        self.size = size
        self.header = header
        self.sessions: dict[bytes, OutgoingSession] = {}
        self.serialized = False
        self.blocks: list[int] = []

    @classmethod
    def create(cls, handover: Handover, number: int) -> "Outgoing":
        """Set LUO's memory aside, and register its blob.

        Raises:
            Refused: ENOMEM.
        """
        row = handover.row
        assert row.luo is not None
        page = handover.allocator.pages()
        handover.preserver.folio(page, 0)
        sessions = 0 if row.luo_struct else _set_aside(handover, _SESSION_ORDER).start
        flbs = _set_aside(handover, 0) if row.flb else None
        if flbs is not None:
            # One page of FLB records, none of them used: no module of the twin registers any.
            handover.hardware.memory.write(flbs.start, struct.pack("<QQ", 1, 0))
        form = "blocks" if row.luo_struct else abi_luo.SESSION_TREE.decode()
        told = _NO_FLB if flbs is None else flbs.start
        header = LuoHeader(row.luo, number, sessions, told, form)
        made = cls(handover, header, page, len(_encoded(header)))
        made._write()
        handover.add(abi_luo.NAME, page, made.size)
        return made

    def create_session(self, name: bytes) -> None:
        """CREATE_SESSION.

        Raises:
            Refused: EINVAL for a bad name, EEXIST, ENOMEM or ENOSPC at the limit.
        """
        kept = self._checked(name)
        if kept in self.sessions:
            raise Refused(errno.EEXIST, "there is an outgoing session of that name")
        self._room_for_session()
        self.sessions[kept] = OutgoingSession(kept)

    def preserve(self, name: bytes, token: int, file: MemoryFile) -> None:
        """PRESERVE_FD.

        Raises:
            Refused: ENOENT, EEXIST for a token in use, EBUSY for a file that is preserved,
                ENOSPC at the limit, ENOMEM.
        """
        session = self._session(name)
        if token in session.files:
            raise Refused(errno.EEXIST, "the token is taken")
        if self._handover.row.same_inode_refused and file.preserved:
            raise Refused(errno.EBUSY, "the file is preserved already")
        self._room_for_file(session)
        session.files[token] = memfd.preserve(self._handover, file)

    def close(self, name: bytes) -> None:
        """The last holder of an outgoing session lets it go: nothing of it stays.

        Raises:
            Refused: ENOENT.
        """
        session = self._session(name)
        for done in reversed(session.files.values()):
            memfd.unpreserve(self._handover, done)
        self._release(session.records)
        del self.sessions[session.name]

    def freeze(self) -> None:
        """Write all records, as the kexec does.

        Raises:
            Refused: ENOMEM, ENOSPC.
        """
        self._complete()
        for session in self.sessions.values():
            for done in session.files.values():
                memfd.freeze(self._handover, done)
        if self._handover.row.luo_struct:
            self._write_blocks()
        else:
            self._write_arrays()
        self.serialized = True

    def records_wanted(self) -> int:
        """How many blocks of records the sessions take: file arrays, or blocks of both kinds."""
        page_size = self._handover.hardware.page_size
        held = [len(session.files) for session in self.sessions.values() if session.files]
        if not self._handover.row.luo_struct:
            return len(held)
        capacity = block_list.capacity(_FILE.size, page_size)
        blocks = -(-len(self.sessions) // block_list.capacity(_SESSION.size, page_size))
        return blocks + sum(-(-number // capacity) for number in held)

    def take_records(self, places: list[int]) -> None:
        """Use blocks of records that were set aside before the twin, `records_wanted` of them."""
        page_size = self._handover.hardware.page_size
        left = iter(places)
        if self._handover.row.luo_struct:
            capacity = block_list.capacity(_SESSION.size, page_size)
            self.blocks = [next(left) for _ in range(0, len(self.sessions), capacity)]
        for session in self.sessions.values():
            if not self._handover.row.luo_struct:
                if session.files:
                    session.records = [MemoryRange(next(left), page_size << _FILE_ORDER)]
                continue
            capacity = block_list.capacity(_FILE.size, page_size)
            session.records = [
                MemoryRange(next(left), page_size) for _ in range(0, len(session.files), capacity)
            ]

    @property
    def record_order(self) -> int:
        """Order of a block of records that is set aside with a session."""
        return 0 if self._handover.row.luo_struct else _FILE_ORDER

    def _complete(self) -> None:
        """Room for the records of sessions that were there before the twin."""
        capacity = block_list.capacity(_SESSION.size, self._handover.hardware.page_size)
        for used in range(0, len(self.sessions) if self._handover.row.luo_struct else 0, capacity):
            self._grow(self.blocks, used, _SESSION.size)
        for session in self.sessions.values():
            files, session.files = session.files, {}
            for token, done in files.items():
                self._room_for_file(session)
                session.files[token] = done

    def _write_arrays(self) -> None:
        memory = self._handover.hardware.memory
        entries = b""
        for session in self.sessions.values():
            first = session.records[0].start if session.files else 0
            if first:
                memory.write(first, b"".join(self._file_records(session)))
            entries += _SESSION.pack(session.name, first, len(session.files))
        memory.write(self.header.sessions, struct.pack("<Q", len(self.sessions)) + entries)

    def _write_blocks(self) -> None:
        entries = []
        for session in self.sessions.values():
            places = [item.start for item in session.records]
            first = self._write_chain(places, list(self._file_records(session)), _FILE.size)
            entries.append(_SESSION.pack(session.name, first, len(session.files)))
        first = self._write_chain(self.blocks, entries, _SESSION.size)
        self.header = replace(self.header, sessions=first)
        self._write()

    def _write_chain(self, places: list[int], entries: list[bytes], size: int) -> int:
        capacity = block_list.capacity(size, self._handover.hardware.page_size)
        groups = [entries[at : at + capacity] for at in range(0, len(entries), capacity)]
        used = places[: len(groups)]
        for place, following, group in zip(used, [*used[1:], 0], groups, strict=False):
            head = struct.pack("<QQ", following, len(group))
            self._handover.hardware.memory.write(place, head + b"".join(group))
        return used[0] if used else 0

    def _file_records(self, session: OutgoingSession) -> Iterator[bytes]:
        handler = b"memfd-v%d" % self._handover.row.memfd
        return (_FILE.pack(handler, done.state, token) for token, done in session.files.items())

    def _checked(self, name: bytes) -> bytes:
        if self.serialized:
            raise Refused(errno.EBUSY, "the records are written")
        ended = name.partition(b"\0")[0]
        if self._handover.row.sessions_checked and (not ended or len(ended) >= _NAME):
            raise Refused(errno.EINVAL, "the name is empty or has no end")
        return ended[: _NAME - 1]

    def _session(self, name: bytes) -> OutgoingSession:
        session = self.sessions.get(name)
        if session is None:
            raise Refused(errno.ENOENT, "no such outgoing session")
        return session

    def _room_for_session(self) -> None:
        row, page_size = self._handover.row, self._handover.hardware.page_size
        if not row.luo_struct:
            if len(self.sessions) >= ((page_size << _SESSION_ORDER) - 8) // _SESSION.size:
                raise Refused(errno.ENOMEM, "too many sessions")
            return
        self._grow(self.blocks, len(self.sessions), _SESSION.size)

    def _room_for_file(self, session: OutgoingSession) -> None:
        row, page_size = self._handover.row, self._handover.hardware.page_size
        if row.luo_struct:
            places = [item.start for item in session.records]
            self._grow(places, len(session.files), _FILE.size)
            session.records = [MemoryRange(place, page_size) for place in places]
            return
        if len(session.files) >= (page_size << _FILE_ORDER) // _FILE.size:
            raise Refused(errno.ENOSPC, "too many files")
        if not session.records:
            session.records = [_set_aside(self._handover, _FILE_ORDER)]

    def _grow(self, places: list[int], used: int, size: int) -> None:
        """Another block where all are full."""
        if used < len(places) * block_list.capacity(size, self._handover.hardware.page_size):
            return
        if len(places) >= block_list.MAX_BLOCKS:
            raise Refused(errno.ENOSPC, "too many blocks")
        places.append(_set_aside(self._handover, 0).start)

    def _release(self, pieces: list[MemoryRange]) -> None:
        page_size = self._handover.hardware.page_size
        for piece in pieces:
            order = (piece.size // page_size).bit_length() - 1
            self._handover.preserver.forget_folios(piece.start, 1, order)
            self._handover.allocator.give_back(piece)

    def _write(self) -> None:
        self._handover.hardware.memory.write(self._page, _encoded(self.header))


def _set_aside(handover: Handover, order: int) -> MemoryRange:
    address = handover.allocator.block(order)
    handover.preserver.folio(address, order)
    return MemoryRange(address, handover.hardware.page_size << order)


def _encoded(header: LuoHeader) -> bytes:
    if header.session_format == "blocks":
        return abi_luo.encode_struct(header)
    return abi_luo.encode_tree(header)
