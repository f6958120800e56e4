"""Live-update sessions of a recorded machine: who holds them, and the memory files behind them."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from kho_console.abi import luo, memfd
from kho_console.model.blob import LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source
from kho_console.twin.luo import OutgoingSession
from kho_console.twin.luo_incoming import Incoming
from kho_console.twin.machine import Twin
from kho_console.twin.memfd import MemoryFile, Preserved
from kho_console.twin.refused import Refused
from kho_console.twin.tracker import all_ranges

SessionFiles: TypeAlias = Mapping[bytes, Sequence[tuple[int, int]]]
"""Token and size in bytes of each file, by the session's name."""

_LINK = b"anon_inode:[luo_session] "
_DEVICE = b"/dev/liveupdate"
_MOST_PAGES = 1 << 16
"""Preserved pages among which memory files are looked for."""


def take_sessions(source: Source, twin: Twin, told: SessionFiles) -> None:
    """Give the twin the sessions and the device that processes are seen to hold."""
    processes = source.processes()
    if isinstance(processes, Unknown):
        return
    incoming = source.exists(f"{twin.hardware.kho}/in") is True
    names: set[bytes] = set()
    for process in processes:
        if isinstance(process.descriptors, Unknown):
            continue
        for descriptor, target in process.descriptors.items():
            if target == _DEVICE:
                twin.user.device_holder = (process.pid, descriptor)
            elif target.startswith(_LINK):
                name = target.removeprefix(_LINK)
                names.add(name)
                twin.user.held[name, incoming] = (process.pid, descriptor)
    if incoming:
        _take_incoming(twin, names)
    elif twin.kernel.outgoing is not None:
        _take_outgoing(twin, names, told)


def _take_incoming(twin: Twin, names: set[bytes]) -> None:
    """A session held after a handover is taken for an incoming one; its device was opened."""
    kernel = twin.kernel
    if kernel.handover is None or not (names or twin.user.device_holder):
        return
    if kernel.incoming is None:
        # From 7.2 on the blob's page is used again; that the sessions came in shows all the same.
        header = LuoHeader(kernel.row.luo or luo.STRUCT, 0, 0, 0, "blocks")
        kernel.incoming = Incoming(kernel.handover, header)
    kernel.incoming.opened_before(names)
    if names:
        twin.assumptions.append("sessions that are held came in, and all their files are claimed")


def _take_outgoing(twin: Twin, names: set[bytes], told: SessionFiles) -> None:
    outgoing = twin.kernel.outgoing
    assert outgoing is not None
    for name in sorted(names):
        outgoing.sessions[name] = OutgoingSession(name)
    waiting = _files(twin)
    for name in sorted(names & told.keys()):
        for token, size in told[name]:
            found = next((item for item in waiting if item.file.size == size), None)
            if found is not None:
                waiting.remove(found)
                outgoing.sessions[name].files[token] = found
            else:
                _preserve_new(twin, name, token, size)
    if waiting and names:
        first = outgoing.sessions[min(names)]
        for number, item in enumerate(waiting):
            first.files[number] = item
        twin.assumptions.append(
            f"{len(waiting)} preserved memory files belong to the session"
            f" {first.name.decode('utf-8', 'backslashreplace')}, with tokens from 0 on"
        )
    _take_records(twin)


def _take_records(twin: Twin) -> None:
    """Blocks that nothing else explains are the records of the sessions, if their number fits."""
    outgoing, hand = twin.kernel.outgoing, twin.kernel.handover
    assert outgoing is not None and hand is not None
    page, order = twin.hardware.page_size, outgoing.record_order
    found = hand.preserver.tracker.blocks().get(order)
    if found is None or found.bytes > _MOST_PAGES * page:
        return
    claimed = {hand.root, outgoing.header.flbs}
    claimed.update(item.address for item in hand.pointers)
    for session in outgoing.sessions.values():
        for done in session.files.values():
            for piece in [*done.records, *done.file.pages]:
                claimed.update(range(piece.start, piece.end, page))
    regions = [MemoryRange(item.start, item.size) for item in hand.regions]
    places = [
        address
        for piece in found
        for address in range(piece.start, piece.end, page << order)
        if address not in claimed and not any(item.start <= address < item.end for item in regions)
    ]
    if len(places) == outgoing.records_wanted():
        outgoing.take_records(places)


def _preserve_new(twin: Twin, name: bytes, token: int, size: int) -> None:
    """A file of which the fixture shows no memory."""
    outgoing = twin.kernel.outgoing
    assert outgoing is not None
    try:
        outgoing.preserve(name, token, MemoryFile(size))
    except Refused:
        twin.assumptions.append(f"no room for a memory file of {size} bytes")


def _files(twin: Twin) -> list[Preserved]:
    """Memory files whose records lie in preserved pages, by address."""
    hand = twin.kernel.handover
    if hand is None:
        return []
    by_order = hand.preserver.tracker.blocks()
    ranges, page = all_ranges(by_order), twin.hardware.page_size
    pages = by_order.get(0)
    if pages is None or pages.bytes > _MOST_PAGES * page:
        return []
    form = hand.row.map
    assert form is not None
    preserved = PreservedMap(form, page, hand.map_address, ranges, by_order, ranges)
    found = []
    for piece in pages:
        for address in range(piece.start, piece.end, page):
            memory_file = memfd.recognise(twin.hardware.memory, address, page, preserved)
            if memory_file is None:
                continue
            content = [MemoryRange(item.start, item.size) for item in memory_file.content]
            file = MemoryFile(
                memory_file.size, content, memory_file.position, memory_file.seals or 0, True
            )
            found.append(Preserved(file, address, list(memory_file.records), known=False))
    return found
