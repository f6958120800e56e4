"""Live-update sessions: held by processes, or still in the records of the previous kernel.

/dev/liveupdate is never opened: its first opening makes the kernel consume the records, and it
keeps everybody else out. No descriptor is probed for its direction.
"""

from collections import defaultdict
from collections.abc import Iterator

from kho_console.abi import luo_session, memfd, page_flags
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory, as_unknown
from kho_console.engine.bounded_memory import BoundedMemory
from kho_console.engine.paths import LIVEUPDATE
from kho_console.model.blob import Blob, BlobState, LuoHeader
from kho_console.model.session import Direction, Holder, Session, SessionFile
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Process, Source

_LINK = b"anon_inode:[luo_session] "
"""Start of the link of a session's descriptor; the kernel offers no other way to tell one."""

_HANDLERS = {b"memfd-v1": 1, b"memfd-v2": 2}

RECORDS_LIMIT = 256 << 20
"""Bytes of session and file records that are read."""

_FOLIOS_LIMIT = 1 << 30
"""Bytes of memfd records that are read, of all files together."""

_WRITTEN_LATE = Unknown(Cause.NOT_YET, "the kernel writes files and tokens at the kexec itself")
_NOT_LISTED = Unknown(Cause.ABSENT, "no interface lists the files of a session that is held")


def held(processes: tuple[Process, ...], *, cold: bool) -> tuple[Session, ...]:
    """Sessions that processes hold, by name.

    Args:
        processes: The process walk.
        cold: Whether it is known that this kernel came through no handover. Else a held session
            may be of either direction, which only probing could tell.
    """
    holders: dict[bytes, set[Holder]] = defaultdict(set)
    for process, target in _open(processes):
        if target.startswith(_LINK):
            holders[target.removeprefix(_LINK)].add(Holder(process.pid, process.command))
    direction = Direction.OUTGOING if cold else Direction.UNKNOWN
    files = _WRITTEN_LATE if cold else _NOT_LISTED
    return tuple(
        Session(name, direction, tuple(sorted(found)), files)
        for name, found in sorted(holders.items())
    )


def device_holders(processes: tuple[Process, ...]) -> tuple[Holder, ...]:
    """Who holds /dev/liveupdate, lowest pid first; the kernel lets nobody else open it."""
    found = {
        Holder(process.pid, process.command)
        for process, target in _open(processes)
        if target == LIVEUPDATE.encode()
    }
    return tuple(sorted(found))


def concerned(process: Process) -> Process | None:
    """What of a process matters to live update; None where nothing does."""
    if isinstance(process.descriptors, Unknown):
        return Process(process.pid, b"", process.descriptors)
    held = {
        at: target
        for at, target in process.descriptors.items()
        if target.startswith(_LINK) or target == LIVEUPDATE.encode()
    }
    return Process(process.pid, process.command, held) if held else None


def unseen(processes: tuple[Process, ...]) -> int:
    """How many processes do not show what they have open."""
    return sum(isinstance(process.descriptors, Unknown) for process in processes)


def _open(processes: tuple[Process, ...]) -> Iterator[tuple[Process, bytes]]:
    for process in processes:
        if not isinstance(process.descriptors, Unknown):
            for target in process.descriptors.values():
                yield process, target


def incoming(source: Source, blob: Blob | None) -> Maybe[tuple[Session, ...]]:
    """Sessions of the previous kernel that nobody has asked for yet, from its records.

    Up to 7.1 the blob stays for the whole boot. From 7.2 on its page is released before user
    space runs, so only an intact blob whose records are whole counts. The records themselves are
    freed when the device is first opened, and keep their bytes until their pages are used again.
    """
    if blob is None:
        return Unknown(Cause.ABSENT, "no LUO blob came in")
    if blob.state is not BlobState.VALID or not isinstance(blob.payload, LuoHeader):
        return Unknown(Cause.RELEASED, f"the LUO blob is {blob.state}: {blob.reason}")
    flags = source.page_flags(blob.payload.sessions)
    if not isinstance(flags, Unknown) and page_flags.given_away(flags):
        return Unknown(Cause.RELEASED, "the page of its records was freed when they were read")
    memory, page_size = source.memory, source.facts().page_size
    try:
        bounded = BoundedMemory(memory, RECORDS_LIMIT)
        records = luo_session.read(bounded, blob.payload, page_size)
    except (FormatError, MissingMemory) as error:
        return as_unknown(error)
    folios = BoundedMemory(memory, _FOLIOS_LIMIT)
    return tuple(
        Session(item.name, Direction.INCOMING, (), _files(folios, item.files, page_size))
        for item in records.sessions
    )


def _files(
    memory: PhysicalMemory,
    records: Maybe[tuple[luo_session.FileRecord, ...]],
    page_size: int,
) -> Maybe[tuple[SessionFile, ...]]:
    if isinstance(records, Unknown):
        return records
    return tuple(_file(memory, record, page_size) for record in records)


def _file(memory: PhysicalMemory, record: luo_session.FileRecord, page_size: int) -> SessionFile:
    version = _HANDLERS.get(record.handler)
    if version is None:
        unknown = Unknown(Cause.UNSUPPORTED, "this handler's records are not known here")
        return SessionFile(record.token, record.handler, unknown, unknown)
    try:
        head = memfd.decode_state(memory.read(record.data, memfd.STATE_SIZES[version]), version)
    except MissingMemory as error:
        unknown = as_unknown(error)
        return SessionFile(record.token, record.handler, unknown, unknown)
    try:
        state = memfd.read(memory, record.data, version, page_size)
    except FormatError as error:
        unknown = as_unknown(error)
        return SessionFile(record.token, record.handler, unknown, unknown)
    except MissingMemory as error:
        return SessionFile(record.token, record.handler, head.size, as_unknown(error))
    return SessionFile(record.token, record.handler, state.size, state)
