"""What hypothesis makes up from nothing: bytes, texts, trees, and pages that name each other."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from kho_console.abi import chunk_list, fdt, fdt_agreement, luo_session, memfd, radix_tree
from kho_console.abi.memory import PhysicalMemory
from kho_console.model.blob import LuoHeader
from kho_console.model.generation import MapFormat
from kho_console.source.fixture import events
from tests.abi import kernel_trees
from tests.abi.page_memory import PageMemory
from tests.fuzz.decoders import BYTES
from tests.fuzz.target import Target, attempt

_FIRST = 0x1000
_MOST_PAGES = 6

_addresses = st.one_of(
    st.integers(0, _MOST_PAGES).map(lambda page: _FIRST + page * 4096),
    st.sampled_from((0, 1, 8, 4095, (1 << 56) - 4096, 1 << 56, (1 << 64) - 4096, (1 << 64) - 1)),
    st.integers(0, (1 << 64) - 1),
)
_words = st.one_of(_addresses, st.integers(0, 600), st.integers(0, (1 << 64) - 1))


@st.composite
def _page(draw: st.DrawFn) -> bytes:
    """A page with few words that are not zero, most of them at its beginning."""
    page = bytearray(4096)
    for value in draw(st.lists(_words, max_size=8)):
        at = draw(st.one_of(st.integers(0, 15), st.integers(0, 511))) * 8
        page[at : at + 8] = value.to_bytes(8, "little")
    return bytes(page)


_memory = st.lists(_page(), min_size=1, max_size=_MOST_PAGES).map(
    lambda pages: PageMemory({_FIRST + at * 4096: page for at, page in enumerate(pages)})
)

_names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
_properties = st.lists(st.tuples(_names, st.binary(max_size=24)), max_size=4)
_trees = st.tuples(_properties, st.lists(st.tuples(_names, _properties), max_size=4))

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ("kind", "monotonic", "env", "ACTION", "SUBSYSTEM", "DEVPATH", "SEQNUM")
            ),
            below | st.sampled_from(("uevent", "cpu", "memory", "add", "/devices/x")),
            max_size=6,
        )
    ),
    max_leaves=12,
)


def _cut_tree(made: tuple[Any, int]) -> None:
    """A tree of the sequential writer, whole and cut anywhere."""
    (properties, children), cut = made
    data = kernel_trees.sequential(properties, children)
    whole = fdt.read(data)
    assert not whole.faults
    assert [item.value for item in whole.root.properties] == [value for _, value in properties]
    assert fdt_agreement.disagreement(data) is None
    fdt.read(data[: cut % (len(data) + 1)])


def _read_radix(memory: PhysicalMemory) -> None:
    totals = radix_tree.totals(memory, _FIRST, 4096)
    assert totals == radix_tree.read(memory, _FIRST, 4096).totals


def _read_chunks(memory: PhysicalMemory) -> None:
    found = chunk_list.read(memory, _FIRST, 4096, release_has_small_bitmaps=False)
    assert found.totals == chunk_list.totals(memory, _FIRST, 4096, MapFormat(found.format))


def _read_memfd(memory: PhysicalMemory) -> None:
    memfd.read(memory, _FIRST, 2, 4096)


def _read_sessions(memory: PhysicalMemory) -> None:
    luo_session.read(memory, LuoHeader(b"luo-v5", 1, _FIRST, 0, "blocks"), 4096)


@dataclass(frozen=True)
class Property:
    """Something that holds for whatever the strategy makes."""

    name: str
    strategy: st.SearchStrategy[Any]
    check: Callable[[Any], object]


def _of_target(target: Target) -> Property:
    return Property(
        f"anything for {target.name}",
        st.one_of(st.binary(max_size=200), st.text(max_size=60).map(str.encode)),
        lambda data: target.run({"0": data}),
    )


PROPERTIES: Mapping[str, Property] = {
    item.name: item
    for item in (
        *map(_of_target, BYTES),
        Property("made trees, cut", st.tuples(_trees, st.integers(0, 4096)), _cut_tree),
        Property("made radix trees", _memory, _read_radix),
        Property("made chunk lists", _memory, _read_chunks),
        Property("made memfds", _memory, _read_memfd),
        Property("made sessions", _memory, _read_sessions),
        Property(
            "made events",
            st.lists(_json, max_size=4),
            lambda lines: events.read_events("\n".join(map(json.dumps, lines)).encode()),
        ),
    )
}


def run(name: str, chance: object, cases: int) -> None:
    """Try a property that many times; the same `chance` makes the same examples.

    Raises:
        BaseException: It does not hold; hypothesis notes the least example.
    """
    found = PROPERTIES[name]

    @seed(chance)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(found.strategy)
    def holds(value: Any) -> None:
        attempt(Target(name, {}, lambda changes: found.check(value)), {})

    holds()
