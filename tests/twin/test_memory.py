"""Memory, its allocator, splitting and scratch, each by the rules of its release."""

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import command_line
from kho_console.abi.memory import MissingMemory
from kho_console.abi.scratch_request import ScratchScale, ScratchSizes
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange, Node
from kho_console.twin import scratch
from kho_console.twin.allocator import Allocator
from kho_console.twin.hardware import Reserved
from kho_console.twin.memory import NoMemory, SimulatedMemory
from kho_console.twin.preserve import Preserver
from kho_console.twin.refused import Refused
from kho_console.twin.release import RELEASES
from kho_console.twin.tracker import BitmapTracker, RadixTracker, Tracker
from tests.twin.test_crossings import LINE, running

PAGE = 4096
MIB = 1 << 20
NODES = (
    Node(0, (MemoryRange(MIB, 63 * MIB),)),
    Node(1, (MemoryRange(64 * MIB, 64 * MIB),)),
)


def allocator(*taken: MemoryRange) -> Allocator:
    return Allocator(SimulatedMemory(NoMemory(), PAGE), NODES, taken)


def preserver(tracker: str, *areas: MemoryRange) -> Preserver:
    free = allocator()
    made: Tracker = (
        RadixTracker(free) if tracker == "radix" else BitmapTracker(free, MapFormat(tracker))
    )
    return Preserver(free, made, areas, within_nodes=tracker == "radix")


def test_unknown_memory_is_not_zero() -> None:
    memory = SimulatedMemory(NoMemory(), PAGE)
    with pytest.raises(MissingMemory):
        memory.read(0x5000, 1)
    memory.zero(0x5000, PAGE)
    memory.write(0x5FFE, b"abcd")
    assert memory.read(0x5FFD, 6) == b"\0abcd\0"
    with pytest.raises(MissingMemory) as found:
        memory.read(0x6000, PAGE + 1)
    assert found.value.address == 0x7000


def test_pages_come_out_of_a_memory_that_can_be_read_whole() -> None:
    class Whole:
        def read(self, address: int, size: int) -> bytes:
            return b"\xff" * size

    for whole in (False, True):
        memory = SimulatedMemory(Whole(), PAGE, whole=whole)
        free = Allocator(memory, NODES, ())
        if whole:
            assert memory.read(free.pages(), PAGE) == bytes(PAGE)
        else:
            with pytest.raises(Refused):
                free.pages()


def test_pages_come_from_where_they_may_and_come_back() -> None:
    taken = MemoryRange(16 * MIB + 1, 8 * MIB)
    free = allocator(taken)
    before = free.free_bytes()
    first, block = free.pages(), free.block(9)
    assert first == 24 * MIB + PAGE and not block % (2 * MIB)
    assert free.node_of(free.pages(node=1)) == 1
    for piece in (MemoryRange(first, PAGE), MemoryRange(block, 2 * MIB)):
        free.give_back(piece)
    assert free.free_bytes() == before - PAGE
    with pytest.raises(Refused) as full:
        free.pages(1 << 20)
    assert full.value.errno == errno.ENOMEM


@pytest.mark.parametrize("tracker", ["chunks-512", "chunks-page", "radix"])
def test_the_split_of_the_reference(tracker: str) -> None:
    hand = preserver(tracker)
    wanted = MemoryRange(0x1FD5000, 3 * PAGE)
    assert list(hand.split(wanted)) == [(0x1FD5000, 0), (0x1FD6000, 1)]
    hand.range(wanted)
    blocks = hand.tracker.blocks()
    assert {order: tuple(found) for order, found in blocks.items()} == {
        0: (MemoryRange(0x1FD5000, PAGE),),
        1: (MemoryRange(0x1FD6000, 2 * PAGE),),
    }


@settings(deadline=None, max_examples=60)
@given(
    tracker=st.sampled_from(["chunks-512", "chunks-page", "radix"]),
    pieces=st.lists(st.tuples(st.integers(4096, 30_000), st.integers(1, 9000)), max_size=6),
)
def test_what_is_preserved_reads_back_and_goes_away(
    tracker: str, pieces: list[tuple[int, int]]
) -> None:
    hand = preserver(tracker)
    held: set[int] = set()
    for first, count in pieces:
        frames = set(range(first, first + count))
        if held.isdisjoint(frames):
            held |= frames
            hand.range(MemoryRange(first * PAGE, count * PAGE))
    found: set[int] = set()
    for order, runs in hand.tracker.blocks().items():
        for item in runs:
            assert not item.start % (PAGE << order)
            found.update(range(item.start // PAGE, item.end // PAGE))
            if tracker == "radix" and order:
                assert not item.start < 64 * MIB < item.start + (PAGE << order)
    assert found == held
    for first, count in pieces:
        hand.forget(MemoryRange(first * PAGE, count * PAGE))
    assert hand.tracker.blocks() == {}


def test_no_block_is_of_two_nodes_from_7_1_on() -> None:
    wanted = MemoryRange(0, 128 * MIB)
    assert len(list(preserver("chunks-page").split(wanted))) == 1
    assert all(
        not start < 64 * MIB < start + (PAGE << order)
        for start, order in preserver("radix").split(wanted)
    )


def test_what_preserving_refuses() -> None:
    hand = preserver("radix", MemoryRange(32 * MIB, MIB), MemoryRange(40 * MIB, 0))
    hand.range(MemoryRange(40 * MIB, PAGE))
    for wanted in (
        MemoryRange(32 * MIB + MIB - PAGE, 2 * PAGE),
        MemoryRange(31 * MIB, 2 * MIB),
        MemoryRange(34 * MIB + 1, PAGE),
        MemoryRange(34 * MIB, 0),
    ):
        with pytest.raises(Refused) as found:
            hand.range(wanted)
        assert found.value.errno == errno.EINVAL


SIZES = ScratchSizes(3 * MIB, 5 * MIB, 7 * MIB)
SCALE = ScratchScale(200)
RESERVED = Reserved(3 * MIB // 2 + 1, 4 * MIB, ((0, MIB // 2), (1, 3 * MIB)))


@pytest.mark.parametrize(
    ("release", "sizes", "scaled"),
    [
        ("6.17", (3, 5, (8, 8)), (4, 4, (2, 6))),
        ("6.19", (3, 5, (8, 8)), (4, 4, (2, 6))),
        ("7.1", (4, 6, (8, 8)), (4, 4, (2, 6))),
        ("7.3", (4, 8, (8, 8)), (4, 4, (4, 8))),
    ],
)
def test_scratch_sizes_by_release(
    release: str, sizes: tuple[int, int, tuple[int, int]], scaled: tuple[int, int, tuple[int, int]]
) -> None:
    for wanted, expected in ((SIZES, sizes), (SCALE, scaled)):
        found = scratch.sizes(RELEASES[release], wanted, RESERVED, (0, 1), PAGE)
        assert found == scratch.Sizes(
            expected[0] * MIB, expected[1] * MIB, tuple(size * MIB for size in expected[2])
        )


@pytest.mark.parametrize(
    ("release", "text", "wanted"),
    [
        ("6.17", b"16M,0,16M", SCALE),
        ("6.18", b"16M,0,16M", ScratchSizes(16 * MIB, 0, 16 * MIB)),
        ("6.17", b"16M,1M,1Mx", ScratchSizes(16 * MIB, MIB, MIB)),
        ("6.18", b"16M,1M,1Mx", SCALE),
        ("7.3", b"0%", ScratchScale(0)),
    ],
)
def test_the_option_by_release(release: str, text: bytes, wanted: object) -> None:
    options = command_line.parse(b"kho_scratch=" + text)
    assert scratch.request(RELEASES[release], options)[0] == wanted


def test_a_node_without_memory_fails_up_to_6_18_only() -> None:
    for release, works in (("6.18", False), ("6.19", True)):
        twin = running("7.3")
        twin.hardware.online_nodes = (0, 1, 2)
        row = RELEASES[release]
        try:
            areas = scratch.reserve(row, twin.hardware, SIZES, twin.hardware.kept)
        except scratch.NoScratch:
            assert not works
        else:
            assert works and len(areas) == 4


def test_areas_lie_in_their_nodes_and_apart() -> None:
    twin = running("7.3", LINE)
    hand = twin.kernel.handover
    assert hand is not None
    assert [area.size for area in hand.scratch] == [128 * MIB, 16 * MIB, 64 * MIB, 64 * MIB]
    for index, area in enumerate(hand.scratch):
        assert not area.start % (4 * MIB)
        assert not any(area.overlaps(other) for other in hand.scratch[:index])
        assert not any(area.overlaps(item) for item in twin.hardware.kept)
    assert [twin.kernel.allocator.node_of(area.start) for area in hand.scratch[2:]] == [0, 1]
