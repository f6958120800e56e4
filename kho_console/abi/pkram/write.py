"""The pages of a super block with all below it, as a kernel of the series leaves them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, pairwise, repeat
from typing import TypeVar

from kho_console.abi import runs
from kho_console.abi.pkram import layout, regions, table
from kho_console.abi.pkram.layout import (
    LINK_ENTRIES,
    LIST_REGIONS,
    NAME_MAX,
    PAGE,
    SHIFT,
    NodePage,
    ObjectPage,
    SuperBlock,
)
from kho_console.model.pkram import (
    NodeLayout,
    ObjectLayout,
    PkramLayout,
    PkramVersion,
    PreservedPage,
)
from kho_console.model.preserved import Runs
from kho_console.model.value import dataclass

_Saved = TypeVar("_Saved")
_Where = TypeVar("_Where")


@dataclass(frozen=True, slots=True)
class SavedObject:
    """An object to be written: its pages in the order of saving, and its bytes."""

    pages: Sequence[PreservedPage]
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class SavedNode:
    """A node to be written, its objects in the order of its list."""

    name: bytes
    objects: Sequence[SavedObject]


def write(
    pfn: int,
    nodes: Sequence[SavedNode],
    version: PkramVersion,
    where: PkramLayout | None = None,
) -> dict[int, bytes]:
    """Pages by their addresses, the super block at frame `pfn`.

    The others lie where `where` has them, and without it behind the super block. Where a preserved
    page lies in the way of those, the next free frame is taken.

    Raises:
        ValueError: A name is too long, a page cannot be in a link, or a frame has two roles.
    """
    return _Writing(pfn, nodes, version, where).pages()


def splits(page: PreservedPage, following: int, used: int, version: PkramVersion) -> bool:
    """Whether a page needs a new link behind one with `used` entries, next index `following`.

    A link is closed where the index jumps and where it is full; v1 and v2 also close it where a
    whole aligned chunk (64 pages, or 8 huge ones) begins and does not fit any more.
    """
    if used == LINK_ENTRIES or page.index != following:
        return True
    aligned, chunk = (64, 64) if not page.order else (4096, 8)
    begins = page.index % aligned == 0 and version is not PkramVersion.V3
    return begins and used + chunk > LINK_ENTRIES


def links(pages: Iterable[PreservedPage], version: PkramVersion) -> Iterator[tuple[int, list[int]]]:
    """The index and the entries of each link that saving these pages fills."""
    index, following, entries = 0, 0, list[int]()
    for page in pages:
        if entries and splits(page, following, len(entries), version):
            yield index, entries
            entries = []
        if not entries:
            index = page.index
        entries.append(layout.entry(page.address, page.order, page.flags))
        following = page.index + (1 << page.order)
    if entries:
        yield index, entries


class _Writing:
    def __init__(
        self,
        pfn: int,
        nodes: Sequence[SavedNode],
        version: PkramVersion,
        where: PkramLayout | None,
    ) -> None:
        self._pfn = pfn
        self._nodes = nodes
        self._version = version
        self._layout = where or PkramLayout(())
        self._given = set(self._layout.frames())
        self._taken: set[int] = set()
        self._written: dict[int, bytes] = {}
        self._next = pfn
        self._data = runs.of_ranges(
            (page.address, page.address + (PAGE << page.order))
            for node in nodes
            for item in node.objects
            for page in item.pages
        )

    def pages(self) -> dict[int, bytes]:
        self._frame(self._pfn)
        placed = [
            (self._frame(where.pfn), node, self._objects(node.objects, where.objects))
            for node, where in _beside(self._nodes, self._layout.nodes, NodeLayout(0, ()))
        ]
        following = 0
        for pfn, node, head in reversed(placed):
            if len(node.name) >= NAME_MAX or b"\0" in node.name:
                raise ValueError(f"no name of a node: {len(node.name)} bytes")
            self._written[pfn] = layout.write_node(NodePage(0, head, following, node.name))
            following = pfn
        self._written[self._pfn] = self._root(following)
        return {pfn << SHIFT: page for pfn, page in sorted(self._written.items())}

    def _objects(self, found: Sequence[SavedObject], layouts: Sequence[ObjectLayout]) -> int:
        """The frame of the first object of a list."""
        placed = [
            (self._frame(where.pfn), self._object(item, where))
            for item, where in _beside(found, layouts, ObjectLayout())
        ]
        following = 0
        for pfn, item in reversed(placed):
            page = replace(item, obj_pfn=following)
            self._written[pfn] = layout.write_object(page, self._version)
            following = pfn
        return following

    def _object(self, found: SavedObject, where: ObjectLayout) -> ObjectPage:
        # v1 puts each link before the one that was filled earlier.
        plain = self._version is PkramVersion.V1
        filled = _as_filled(found.pages, where.links) or list(links(found.pages, self._version))
        head, tail = self._chain(filled, [pfn for pfn, _ in where.links], backwards=plain)
        length = len(found.data)
        if plain:
            if length > PAGE:
                raise ValueError(f"{length} bytes: an object of v1 has one page of them")
            (data_pfn,) = self._data_pages(found.data, where.byte_pages) or (0,)
            return ObjectPage(head, 0, 0, 0, data_pfn, length, 0)
        count = -(-length // PAGE)
        frames = self._frames(-(-count // LINK_ENTRIES), where.byte_links)
        entries = [pfn << SHIFT for pfn in self._data_pages(found.data, where.byte_pages)]
        for at, pfn in enumerate(frames):
            following = frames[at + 1] if at + 1 < len(frames) else 0
            here = entries[at * LINK_ENTRIES : (at + 1) * LINK_ENTRIES]
            self._written[pfn] = layout.write_link(following, 0, here)
        first, last = (frames[0], frames[-1]) if frames else (0, 0)
        return ObjectPage(head, tail, first, last, 0, length, 0)

    def _chain(
        self, found: list[tuple[int, list[int]]], where: Sequence[int], *, backwards: bool
    ) -> tuple[int, int]:
        """The frames of the first and the last of a chain of links."""
        frames = self._frames(len(found), where)
        for at, (index, entries) in enumerate(found):
            neighbour = at - 1 if backwards else at + 1
            following = frames[neighbour] if 0 <= neighbour < len(frames) else 0
            self._written[frames[at]] = layout.write_link(following, index, entries)
        if not frames:
            return 0, 0
        return (frames[-1], frames[0]) if backwards else (frames[0], frames[-1])

    def _data_pages(self, data: bytes, where: Sequence[int]) -> list[int]:
        found = self._frames(-(-len(data) // PAGE), where)
        for at, pfn in enumerate(found):
            piece = data[at << SHIFT : at + 1 << SHIFT]
            self._written[pfn] = piece.ljust(PAGE, b"\0")
        return found

    def _root(self, node_pfn: int) -> bytes:
        if not node_pfn:
            return bytes(PAGE)
        if self._version is PkramVersion.V1:
            return layout.write_super(SuperBlock(node_pfn, self._table()), self._version)
        metadata = runs.of_pages((pfn << SHIFT for pfn in (self._pfn, *self._written)), PAGE)
        preserved = runs.joined((metadata, self._data, regions.cover(self._layout.regions)))
        frames = self._region_pages(preserved)
        count, pages = regions.write(preserved.pairs(), frames)
        self._written |= pages
        return layout.write_super(SuperBlock(node_pfn, 0, frames[0], count), self._version)

    def _table(self) -> int:
        metadata = runs.of_pages((pfn << SHIFT for pfn in self._written), PAGE)
        preserved = runs.joined((metadata, self._data, regions.cover(self._layout.regions)))
        # A page of the last level has 1 GiB at most.
        given = self._layout
        if sum(item.size for item in given.regions) > len(given.region_pages) << 30:
            raise ValueError("the regions are more than the pages of their page table can have")
        wanted = chain(self._layout.region_pages, repeat(0))
        root, pages = table.write(preserved, map(self._frame, wanted))
        self._written |= pages
        return root

    def _region_pages(self, preserved: Runs) -> list[int]:
        frames = self._frames(len(self._layout.region_pages), self._layout.region_pages)
        if not frames:
            return self._frames(regions.estimate(len(preserved)), ())
        # What is given had room for all, unless more is preserved now.
        while self._with_own(preserved, frames) > len(frames) * LIST_REGIONS:
            frames.append(self._frame(0))
        return frames

    def _with_own(self, preserved: Runs, frames: list[int]) -> int:
        own = runs.of_pages((pfn << SHIFT for pfn in frames), PAGE)
        return len(runs.joined((preserved, own)))

    def _frames(self, count: int, where: Sequence[int]) -> list[int]:
        wanted = chain(where, repeat(0))
        return [self._frame(pfn) for pfn in islice(wanted, count)]

    def _frame(self, wanted: int) -> int:
        """That frame, or for 0 the next one that nothing lies on."""
        pfn = wanted or self._next_free()
        if pfn in self._taken or self._data.end_of_run_at(pfn << SHIFT) is not None:
            raise ValueError(f"frame 0x{pfn:x} is to be two pages")
        self._taken.add(pfn)
        return pfn

    def _next_free(self) -> int:
        while True:
            end = self._data.end_of_run_at(self._next << SHIFT)
            if end is not None:
                self._next = end >> SHIFT
            elif self._next in self._given or self._next in self._taken:
                self._next += 1
            else:
                return self._next


def _beside(
    found: Sequence[_Saved], layouts: Sequence[_Where], other: _Where
) -> Iterator[tuple[_Saved, _Where]]:
    """Each with where it lies."""
    return zip(found, chain(layouts, repeat(other)), strict=False)


def _as_filled(
    pages: Sequence[PreservedPage], sizes: Sequence[tuple[int, int]]
) -> list[tuple[int, list[int]]] | None:
    """Links of so many entries each, None where the pages are not in such links."""
    if sum(size for _, size in sizes) != len(pages):
        return None
    found: list[tuple[int, list[int]]] = []
    left = iter(pages)
    for _, size in sizes:
        here = list(islice(left, size))
        follows = all(b.index == a.index + (1 << a.order) for a, b in pairwise(here))
        if not follows or size > LINK_ENTRIES:
            return None
        entries = [layout.entry(page.address, page.order, page.flags) for page in here]
        found.append((here[0].index if here else 0, entries))
    return found
