"""Nodes of PKRAM: the posted layout byte by byte, the links, and every way to be wrong."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi.pkram import layout, read, regions
from kho_console.abi.pkram.chain import Frames
from kho_console.abi.pkram.links import Links
from kho_console.abi.pkram.touched import Touched
from kho_console.abi.pkram.write import SavedNode, SavedObject, links, write
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.model.unknown import Unknown
from tests.abi.page_memory import PageMemory

V1, V2, V3 = PkramVersion
SUPER = 0x1A2B3
PAGES = (
    PreservedPage(0x1FF, 0x4000_5000, 0, 0),
    PreservedPage(0x200, 0x8000_0000, 9, 0),
    PreservedPage(0x400, 0x4000_7000, 0, 0),
)
WORKED = {
    0x1A2B3: "6d726b7000000000b4a2010000000000b9a20100000000000400000000000000",
    0x1A2B4: "0000000000000000b5a20100000000000000000000000000766d30",
    0x1A2B5: "b6a2010000000000b6a2010000000000b7a2010000000000b7a20100000000000500000000000000",
    0x1A2B6: "0000000000000000ff010000000000000050004000000000090000800000000000700040",
    0x1A2B7: "0000000000000000000000000000000000802b1a",
    0x1A2B8: "68656c6c6f",
    0x1A2B9: "b9a201000000000000000000000000000030"
    "2b1a000000000070000000000000"
    "005000400000000000100000000000000070004000000000001000000000000000000080"
    "000000000000200000000000",
}


def of(*pages: PreservedPage, data: bytes = b"", version: PkramVersion = V3) -> dict[int, bytes]:
    return write(SUPER, [SavedNode(b"vm0", [SavedObject(pages, data)])], version)


def test_the_worked_example() -> None:
    written = of(*PAGES, data=b"hello")
    assert {address >> 12: page for address, page in written.items()} == {
        pfn: bytes.fromhex(words).ljust(4096, b"\0") for pfn, words in WORKED.items()
    }
    found = read.read(PageMemory(written), SUPER, listed=True)
    assert (found.version, found.faults) == (V3, ())
    (item,) = found.nodes[0].objects
    assert item.content is not None
    assert (item.content.pages, item.content.bytes) == (PAGES, b"hello")
    assert (item.first_index, item.last_index, item.page_bytes) == (0x1FF, 0x400, (2 << 20) + 8192)


@pytest.mark.parametrize(
    ("version", "order", "most"), [(V1, 0, 448), (V2, 9, 504), (V3, 0, 510), (V3, 9, 510)]
)
def test_how_many_pages_a_link_takes(version: PkramVersion, order: int, most: int) -> None:
    step = 1 << order
    run = [PreservedPage(at * step, (at + 1) * step << 12, order, 0) for at in range(2000)]
    sizes = [len(entries) for _, entries in links(run, version)]
    assert sizes[:-1] == [most] * (2000 // most)


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(1, 900), st.booleans()), max_size=5),
    st.sampled_from(PkramVersion),
)
@settings(deadline=None, max_examples=40)
def test_counting_many_at_once_is_counting_one_by_one(
    parts: list[tuple[int, int, bool]], version: PkramVersion
) -> None:
    pages, top, index = [], 1 << 20, 5
    for order, count, backwards in parts:
        top = -(-top >> order) << order
        places = [top + (at << order) for at in range(count)]
        for place in reversed(places) if backwards else places:
            pages.append(PreservedPage(index, place << 12, order, int(order == 9)))
            index += 1 << order
        top += count << order
        index += 7
    written = of(*pages, version=version)
    memory = PageMemory(written)
    head = read.read(memory, SUPER, version, listed=True).nodes[0].objects[0]
    plain = read.read(memory, SUPER, version).nodes[0].objects[0]
    assert head.content is not None
    assert list(head.content.pages) == pages
    counts = {order: sum(item.order == order for item in pages) for order, *_ in parts}
    assert plain.blocks_by_order == counts
    if pages:
        assert (plain.first_index, plain.last_index) == (5, index - 8)


@pytest.mark.parametrize("step", [1, -1, 3])
def test_a_chain_in_any_direction(step: int) -> None:
    frames = [5000 + step * at for at in range(300)]
    words = [layout.entry(0x1000_0000 + at * 4096, 0, 0) for at in range(300)]
    pages = {
        pfn << 12: layout.write_link(following, at, [words[at]])
        for at, (pfn, following) in enumerate(zip(frames, [*frames[1:], 0], strict=True))
    }
    memory = PageMemory(pages)
    found = Links(memory, frames[0], Frames(), Touched(None), "link")
    assert (found.count, found.tail, found.blocks) == (300, frames[-1], {0: 300})
    assert (found.first_index, found.last_index, found.faults) == (0, 299, [])
    if step != 3:
        assert len(memory.reads) < 40
    looped = {**pages, frames[-1] << 12: layout.write_link(frames[7], 299, [words[299]])}
    found = Links(PageMemory(looped), frames[0], Frames(), Touched(None), "link")
    assert (found.count, found.blocks) == (300, {0: 300})
    assert [fault.reason for fault in found.faults] == ["link: the page is link already"]


@pytest.mark.parametrize("count", [1, 254, 255, 256, 65025])
def test_the_list_of_so_many_regions(count: int) -> None:
    ranges = [(at << 13, (at << 13) + 4096) for at in range(1, count + 1)]
    frames = [0x90_0000 + 2 * at for at in range(regions.estimate(count))]
    total, pages = regions.write(ranges, frames)
    memory = PageMemory({pfn << 12: page for pfn, page in pages.items()})
    block = layout.SuperBlock(1, 0, frames[0], total)
    found, faults = regions.read(memory, block, Frames())
    assert faults == ()
    assert len(found) == min(count + len(frames), 255 * len(frames))


def changed(offset: int, form: str, *words: int) -> Callable[[dict[int, bytes]], None]:
    """A change of words at an offset from the super block."""

    def change(pages: dict[int, bytes]) -> None:
        at = (SUPER << 12) + offset
        data = bytearray(pages[at & -4096])
        struct.pack_into(form, data, at % 4096, *words)
        pages[at & -4096] = bytes(data)

    return change


NODE, OBJECT, LINK, BYTES, LIST = 0x1000, 0x2000, 0x3000, 0x4000, 0x6000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed(32, "<B", 1), "not zero behind its words"),
        (changed(24, "<Q", 5), "4 regions, the super block says 5"),
        (changed(16, "<Q", 0), "0 regions"),
        (changed(8, "<Q", 1 << 60), "beyond memory"),
        (changed(8, "<Q", SUPER), "super block already"),
        (changed(8, "<Q", 77), "not recorded"),
        (changed(NODE, "<I", 1), "it was being saved"),
        (changed(NODE + 8, "<Q", SUPER + 1), "the page is node already"),
        (changed(NODE + 16, "<Q", SUPER + 1), "the page is node already"),
        (changed(NODE + 24, "<256B", *[65] * 256), "no NUL"),
        (changed(OBJECT + 8, "<Q", 1), "names 0x1 as its last link"),
        (changed(OBJECT + 32, "<Q", 4097), "4097 bytes of data on 1 pages"),
        (changed(OBJECT + 32, "<Q", 0), "0 bytes of data on 1 pages"),
        (changed(OBJECT + 40, "<Q", SUPER + 2), "the page is object already"),
        (changed(LINK, "<Q", SUPER + 3), "the page is link already"),
        (changed(LINK + 8, "<Q", (1 << 64) - 2), "runs over 64 bits"),
        (changed(LINK + 16, "<Q", 0x4000_500B), "a page of order 11"),
        (changed(LINK + 16, "<Q", 0x4000_5009), "not aligned"),
        (changed(LINK + 16, "<Q", 0x4000_7000), "4096 bytes of memory are referred to twice"),
        (changed(LINK + 16, "<Q", 0x4000_9000), "in no region"),
        (changed(LINK + 16, "<Q", 1 << 60), "beyond memory"),
        (changed(BYTES + 16, "<Q", 0x1A2B_8009), "has an order or flags"),
        (changed(LIST, "<Q", 1), "names 0x1 as the last"),
        (changed(LIST + 16, "<Q", 0x1A2B_3001), "no whole pages"),
        (changed(LIST + 32, "<Q", 0x1A2B_3000), "out of order"),
        (changed(LIST + 32, "<Q", 0x1A2B_A000), "touches the one before it"),
        (changed(LIST + 8, "<Q", SUPER + 6), "region list already"),
    ],
)
def test_everything_is_held_against_everything(
    change: Callable[[dict[int, bytes]], None], reason: str
) -> None:
    pages = of(*PAGES, data=b"hello")
    change(pages)
    found = read.read(PageMemory(pages), SUPER, V3, listed=True)
    assert any(reason in fault.reason for fault in found.faults), found.faults


def test_the_first_page_of_a_list_names_the_last_one_itself() -> None:
    pages = {
        SUPER: layout.write_regions(0, SUPER + 1, [(0x1000, 0x1000)]),
        SUPER + 1: layout.write_regions(SUPER, 0, []),
    }
    memory = PageMemory({pfn << 12: page for pfn, page in pages.items()})
    _, faults = regions.read(memory, layout.SuperBlock(1, 0, SUPER, 1), Frames())
    assert [fault.reason for fault in faults] == [
        f"the first page of the region list names 0x0 as the last, not 0x{SUPER:x}"
    ]


def test_bytes_that_objects_share_are_given_once() -> None:
    pages = write(SUPER, [SavedNode(b"a", [SavedObject([], b"x" * (9 << 20))] * 3)], V3)
    found = read.read(PageMemory(pages), SUPER, V3, listed=True)
    given = [item.content.bytes for item in found.nodes[0].objects if item.content]
    assert [isinstance(item, Unknown) for item in given] == [False, True, True]


def test_two_nodes_of_one_name() -> None:
    found = read.read(PageMemory(write(SUPER, [SavedNode(b"a", [])] * 2, V2)), SUPER)
    assert [fault.reason for fault in found.faults] == ["a node of that name is there already"]


def test_the_series_as_far_as_it_shows() -> None:
    for version, flags, found in ((V1, 1, V1), (V2, 1, V2), (V3, 0, V3)):
        pages = of(PreservedPage(0, 0x8000_0000, 9, flags), version=version)
        assert read.read(PageMemory(pages), SUPER).version is found
    empty = read.read(PageMemory({SUPER << 12: bytes(4096)}), SUPER)
    assert (empty.nodes, empty.faults) == ((), ())


def test_scattered_pages_are_not_held_against_each_other() -> None:
    touched = Touched(None)
    starts = np.arange(1 << 21, dtype=np.uint64) << np.uint64(13)
    touched.take(starts, starts + np.uint64(4096))
    assert (touched.scattered, touched.twice(), touched.curious) == (True, 0, False)
    covered = Touched(regions.cover([MemoryRange(0, 1 << 40)]))
    covered.take(starts, starts + np.uint64(4096))
    assert covered.curious


@pytest.mark.parametrize(
    "nodes",
    [
        [SavedNode(b"x" * 256, [])],
        [SavedNode(b"", [SavedObject([PreservedPage(0, 0, 0, 0)])])],
        [SavedNode(b"", [SavedObject([PreservedPage(0, SUPER << 12, 0, 0)])])],
        [SavedNode(b"", [SavedObject([], b"x" * 4097)])],
    ],
)
def test_what_cannot_be_written(nodes: list[SavedNode]) -> None:
    with pytest.raises(ValueError, match=r"."):
        write(SUPER, nodes, V1)
