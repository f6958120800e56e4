"""Memory files that a live-update session preserves (mm/memfd_luo.c)."""

import struct
from dataclasses import field

from kho_console.abi import folios, memfd
from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass
from kho_console.twin.handover import Handover
from kho_console.twin.vmalloc_area import preserve_bytes

_UPTODATE_DIRTY = 3 << 52
_MARK = b"MEMFD:"


@dataclass(eq=False)
class MemoryFile:
    """A memfd of the twin's user space.

    Attributes:
        size: Bytes.
        pages: Where its content lies; from when it is first needed.
        position: File position.
        seals: F_SEAL_* bits.
        preserved: Whether a session holds it for the next kernel.
        order: Order of its folios, where its pages were given and not filled.
    """

    size: int
    pages: list[MemoryRange] = field(default_factory=list)
    position: int = 0
    seals: int = 0
    preserved: bool = False
    order: int = 0


@dataclass
class Preserved:
    """A memfd with the records that describe it to the next kernel.

    Attributes:
        file: The memfd.
        state: Address of its state record.
        records: All pages of its records.
        known: Whether the twin wrote the records; else a fixture holds them.
    """

    file: MemoryFile
    state: int
    records: list[MemoryRange]
    known: bool = True


def preserve(handover: Handover, file: MemoryFile) -> Preserved:
    """Pin the file's pages, and write its records.

    Raises:
        Refused: ENOMEM, EBUSY.
    """
    page_size = handover.hardware.page_size
    fill(handover, file)
    folio = page_size << file.order
    for piece in file.pages:
        handover.preserver.folios(piece.start, piece.size // folio, file.order)
    frames = [
        at // page_size for piece in file.pages for at in range(piece.start, piece.end, folio)
    ]
    listed = b"".join(
        struct.pack("<QQ", frame | _UPTODATE_DIRTY, number << file.order)
        for number, frame in enumerate(frames)
    )
    assert len(listed) == len(frames) * folios.RECORD_SIZE
    descriptor, taken = preserve_bytes(handover, listed)
    state = handover.allocator.pages()
    handover.preserver.folio(state, 0)
    done = Preserved(file, state, [MemoryRange(state, page_size), *taken])
    head = struct.pack("<QQ", file.position, file.size)
    if handover.row.memfd > 1:
        head += struct.pack("<II", file.seals, 0)
    handover.hardware.memory.write(state, head + struct.pack("<Q", len(frames)) + descriptor)
    file.preserved = True
    return done


def unpreserve(handover: Handover, done: Preserved) -> None:
    """Take `preserve` back; the file keeps its pages."""
    page_size = handover.hardware.page_size
    folio = page_size << done.file.order
    for piece in done.file.pages:
        handover.preserver.forget_folios(piece.start, piece.size // folio, done.file.order)
    for piece in done.records:
        handover.preserver.forget_folios(piece.start, piece.size // page_size)
    if done.known:
        for piece in done.records:
            handover.allocator.give_back(piece)
    done.file.preserved = False


def freeze(handover: Handover, done: Preserved) -> None:
    """Write the file position down, as the kexec does."""
    if done.known:
        handover.hardware.memory.write(done.state, struct.pack("<Q", done.file.position))


def fill(handover: Handover, file: MemoryFile) -> None:
    """Give the file its pages; the first two begin with a mark and their index."""
    page_size = handover.hardware.page_size
    count = -(-file.size // page_size)
    if file.pages or not count:
        return
    start = handover.allocator.pages(count)
    file.pages = [MemoryRange(start, count * page_size)]
    for index in range(min(count, 2)):
        handover.hardware.memory.write(start + index * page_size, b"%s%d" % (_MARK, index))


def receive(handover: Handover, address: int, version: int) -> Preserved:
    """The file whose records the previous kernel left at `address`.

    Raises:
        FormatError: The records do not hold together.
        MissingMemory: They cannot be had.
    """
    memory, page_size = handover.hardware.memory, handover.hardware.page_size
    head = memfd.decode_state(memory.read(address, memfd.STATE_SIZES[version]), version)
    found = memfd.read(memory, address, version, page_size)
    file = MemoryFile(found.size, list(found.content), head.position, head.seals or 0)
    return Preserved(file, address, list(found.records))
