"""Looks through preserved pages for what no file names: the root tree's page and memfd records.

Both lie in preserved pages of order 0. Short runs are looked at first: a record is a page on its
own, while the content of memory files comes in long runs that its records then rule out.
"""

from collections.abc import Iterable, Iterator

from kho_console.abi import memfd, root_tree, runs
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAGIC
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine.bounded_memory import BoundedMemory
from kho_console.model.few import few
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.session import Memfd
from kho_console.model.tree import RootTree
from kho_console.model.value import dataclass

PAGE_LIMIT = 1 << 18
"""Pages looked at before the search gives up; 1 GiB of single pages at 4 KiB."""

RECORDS_LIMIT = 1 << 30
"""Bytes read before it gives up; the records of 256 GiB of memory files in pages of 4 KiB."""

_JOIN_AT = 64


@dataclass(frozen=True, slots=True)
class Found:
    """What the search brought.

    Attributes:
        tree: The root tree from its own page.
        memfds: Memfds whose records are whole and consistent.
        complete: False where a limit stopped the search.
    """

    tree: RootTree | None
    memfds: tuple[Memfd, ...]
    complete: bool


NOTHING = Found(None, (), True)
"""What a search brings where there is nothing to look for."""


def search(
    memory: PhysicalMemory,
    preserved: PreservedMap,
    limit: int = PAGE_LIMIT,
    most: int = RECORDS_LIMIT,
) -> Found:
    """The root tree's page and all recognisable memfds in preserved memory.

    Args:
        memory: Where pages are read, their first bytes only unless they look right.
        preserved: The map; a tree is the root tree only if it names this map.
        limit: How many pages to look at.
        most: How many bytes to read.
    """
    bounded = BoundedMemory(memory, most)
    tree: RootTree | None = None
    memfds: list[Memfd] = []
    explained = _Explained()
    looked = 0
    for address in _pages(preserved, explained):
        if looked >= limit or bounded.exhausted:
            return Found(tree, tuple(memfds), False)
        looked += 1
        tree = tree or _root_tree(bounded, address, preserved)
        if tree is not None and tree.address == address:
            continue
        state = memfd.recognise(bounded, address, preserved.page_size, preserved)
        if state is not None:
            memfds.append(state)
            explained.add(state.content)
    whole = not bounded.exhausted
    return Found(tree, tuple(sorted(memfds, key=lambda item: item.address)), whole)


class _Explained:
    """The content of the memfds found so far: one joined list, and a few yet to be joined."""

    def __init__(self) -> None:
        self._joined = runs.empty()
        self._recent: list[Runs] = []

    def add(self, content: Runs) -> None:
        self._recent.append(content)
        if len(self._recent) > _JOIN_AT:
            self._joined = runs.joined([self._joined, *self._recent])
            self._recent.clear()

    def end_at(self, address: int) -> int | None:
        """First address behind the content that holds `address`, None where none does."""
        ends = (part.end_of_run_at(address) for part in (self._joined, *self._recent))
        return max((end for end in ends if end is not None), default=None)


def _pages(preserved: PreservedMap, explained: _Explained) -> Iterator[int]:
    """Preserved pages of order 0 that no memfd found so far explains."""
    singles = preserved.by_order.get(0)
    if singles is None:
        return
    for index in _shortest_first(singles):
        run = singles[index]
        address = run.start
        while address < run.end:
            end = explained.end_at(address)
            if end is None:
                yield address
                end = address + preserved.page_size
            address = end


def _shortest_first(found: Runs) -> Iterable[int]:
    if few(len(found)):
        sizes = [item.size for item in found]
        return sorted(range(len(found)), key=sizes.__getitem__)
    return map(int, (found.ends - found.starts).argsort(kind="stable"))


def _root_tree(memory: PhysicalMemory, address: int, preserved: PreservedMap) -> RootTree | None:
    try:
        if memory.read(address, len(MAGIC)) != MAGIC:
            return None
        page = memory.read(address, preserved.page_size)
        tree = root_tree.read(page, address=address, window=False)
    except (FormatError, MissingMemory):
        return None
    return None if tree.flat.faults or tree.map_address != preserved.root else tree
