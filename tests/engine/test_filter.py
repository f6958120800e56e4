"""The filter of extents, word by word and against a reader that takes every extent by itself."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import runs
from kho_console.engine import filter as extent_filter
from kho_console.engine.extents import Rows
from kho_console.engine.filter import FilterError, Searched, parsed
from kho_console.engine.observe import observe
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange, Node
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder

LAST = (1 << 64) - 1
PAGE = 4096
OWNERS = (
    Owner(OwnerKind.UNATTRIBUTED),
    Owner(OwnerKind.MEMFD, b"0x1000", b"vm web", 4096),
    Owner(OwnerKind.RESERVE_MEM, b"oops"),
)


def name(owner: Owner) -> str:
    return f"{owner.kind} {owner.name.decode()} of {(owner.session or b'').decode()}"


def searched(
    pieces: list[tuple[int, int, int]],
    orders: dict[int, list[tuple[int, int]]],
    nodes: Maybe[tuple[Node, ...]] = (),
) -> Searched:
    """Extents as `(start, end, owner)`, blocks as `(start, end)` by order."""
    starts = np.array([start for start, _, _ in pieces], np.uint64)
    ends = np.array([end for _, end, _ in pieces], np.uint64)
    owner_of = np.array([owner for _, _, owner in pieces], np.int32)
    blocks = {order: runs.of_ranges(found) for order, found in orders.items()}
    return Searched(
        Ownership(starts, ends, owner_of, OWNERS),
        PreservedMap(MapFormat.RADIX, PAGE, 0, runs.empty(), blocks, Runs(starts, ends)),
        nodes,
        name,
    )


MACHINE = searched(
    [
        (0x1000, 0x2000, 0),
        (0x10000, 0x14000, 1),
        (0x14000, 0x24000, 2),
        (0x40000, 0x140000, 1),
        (1 << 40, (1 << 40) + (2 << 20), 0),
    ],
    {
        0: [(0x1000, 0x2000), (0x40000, 0x41000)],
        2: [(0x10000, 0x14000)],
        4: [(0x14000, 0x24000)],
        9: [(0x41000, 0x140000), (1 << 40, (1 << 40) + (2 << 20))],
    },
    (
        Node(0, (MemoryRange(0, 0x20000),)),
        Node(1, (MemoryRange(0x20000, 1 << 30), MemoryRange(1 << 40, 1 << 30))),
    ),
)


def kept(words: str, machine: Searched = MACHINE) -> list[int]:
    rows = parsed(words).rows(machine)
    assert isinstance(rows, Rows)
    found = list(range(len(rows))) if rows.kept is None else rows.kept.tolist()
    assert rows.bytes == sum(machine.ownership[at].range.size for at in found)
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("memfd", [1, 3]),
        ("owner:memfd", [1, 3]),
        ("OWNER:MemFD WEB", [1, 3]),
        ('owner:"vm web"', [1, 3]),
        ('"vm web"', [1, 3]),
        ("owner:reserve_mem", [2]),
        ("-memfd", [0, 2, 4]),
        ("!owner:memfd -owner:oops", [0, 4]),
        ("owner:memfd owner:oops", []),
        ("size:4k", [0]),
        ("size:=4096", [0]),
        ("size:>4k", [1, 2, 3, 4]),
        ("size:>=4KiB", [0, 1, 2, 3, 4]),
        ("size:<64K", [0, 1]),
        ("size:<=64kb", [0, 1, 2]),
        ("size:16k-1m", [1, 2, 3]),
        ("size:>0.9m", [3, 4]),
        ("size:>16777215t", []),
        ("size:>18446744073709551615", []),
        ("size:<0", []),
        ("-size:<64k", [2, 3, 4]),
        ("order:0", [0, 3]),
        ("order:0-3", [0, 1, 3]),
        ("order:>4", [3, 4]),
        ("order:7", []),
        ("-order:9", [0, 1, 2]),
        ("address:1fff", [0]),
        ("address:2000", []),
        ("address:0x0001_3fff", [1]),
        ("address:0x14000-0x40000", [2]),
        ("address:0x13fff-40001", [1, 2, 3]),
        ("address:>13fff", [2, 3, 4]),
        ("address:>=13fff", [1, 2, 3, 4]),
        ("address:<1_0000", [0]),
        ("address:<=1_0000", [0, 1]),
        ("address:<0", []),
        ("address:>ffff_ffff_ffff_ffff", []),
        ("node:0", [0, 1, 2]),
        ("node:1", [2, 3, 4]),
        ("node:0-1", [0, 1, 2, 3, 4]),
        ("node:2", []),
        ("-node:0", [3, 4]),
        ("memfd size:>64k order:9 node:1 address:>0", [3]),
        ("  memfd\t-size:16k ", [3]),
    ],
)
def test_which_extents_fit(words: str, expected: list[int]) -> None:
    assert kept(words) == expected


@pytest.mark.parametrize(
    ("words", "position", "expected"),
    [
        ("memfd owner:", 13, "a part of an owner's name"),
        ('owner:""', 7, "a part of an owner's name"),
        ("size:", 6, "a size"),
        ("size:>big", 7, "a size"),
        ("size:4x", 6, "a size"),
        ("size:4k-", 9, "a size"),
        ("size:-4k", 6, "a size"),
        ("a size:4k-2k", 11, "an end not below 4k"),
        ("size:\uff14k", 6, "a size"),
        ("order:a", 7, "an order"),
        ("order:-1", 7, "an order"),
        ("node:", 6, "the number of a node"),
        ("address:0x", 9, "an address"),
        ("address:xyz", 9, "an address"),
        ("address:" + "f" * 17, 9, "an address"),
        ("address:2000-2000", 14, "an end behind 2000"),
        ("-sise:4k", 2, "owner:, size:, order:, address: or node:, nearest size:"),
        ("a:b", 1, 'owner:, size:, order:, address: or node:, or quotes: "a:b"'),
        ("a -", 4, "a word behind the -"),
        ("!", 2, "a word behind the !"),
        ('owner:"vm web', 7, "a second quote"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_place(
    words: str, position: int, expected: str
) -> None:
    with pytest.raises(FilterError) as error:
        parsed(words)
    assert error.value.position == position
    assert error.value.expected.startswith(expected)
    assert str(error.value) == f"column {position}: expected {error.value.expected}"


def test_nodes_that_are_not_known_are_no_answer() -> None:
    why = Unknown(Cause.NOT_RECORDED, "not here")
    blind = Searched(MACHINE.ownership, MACHINE.preserved, why, name)
    assert parsed("-node:0").rows(blind) is why
    assert kept("memfd", blind) == [1, 3]
    without = Searched(MACHINE.ownership, MACHINE.preserved, (), name)
    assert isinstance(parsed("node:0").rows(without), Unknown)


def test_a_recorded_map() -> None:
    snapshot = observe(FixtureSource(folder("linux-7.3.4/ready")))
    preserved, ownership = snapshot.inventory.preserved, snapshot.inventory.ownership
    assert not isinstance(preserved, Unknown) and not isinstance(ownership, Unknown)
    machine = Searched(ownership, preserved, snapshot.memory.nodes, lambda owner: owner.kind)
    every = set(kept("", machine))
    assert set(kept("node:0", machine)) | set(kept("node:1", machine)) == every
    assert kept("reserve_mem order:10", machine) == kept("address:6e80_0000", machine)


@st.composite
def machines(draw: st.DrawFn) -> Searched:
    pieces = draw(_pieces(st.integers(0, 2)))
    orders: dict[int, list[tuple[int, int]]] = {}
    for start, end, order in draw(_pieces(st.integers(0, 3))):
        orders.setdefault(order, []).append((start, end))
    homes: dict[int, list[MemoryRange]] = {0: []}
    for start, end, node in draw(_pieces(st.integers(0, 2))):
        homes.setdefault(node, []).append(MemoryRange(start, end - start))
    nodes = tuple(Node(number, tuple(ranges)) for number, ranges in sorted(homes.items()))
    return searched(pieces, orders, nodes)


@st.composite
def _pieces(draw: st.DrawFn, mark: st.SearchStrategy[int]) -> list[tuple[int, int, int]]:
    """Disjoint pieces, some touching, each with a number; also near the end of 64 bits."""
    base = draw(st.sampled_from([0, LAST - 400]))
    edges = sorted(draw(st.sets(st.integers(0, 400), max_size=14)))
    step = draw(st.sampled_from([1, 2]))
    pairs = zip(edges[::step], edges[1::step], strict=False)
    return [(base + start, base + end, draw(mark)) for start, end in pairs]


NUMBERS = st.integers(0, 420) | st.integers(LAST - 420, LAST)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    key = draw(st.sampled_from(["owner", "size", "order", "address", "node"]))
    if key == "owner":
        value = draw(st.sampled_from(["memfd", "web", "mem", "oops", "nobody"]))
    else:
        small = key in ("order", "node")
        form = (lambda number: f"{number:x}") if key == "address" else str
        low, high = sorted(draw(st.sets(st.integers(0, 4) if small else NUMBERS, min_size=2,
                                        max_size=2)))  # fmt: skip
        sign = draw(st.sampled_from(["", "=", ">", ">=", "<", "<=", "-"]))
        value = f"{form(low)}-{form(high)}" if sign == "-" else f"{sign}{form(low)}"
    return draw(st.sampled_from(["", "-", "!"])) + f"{key}:{value}"


@given(machines(), st.lists(conditions(), max_size=3))
def test_as_a_slow_reader_would_choose_them(machine: Searched, words: list[str]) -> None:
    expected = [
        at
        for at in range(len(machine.ownership))
        if all(_fits(machine, at, word) for word in words)
    ]
    assert kept(" ".join(words), machine) == expected


@given(st.text(st.sampled_from('ownersizdaok:-!><=0123456789xmg." \té'), max_size=30))
def test_any_text_is_a_filter_or_an_error_within_it(words: str) -> None:
    try:
        parsed(words).rows(MACHINE)
    except FilterError as error:
        assert 1 <= error.position <= len(words) + 1


def _fits(machine: Searched, at: int, word: str) -> bool:
    negated = word[0] in "-!"
    key, _, value = word.lstrip("-!").partition(":")
    extent = machine.ownership[at]
    start, end = extent.range.start, extent.range.end
    if key == "owner":
        return (value in name(extent.owner)) is not negated
    base = 16 if key == "address" else 10
    found = re.fullmatch(r"([<>=]*)([0-9a-f]+)(?:-([0-9a-f]+))?", value)
    assert found is not None
    low = int(found[2], base)

    def holds(number: int) -> bool:
        if found[3]:
            high = int(found[3], base)
            return low <= number and (number < high if key == "address" else number <= high)
        return {
            "": number == low,
            "=": number == low,
            ">": number > low,
            ">=": number >= low,
            "<": number < low,
            "<=": number <= low,
        }[found[1]]

    if key == "size":
        fits = holds(end - start)
    elif key == "address":
        fits = any(holds(byte) for byte in range(start, end))
    elif key == "order":
        fits = any(
            holds(order) and blocks.touches(extent.range)
            for order, blocks in machine.preserved.by_order.items()
        )
    else:
        assert not isinstance(machine.nodes, Unknown)
        fits = any(
            holds(node.number) and any(item.overlaps(extent.range) for item in node.ranges)
            for node in machine.nodes
        )
    return fits is not negated


def test_the_hint_is_a_filter() -> None:
    assert len(parsed(extent_filter.SYNTAX).terms) == 5
