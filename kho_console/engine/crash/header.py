"""Finds the ELF core header of a crash image in physical memory.

`kexec_file_load` of x86 puts it at the first byte of the region; other loaders and `kexec_load`
put it near the top, at a page. Whoever unloads an image leaves the bytes in place.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Protocol, runtime_checkable

from kho_console.abi import elf, elfcorehdr, elfcorehdr_size
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory, as_unknown
from kho_console.engine import files, paths
from kho_console.model.crash import CoreHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source

_ET_CORE = 4
_STEP = 4096
"""Segments of an image begin at a page, which is nowhere smaller."""

_PIECE = 1 << 20
_MOST_SCANNED = 1 << 30
"""Bytes that a search reads. Of larger regions it takes both ends: most loaders put the header near
the top, one that goes upward has it behind its kernel, near the bottom."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A header and where it lies.

    Attributes:
        address: Its first byte.
        first: Whether a region of the crash kernel begins there.
        header: What it says.
    """

    address: int
    first: bool
    header: CoreHeader


@runtime_checkable
class Reopened(Protocol):
    """Memory whose layout may be out of date after a memory event, as that of `/proc/kcore`."""

    def reopen(self) -> None:
        """Read the layout anew with the next read."""
        ...


@runtime_checkable
class Kept(Protocol):
    """Memory of which somebody keeps all that is read, as a recording does."""

    @property
    def unkept(self) -> PhysicalMemory:
        """The same memory for a search, most of which nobody wants to have kept."""
        ...


class HeaderSearch:
    """Looks for the header in the regions of the crash kernel."""

    def __init__(self, source: Source) -> None:
        """Look into the memory of `source`, as it is laid out now."""
        self._source = source
        self._memory: PhysicalMemory = source.memory
        self._searched = self._memory.unkept if isinstance(self._memory, Kept) else self._memory
        known = elfcorehdr_size.architecture(source.facts().machine)
        self._machine = None if known is None else known.elf_machine
        self._fault: Unknown | None = None
        self._left_out = False
        if isinstance(self._memory, Reopened):
            self._memory.reopen()

    def find(
        self,
        regions: Sequence[MemoryRange],
        hint: int | None,
        *,
        scan: bool,
        first_is_old: bool = False,
    ) -> Maybe[Found]:
        """The header, or why there is none to see.

        Args:
            regions: Memory of the crash kernel; images lie in the highest one.
            hint: Where a header was seen before.
            scan: Whether to search all of the regions, which reads hundreds of MiB.
            first_is_old: Whether what lies at the first byte of a region is of another image, if
                there is a header elsewhere.
        """
        ordered = sorted(regions, reverse=True)
        starts = [region.start for region in ordered]
        seen = [hint] if hint is not None and any(_holds(item, hint) for item in ordered) else []
        searched = self._candidates(ordered) if scan else ()
        places = chain(starts, seen, searched)
        if first_is_old and hint not in starts:
            places = chain(seen, (at for at in searched if at not in starts), starts)
        for address in places:
            header = self._at(address)
            if header is not None:
                return Found(address, address in starts, header)
        return self._why_none(scan)

    @property
    def _denied(self) -> bool:
        return self._fault is not None and self._fault.cause is Cause.NOT_PERMITTED

    def _why_none(self, scanned: bool) -> Unknown:
        if self._denied and self._closed():
            reason = "lockdown=confidentiality closes /proc/kcore"
            return Unknown(Cause.NOT_PERMITTED, reason)
        if self._fault is not None:
            return self._fault
        where = "in the memory" if scanned else "at the first byte of the memory"
        if self._left_out:
            where = "in the upper and lower 512 MiB of the memory"
        return Unknown(Cause.ABSENT, f"no ELF core header {where} of the crash kernel")

    def _closed(self) -> bool:
        mode = files.raw(self._source, paths.LOCKDOWN)
        return not isinstance(mode, Unknown) and b"[confidentiality]" in mode

    def _at(self, address: int) -> CoreHeader | None:
        """The header at an address; None without one, and the reason is kept."""
        try:
            content = self._settled(address)
            return None if content is None else _decoded(content)
        except (FormatError, MissingMemory) as error:
            if self._fault is None or not isinstance(error, MissingMemory):
                self._fault = as_unknown(error)
        return None

    def _settled(self, address: int) -> bytes | None:
        """The bytes of a header in two equal copies: the kernel may rewrite it meanwhile."""
        before = self._copy(address)
        for _ in range(_TRIES):
            again = self._copy(address)
            if again == before:
                return again
            before = again
        raise FormatError(address, "the kernel keeps rewriting the ELF core header")

    def _copy(self, address: int) -> bytes | None:
        head = self._memory.read(address, elf.HEADER_SIZE)
        if not head.startswith(elf.MAGIC):
            return None
        header = elf.read_header(head)
        if header.type != _ET_CORE:
            raise FormatError(16, f"an ELF file of type {header.type}, no core header")
        if self._machine is not None and header.machine != self._machine:
            raise FormatError(18, f"an ELF core header of machine {header.machine}")
        return self._memory.read(address, elf.HEADER_SIZE + header.table_size)

    def _candidates(self, regions: Sequence[MemoryRange]) -> Iterator[int]:
        """Pages that begin as an ELF file does, from the top down; of large regions not all."""
        self._left_out = sum(region.size for region in regions) > _MOST_SCANNED
        down = chain.from_iterable(map(_pieces, regions))
        up = chain.from_iterable(_pieces(region, upward=True) for region in reversed(regions))
        half = _MOST_SCANNED // _PIECE // 2
        for piece in chain(islice(down, half), islice(up, half)) if self._left_out else down:
            if self._denied:
                return
            yield from self._pages(piece)

    def _pages(self, piece: MemoryRange) -> Iterator[int]:
        first = -(-piece.start // _STEP) * _STEP
        pages = range(first, piece.end - elf.HEADER_SIZE + 1, _STEP)
        try:
            content = self._searched.read(piece.start, piece.size)
        except MissingMemory as error:
            if not error.permission:
                yield from (page for page in reversed(pages) if self._begins_as_elf(page))
            return
        for page in reversed(pages):
            if content.startswith(elf.MAGIC, page - piece.start):
                yield page

    def _begins_as_elf(self, page: int) -> bool:
        try:
            return self._searched.read(page, len(elf.MAGIC)) == elf.MAGIC
        except MissingMemory:
            return False


def _pieces(region: MemoryRange, *, upward: bool = False) -> Iterator[MemoryRange]:
    starts = range(region.start // _PIECE * _PIECE, region.end, _PIECE)
    for start in starts if upward else reversed(starts):
        first, end = max(start, region.start), min(start + _PIECE, region.end)
        yield MemoryRange(first, end - first)


@lru_cache(maxsize=4)
def _decoded(content: bytes) -> CoreHeader:
    """What the bytes say; after most events they are the same as before."""
    return elfcorehdr.read(content)


def _holds(region: MemoryRange, address: int) -> bool:
    return region.start <= address < region.end
