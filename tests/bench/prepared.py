"""Maps of preserved memory as large as a host's, laid out in a file: the map's own pages only.

The bitmaps lie one behind the other from the start of the file, then the tables or chunks.
Formats: include/linux/kho/abi/kexec_handover.h (7.1 to 7.3), kernel/kexec_handover.c (6.18).
"""

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from kho_console.abi import chunk_list, radix_tree
from kho_console.abi.memory import MissingMemory
from kho_console.model.generation import MapFormat
from kho_console.model.preserved import PreservedMap, Totals

PAGE = 4096
SHIFT = 12
BASE = 1 << 32
"""Physical address of the file's first page."""

_TOP, _TABLE_BITS = 5, 9
_ENTRIES = 255

EVERY_PAGE = b"\xff" * PAGE
EVERY_SECOND_PAGE = b"\x55" * PAGE


@dataclass(frozen=True, slots=True)
class Prepared:
    """A map in a file.

    Attributes:
        form: `radix` or `chunks`.
        file: Its pages.
        head: Physical address of the root, or of the first chunk.
        bitmaps: How many bitmaps it has; each stands for 128 MiB.
    """

    form: str
    file: Path
    head: int
    bitmaps: int


def radix(file: Path, bitmaps: Iterator[bytes]) -> Prepared:
    """A tree whose leaves of order 0 follow each other from physical address 0 on."""
    count = _write(file, bitmaps)
    below = [BASE + at * PAGE for at in range(count)]
    keys = [(1 << 64 - SHIFT) >> 15 | at for at in range(count)]
    with file.open("ab") as pages:
        for _ in range(_TOP):
            tables: dict[int, bytearray] = {}
            for key, address in zip(keys, below, strict=True):
                table = tables.setdefault(key >> _TABLE_BITS, bytearray(PAGE))
                struct.pack_into("<Q", table, key % (1 << _TABLE_BITS) * 8, address)
            below = [BASE + pages.tell() + at * PAGE for at in range(len(tables))]
            keys = list(tables)
            pages.writelines(tables.values())
    return Prepared("radix", file, below[0], count)


def chunks(file: Path, bitmaps: Iterator[bytes]) -> Prepared:
    """A list of order 0 whose bitmaps follow each other from physical address 0 on."""
    count = _write(file, bitmaps)
    head = BASE + count * PAGE
    with file.open("ab") as pages:
        for first in range(0, count, _ENTRIES):
            here = range(first, min(first + _ENTRIES, count))
            following = BASE + pages.tell() + PAGE if here.stop < count else 0
            entries = b"".join(struct.pack("<QQ", at << 27, BASE + at * PAGE) for at in here)
            page = struct.pack("<QII", following, 0, len(here)) + entries
            pages.write(page.ljust(PAGE, b"\0"))
    return Prepared("chunks", file, head, count)


FORMS: dict[str, Callable[[Path, Iterator[bytes]], Prepared]] = {"radix": radix, "chunks": chunks}


def _write(file: Path, bitmaps: Iterator[bytes]) -> int:
    with file.open("wb") as pages:
        pages.writelines(bitmaps)
        return pages.tell() // PAGE


class FileMemory:
    """Physical memory that is a file from `BASE` on, read page by page so that none stays here."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("rb", buffering=0)
        self._descriptor = self._file.fileno()

    def __enter__(self) -> "FileMemory":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def read(self, address: int, size: int) -> bytes:
        if address < BASE:
            raise MissingMemory(address, "not prepared")
        content = os.pread(self._descriptor, size, address - BASE)
        if len(content) != size:
            raise MissingMemory(address, "not prepared")
        return content


def decoded(prepared: Prepared, what: str) -> Totals:
    """What the console makes of a map: its totals, by way of its runs where `what` is `runs`."""
    if what == "runs":
        return read(prepared).totals
    with FileMemory(prepared.file) as memory:
        if prepared.form == "radix":
            return radix_tree.totals(memory, prepared.head, PAGE)
        return chunk_list.totals(memory, prepared.head, PAGE, MapFormat.CHUNKS_PAGE)


def read(prepared: Prepared) -> PreservedMap:
    """The map as the console decodes it."""
    with FileMemory(prepared.file) as memory:
        if prepared.form == "radix":
            return radix_tree.read(memory, prepared.head, PAGE)
        return chunk_list.read(memory, prepared.head, PAGE, release_has_small_bitmaps=False)
