"""Where segments go, against the six recorded kernels and by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import setup_data
from kho_console.engine.preflight.placement import Segment, place, segments
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from tests.engine.machines import recorded
from tests.engine.preflights import IMAGE
from tests.recordings import folder

M = 1 << 20
RESTORED = tuple(
    f"linux-{release}/restored"
    for release in ("6.17.8", "6.18.15", "6.19.11", "7.1.13", "7.2.13", "7.3.4")
)


def recorded_table(name: str) -> int:
    """Where the kernel before put the table of areas, as its boot protocol has it."""
    for entry in sorted(folder(name).glob("root/sys/kernel/boot_params/setup_data/*")):
        if (entry / "type").read_text().strip() == "0xa":
            return setup_data.decode((entry / "data").read_bytes()).scratch_address
    raise AssertionError(name)


@pytest.mark.parametrize("name", RESTORED)
def test_the_table_of_areas_goes_where_a_real_kernel_put_it(name: str) -> None:
    areas = recorded(name).scratch
    wanted = segments(IMAGE, 4 * M)
    assert not isinstance(areas, Unknown)
    assert not isinstance(wanted, Unknown)
    table, *others = place(wanted, [area.range for area in areas if area.size])
    assert table.place is not None
    assert table.place.start == recorded_table(name)
    assert all(item.place is not None for item in others)


def test_x86_fills_an_area_from_above_and_goes_on_in_the_next() -> None:
    areas = [MemoryRange(64 * M, 16 * M), MemoryRange(128 * M, 32 * M)]
    wanted = segments(IMAGE, 20 * M)
    assert not isinstance(wanted, Unknown)
    places = {item.segment.name: item.place for item in place(wanted, areas)}
    top = 80 * M
    assert places == {
        "the table of areas": MemoryRange(top - (64 << 10), 64 << 10),
        "purgatory": MemoryRange(top - (96 << 10), 32 << 10),
        "the boot parameters": MemoryRange(top - (128 << 10), 32 << 10),
        "the kernel": MemoryRange(64 * M, 14 * M),
        "the initrd": MemoryRange(140 * M, 20 * M),
    }


def test_low_memory_is_not_for_kernel_and_initrd() -> None:
    low = [MemoryRange(0, 15 * M)]
    wanted = (Segment("kernel", 14 * M, 2 * M, 1 * M), Segment("initrd", M, 4096, 16 * M))
    assert [item.place for item in place(wanted, low)] == [None, None]


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 40)), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.integers(1, 20), st.sampled_from([4096, M, 2 * M]), st.booleans()), max_size=6
    ),
)
def test_placed_segments_never_overlap_and_stay_inside(
    sizes: list[tuple[int, int]], wanted: list[tuple[int, int, bool]]
) -> None:
    areas, at = [], 0
    for gap, size in sizes:
        areas.append(MemoryRange(at + gap * M, size * M))
        at = areas[-1].end
    asked = [Segment("x", size * M - 5, step, upwards=up) for size, step, up in wanted]
    placed = place(asked, areas)
    spots = sorted(item.place for item in placed if item.place is not None)
    assert all(one.end <= other.start for one, other in pairwise(spots))
    for item in placed:
        if item.place is not None:
            assert any(area.contains(item.place) for area in areas)
            assert item.place.start % item.segment.alignment == 0
        else:
            # Nothing smaller than a whole free area was overlooked.
            free = [area for area in areas if not any(area.overlaps(spot) for spot in spots)]
            assert all(area.size < item.segment.size + item.segment.alignment for area in free)
