from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.engine import strip, strip_cells
from kho_console.engine.observe import observe
from kho_console.engine.strip import Band, Layer, StripMap
from kho_console.engine.strip_cells import cell_at, cell_span, cells
from kho_console.model.memory import MemoryBlock, MemoryRange, Node
from kho_console.model.owner import OwnerKind
from kho_console.model.preserved import Runs
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder

GIB = 1 << 30


def layer(letter: str, *ranges: tuple[int, int]) -> Layer:
    starts = np.array([start for start, _ in ranges], np.uint64)
    ends = np.array([end for _, end in ranges], np.uint64)
    return Layer(letter, Runs(starts, ends))


def recorded(name: str) -> Snapshot:
    return observe(FixtureSource(folder(name)))


def bands(found: StripMap) -> tuple[Band, ...]:
    assert not isinstance(found.bands, Unknown)
    return found.bands


def test_the_first_layer_that_touches_a_cell_wins() -> None:
    span = MemoryRange(100, 80)
    high, low = layer("p", (119, 121), (179, 180)), layer("R", (100, 140))
    assert cells(span, 8, (high, low)) == "RppR...p"
    assert cells(span, 8, (low, high)) == "RRRR...p"
    assert cells(span, 8, ()) == "........"
    assert cells(span, 0, (low,)) == ""


def test_cells_begin_at_pages() -> None:
    span = MemoryRange(0, GIB)
    spans = [cell_span(span, 61, cell) for cell in range(61)]
    assert all(item.start % 4096 == 0 for item in spans)
    assert [item.start for item in spans[1:]] == [item.end for item in spans[:-1]]
    assert spans[-1].end == GIB


def test_addresses_near_the_end_of_64_bits() -> None:
    span = MemoryRange((1 << 64) - (1 << 40), (1 << 40) - 1)
    found = layer("p", ((1 << 64) - 8192, (1 << 64) - 4096))
    assert cells(span, 200, (found,)) == "." * 199 + "p"


def test_of_several_owners_the_one_with_most_bytes_is_drawn() -> None:
    span = MemoryRange(100, 80)
    small = layer("t", (109, 111), (120, 125))
    large = layer("m", (100, 105), (111, 116), (125, 131))
    under = layer("R", (100, 180))
    assert cells(span, 8, (under,), owners=(small, large)) == "mmtmRRRR"
    assert cells(span, 8, (under,), owners=(large, small)) == "mmmmRRRR"
    halves = (MemoryRange(100, 10), MemoryRange(129, 40))
    assert cells(span, 8, (under,), halves, (small, large)) == "m.mmRRR."


@st.composite
def drawings(draw: st.DrawFn) -> tuple[MemoryRange, int, list[tuple[str, list[tuple[int, int]]]]]:
    start = draw(st.integers(0, 300))
    size = draw(st.integers(1, 300))
    layers = []
    for letter in "ps":
        edges = sorted(draw(st.sets(st.integers(0, 700), max_size=8)))
        layers.append((letter, list(zip(edges[0::2], edges[1::2], strict=False))))
    return MemoryRange(start, size), draw(st.integers(1, 90)), layers


@given(drawings())
def test_cells_as_a_slow_reader_would_draw_them(
    drawn: tuple[MemoryRange, int, list[tuple[str, list[tuple[int, int]]]]],
) -> None:
    span, width, layers = drawn
    expected = ""
    for cell in range(width):
        low = span.start + span.size * cell // width
        high = max(span.start + span.size * (cell + 1) // width, low + 1)
        expected += next(
            (letter for letter, runs in layers if any(a < high and low < b for a, b in runs)), "."
        )
    assert cells(span, width, [layer(letter, *runs) for letter, runs in layers]) == expected


@given(st.integers(0, 1 << 52), st.integers(1, 1 << 45), st.integers(1, 300), st.data())
def test_a_cell_holds_the_addresses_that_lead_to_it(
    start: int, size: int, width: int, data: st.DataObject
) -> None:
    span = MemoryRange(start, size)
    address = data.draw(st.integers(start, start + size - 1))
    cell = cell_at(span, width, address)
    assert cell is not None and 0 <= cell < width
    found = cell_span(span, width, cell)
    assert found.start <= address < found.end
    assert cell_at(span, width, start + size) is None
    assert cell_at(span, width, start - 1) is None


def test_zoom_keeps_the_address_in_the_middle_and_stays_inside() -> None:
    whole = MemoryRange(GIB, GIB)
    shown = strip_cells.zoomed(whole, 8, GIB + GIB // 2)
    assert shown == MemoryRange(GIB + GIB // 2 - GIB // 16, GIB // 8)
    assert strip_cells.zoomed(whole, 8, GIB) == MemoryRange(GIB, GIB // 8)
    assert strip_cells.zoomed(whole, 8, 2 * GIB - 1).end == 2 * GIB
    assert strip_cells.deepest_zoom(whole, 64, 4096) == 4096
    assert strip_cells.deepest_zoom(MemoryRange(0, 4096), 64, 4096) == 1
    # A page more than 2^20 pages: at 2^20 a cell is rounded down to one page already.
    assert strip_cells.deepest_zoom(MemoryRange(0, (1 << 32) + 4096), 1, 4096) == 1 << 20


@given(
    st.integers(0, 1 << 40),
    st.integers(1, 1 << 34),
    st.integers(1, 200),
    st.sampled_from([4096, 16384, 65536]),
    st.data(),
)
def test_the_deepest_zoom_has_one_page_in_each_cell(
    first: int, pages: int, width: int, page: int, data: st.DataObject
) -> None:
    whole = MemoryRange(first * page, pages * page)
    around = data.draw(st.integers(whole.start, whole.end - 1))
    zoom = strip_cells.deepest_zoom(whole, width, page)
    shown = strip_cells.zoomed(whole, zoom, around, width, page)
    assert whole.contains(shown)
    assert shown.start <= around < shown.end
    if pages >= width:
        assert shown.size == width * page
        spans = [cell_span(shown, width, cell) for cell in range(width)]
        assert {(item.start % page, item.size) for item in spans} == {(0, page)}
    if zoom > 1:
        assert strip_cells.zoomed(whole, zoom // 2, around, width, page).size > width * page


def test_a_step_pans_and_goes_on_with_the_next_line() -> None:
    lines = (Band(0, MemoryRange(0, 1024)), Band(1, MemoryRange(4096, 1024)))
    step = strip_cells.neighbour
    assert step(lines, 0, lines[0].span, 64, 3) == (0, 48)
    assert step(lines, 0, MemoryRange(256, 64), 64, 64) == (0, 320)
    assert step(lines, 0, lines[0].span, 64, 64) == (1, 4096)
    assert step(lines, 1, lines[1].span, 64, -1) == (0, 1008)
    assert step(lines, 0, lines[0].span, 64, -1) == (0, 0)
    assert step(lines, 1, lines[1].span, 64, 64) == (1, 5119)


def test_a_recorded_machine_has_a_line_for_each_node() -> None:
    found = strip.strip_map(recorded("linux-7.3.4/ready"))
    assert bands(found) == (
        Band(0, MemoryRange(0, GIB)),
        Band(1, MemoryRange(GIB, 3 * GIB + (512 << 20))),
    )
    # scratch_phys names 0xe000000 and 0x10400000 for node 0 and low memory, 36 and 744 MiB.
    drawn = cells(bands(found)[0].span, 256, found.machine)
    assert drawn == "R" * 56 + "s" * 195 + "R" * 5
    crash = cells(MemoryRange(0x6F000000, 256 << 20), 4, found.machine)
    assert crash == "CCCC"


def test_owners_come_as_layers_that_cover_what_is_preserved() -> None:
    snapshot = recorded("linux-7.3.4/ready")
    found = strip.strip_map(snapshot)
    assert [item.letter for item in found.owners] == ["t", "l", "b", "n", "r", "m", "u"]
    assert sum(item.runs.bytes for item in found.owners) == 15_896_576
    assert found.preserved[0].runs.bytes == 15_896_576
    reserved = next(item for item in found.owners if item.letter == "r")
    assert [(item.start, item.size) for item in reserved.runs] == [
        (0x6E800000, 4 << 20),
        (0x7FCCD000, 1 << 20),
    ]
    assert (
        strip_cells.letters(MemoryRange(0x6E800000, 16 << 20), found.layers(by_owner=True)) == "rCR"
    )


def test_the_costly_layers_are_kept_while_the_inventory_is() -> None:
    snapshot = recorded("linux-7.3.4/ready")
    first = strip.strip_map(snapshot)
    later = replace(snapshot, taken=snapshot.taken + 2)
    assert strip.strip_map(later, (snapshot, first)).owners is first.owners
    other = replace(snapshot, inventory=replace(snapshot.inventory, taken=1.0))
    assert strip.strip_map(other, (snapshot, first)).owners is not first.owners


def test_every_kind_of_owner_has_a_letter_of_its_own() -> None:
    others = {strip.SCRATCH, strip.PRESERVED, strip.CRASH, strip.OTHER, strip.HOLE}
    assert set(strip.OWNERS) == set(OwnerKind)
    assert len(set(strip.OWNERS.values()) | others) == len(OwnerKind) + len(others)


def machine(snapshot: Snapshot, **memory: object) -> StripMap:
    nothing = Unknown(Cause.NOT_RECORDED, "not here")
    changed = replace(snapshot.memory, **memory)  # type: ignore[arg-type]
    return strip.strip_map(replace(snapshot, memory=changed, scratch=nothing))


@pytest.mark.parametrize("nodes", [Unknown(Cause.ABSENT, "no blocks"), (), (Node(0, ()),)])
def test_without_nodes_there_is_one_line_over_ram(nodes: object) -> None:
    snapshot = recorded("linux-7.3.4/ready")
    ram = (MemoryRange(4096, 4096), MemoryRange(16384, 4096))
    assert bands(machine(snapshot, nodes=nodes, ram=ram)) == (Band(None, MemoryRange(4096, 16384)),)
    assert bands(machine(snapshot, nodes=nodes, ram=())) == ()


def test_nodes_whose_memory_is_interleaved_have_a_line_each() -> None:
    snapshot = recorded("linux-7.3.4/ready")
    nodes = (
        Node(0, (MemoryRange(0, 16 << 12), MemoryRange(32 << 12, 16 << 12))),
        Node(1, (MemoryRange(16 << 12, 16 << 12), MemoryRange(64 << 12, 16 << 12))),
        Node(2, (MemoryRange(96 << 12, 16 << 12),)),
    )
    ram = (MemoryRange(0, 80 << 12), MemoryRange(96 << 12, 32 << 12))
    nothing: tuple[MemoryRange, ...] = ()
    found = machine(snapshot, nodes=nodes, ram=ram, blocks=(), crash_regions=nothing)
    lines = bands(found)
    assert lines == (
        Band(0, MemoryRange(0, 48 << 12), nodes[0].ranges),
        Band(1, MemoryRange(16 << 12, 64 << 12), nodes[1].ranges),
        Band(2, MemoryRange(96 << 12, 16 << 12)),
        # What no node claims: RAM between 1 and 2, and behind 2.
        Band(None, MemoryRange(48 << 12, 80 << 12),
             (MemoryRange(48 << 12, 16 << 12), MemoryRange(112 << 12, 16 << 12))),
    )  # fmt: skip
    drawn = [cells(line.span, 8, found.machine, line.parts) for line in lines]
    assert drawn == ["RRR..RRR", "RR....RR", "RRRRRRRR", "RR....RR"]
    found_at = [strip_cells.band_at(lines, page << 12) for page in (0, 20, 32, 50, 70, 90, 100)]
    assert found_at == [0, 1, 0, 3, 1, 3, 2]
    assert strip_cells.band_at(lines, 128 << 12) is None


@given(drawings(), st.sets(st.integers(0, 500), max_size=8))
def test_cells_of_parts_as_a_slow_reader_would_draw_them(
    drawn: tuple[MemoryRange, int, list[tuple[str, list[tuple[int, int]]]]], cuts: set[int]
) -> None:
    span, width, layers = drawn
    width = min(width, span.size)
    edges = sorted(cuts)
    parts = [MemoryRange(a, b - a) for a, b in zip(edges[0::2], edges[1::2], strict=False)]
    own = [byte for part in parts or [span] for byte in range(part.start, part.end)]
    expected = ""
    for at in range(width):
        cell = cell_span(span, width, at)
        mine = [byte for byte in own if cell.start <= byte < cell.end]
        expected += next(
            (letter for letter, found in layers for byte in mine
             if any(a <= byte < b for a, b in found)),
            ".",
        )  # fmt: skip
    assert (
        cells(span, width, [layer(letter, *found) for letter, found in layers], parts) == expected
    )


@given(drawings(), drawings())
def test_what_a_span_is_made_of_adds_up(
    drawn: tuple[MemoryRange, int, list[tuple[str, list[tuple[int, int]]]]],
    kept: tuple[MemoryRange, int, list[tuple[str, list[tuple[int, int]]]]],
) -> None:
    """Each byte counts once: for its owner, else for the first layer that has it."""
    span, _, layers = drawn
    # Two owners that share no byte.
    _, _, [(_, odd), (_, even)] = kept
    owners = {
        "m": [(2 * a, 2 * a + 1) for a, _ in odd],
        "r": [(2 * a + 1, 2 * a + 2) for a, _ in even],
    }
    every = [*owners.items(), *layers]
    counted = Counter(
        next((letter for letter, found in every if any(a <= byte < b for a, b in found)), ".")
        for byte in range(span.start, span.end)
    )
    held = strip_cells.held(
        span,
        [layer(letter, *found) for letter, found in layers],
        [layer(letter, *found) for letter, found in owners.items()],
    )
    assert dict(held) == counted


def test_without_anything_the_reason_is_told() -> None:
    why = Unknown(Cause.NOT_PERMITTED, "masked")
    assert machine(recorded("linux-7.3.4/ready"), nodes=why, ram=why).bands == why


def test_offline_blocks_are_holes() -> None:
    snapshot = recorded("linux-7.3.4/ready")
    ram = (MemoryRange(0, 64),)
    nothing: tuple[MemoryRange, ...] = ()
    blocks = tuple(
        MemoryBlock(number, MemoryRange(number * 16, 16), state, 0)
        for number, state in enumerate(["online", "offline", "online", "going-offline"])
    )
    found = machine(snapshot, ram=ram, blocks=blocks, crash_regions=nothing)
    assert cells(MemoryRange(0, 64), 4, found.machine) == "R.RR"
    masked = Unknown(Cause.NOT_PERMITTED, "masked")
    found = machine(snapshot, ram=masked, blocks=blocks, crash_regions=masked)
    assert cells(MemoryRange(0, 64), 4, found.machine) == "R.R."
