"""The ELF core header against real ones, against readelf, and against what nobody should write."""

import shutil
import struct
import subprocess
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import elfcorehdr, iomem
from kho_console.abi.elfcorehdr import Described
from kho_console.abi.elfcorehdr_size import (
    ARCHITECTURES,
    architecture,
    most_ranges,
    needed,
    segment_size,
    too_many_to_grow,
)
from kho_console.abi.error import FormatError
from kho_console.model.crash import CoreHeader, CoreLoad, LoadKind
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from tests.abi.page_memory import recorded, recorded_file
from tests.abi.test_few_and_many import both_ways
from tests.recordings import RECORDINGS

GIB = 1 << 30
DIRECT_MAP = 0xFF11_0000_0000_0000
WITH_IMAGE = [name for name in RECORDINGS if name.endswith(("/crash-loaded", "/hotplugged"))]


def real(name: str) -> bytes:
    """The page with the header of a recorded crash image."""
    regions = iomem.named(iomem.parse(recorded_file(name, "/proc/iomem")), "Crash kernel")
    return recorded(name).read(regions[0].start, 4096)


@pytest.mark.parametrize("name", WITH_IMAGE)
def test_real_headers_are_written_as_they_were_read(name: str) -> None:
    data = real(name)
    header = elfcorehdr.read(data)
    kinds = [load.kind for load in header.loads]
    assert kinds == [LoadKind.TEXT, *[LoadKind.MEMORY] * (len(kinds) - 1)]
    assert elfcorehdr.write(header) == data


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
@pytest.mark.parametrize("name", WITH_IMAGE)
def test_real_headers_say_what_readelf_says(name: str, tmp_path: Path) -> None:
    file = tmp_path / "elfcorehdr"
    file.write_bytes(real(name))
    run = subprocess.run(
        ["readelf", "-hlW", str(file)], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in run.stdout.splitlines()]
    header = elfcorehdr.read(file.read_bytes())
    assert ["Number", "of", "program", "headers:", str(header.entries)] in rows
    assert any(row[:1] == ["Machine:"] and "X86-64" in row[-1] for row in rows)
    for kind, ours in (
        ("NOTE", [(item.start, 0, item.start, item.size, item.size) for item in header.notes]),
        ("LOAD", [_readelf_load(load) for load in header.loads]),
    ):
        theirs = [tuple(int(word, 16) for word in row[1:6]) for row in rows if row[:1] == [kind]]
        assert ours == theirs


def _readelf_load(load: CoreLoad) -> tuple[int, ...]:
    found = load.range
    return found.start, load.virtual, found.start, found.size, found.size


def runs(*ranges: tuple[int, int]) -> Runs:
    return Runs(
        array("Q", [start for start, _ in ranges]), array("Q", [sum(item) for item in ranges])
    )


@st.composite
def machines(draw: st.DrawFn) -> Described:
    """Machines with at least one range, and text inside one of them."""
    steps = st.tuples(st.integers(0, 40), st.integers(1, 1 << 20))
    ranges: list[tuple[int, int]] = []
    at = 256
    for gap, pages in draw(st.lists(steps, min_size=1, max_size=8)):
        ranges.append((at + gap << 12, pages << 12))
        at += gap + pages
    holder = MemoryRange(*draw(st.sampled_from(ranges)))
    virtual = draw(st.integers(0, (1 << 64) - 1).map(lambda value: value & -4096))
    direct_map = draw(st.integers(0, (1 << 64) - 1).map(lambda value: value & -4096))
    has_text = draw(st.booleans()) and (virtual - holder.start - direct_map) % (1 << 64) != 0
    text = CoreLoad(MemoryRange(holder.start, 4096), virtual, LoadKind.TEXT)
    notes = draw(st.lists(st.integers(0, (1 << 52) - 1), max_size=80))
    return Described(
        *(62, array("Q", notes), 368, MemoryRange(8192, 4132), text if has_text else None),
        *(runs(*ranges), direct_map, draw(st.booleans())),
    )


@settings(deadline=None)
@given(machines())
def test_what_is_built_is_read_again(described: Described) -> None:
    data = both_ways(lambda: elfcorehdr.build(described))
    assert elfcorehdr.read(data) == elfcorehdr.header_of(described)
    assert len(data) == needed(described.cpus, len(described.memory))


def test_the_memory_of_kexec_tools_has_a_copy() -> None:
    low, ram = MemoryRange(0, 640 << 10), MemoryRange(1 << 20, GIB)
    header = CoreHeader(
        *(62, True, (MemoryRange(4096, 368),)),
        (
            CoreLoad(low, DIRECT_MAP, LoadKind.BACKUP, 0x2F000000),
            CoreLoad(ram, DIRECT_MAP + ram.start, LoadKind.MEMORY),
        ),
    )
    assert elfcorehdr.read(elfcorehdr.write(header)) == header


def loads(*given_loads: tuple[int, int, int]) -> bytes:
    """A header of `(virtual, start, size)`."""
    made = tuple(
        CoreLoad(MemoryRange(start, size), virtual, LoadKind.MEMORY)
        for virtual, start, size in given_loads
    )
    return elfcorehdr.write(CoreHeader(62, True, (), made))


@pytest.mark.parametrize(
    ("given_loads", "text"),
    [
        ([(1 << 40, GIB, 4096), (DIRECT_MAP, 0, 2 * GIB)], [0]),
        ([(1 << 40, 9 * GIB, 1), (DIRECT_MAP, 0, GIB), (DIRECT_MAP + GIB, GIB, GIB)], [0]),
        ([(1 << 40, GIB, 4096), (DIRECT_MAP, 0, GIB)], []),
        ([(0, 0, GIB), (0, GIB, GIB), (0, 2 * GIB, GIB)], []),
        ([(DIRECT_MAP, 0, GIB), (DIRECT_MAP + GIB, GIB, GIB)], []),
    ],
)
def test_text_is_told_from_memory(given_loads: list[tuple[int, int, int]], text: list[int]) -> None:
    found = elfcorehdr.read(loads(*given_loads)).loads
    assert [at for at, load in enumerate(found) if load.kind is LoadKind.TEXT] == text


def changed(at: int, form: str, value: int) -> bytes:
    """A note at 64, text at 120 and memory at 176 and 232, with one field changed."""
    described = Described(
        *(62, array("Q"), 368, MemoryRange(8192, 4132)),
        CoreLoad(MemoryRange(GIB, 4096), 1 << 40, LoadKind.TEXT),
        *(runs((1 << 20, 2 * GIB), (4 * GIB, GIB)), DIRECT_MAP),
    )
    data = bytearray(elfcorehdr.build(described))
    struct.pack_into(form, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("at", "form", "value", "offset", "word"),
    [
        (16, "<H", 2, 16, "not a core file"),
        (56, "<H", 80, 4096, "80 program headers announced, 72 there"),
        (176, "<I", 2, 176, "type 0x2, neither"),
        (72, "<Q", 0, 72, "a note at 0x2000 with offset 0x0"),
        (232 + 8, "<Q", (1 << 64) - 1, 232 + 8, "beyond"),
        (232 + 24, "<Q", (1 << 64) - 4096, 232 + 24, "beyond"),
        (232 + 32, "<Q", 1, 232 + 32, "1 bytes for memory of"),
        (232 + 24, "<Q", 2 * GIB, 232 + 24, "described twice"),
    ],
)
def test_damage_is_told_with_its_place(
    at: int, form: str, value: int, offset: int, word: str
) -> None:
    with pytest.raises(FormatError, match=word) as caught:
        elfcorehdr.read(changed(at, form, value))
    assert caught.value.offset == offset


@given(at=st.integers(0, 287), byte=st.integers(0, 255), end=st.integers(0, 4096))
def test_any_damage_is_a_header_or_a_format_error(at: int, byte: int, end: int) -> None:
    try:
        found = elfcorehdr.read(changed(at, "<B", byte)[:end])
    except FormatError as error:
        assert 0 <= error.offset < 1 << 64
    else:
        assert elfcorehdr.read(elfcorehdr.write(found)) == found


def test_no_more_entries_than_can_be_told() -> None:
    notes = (MemoryRange(4096, 368),) * elfcorehdr.MOST_ENTRIES
    assert elfcorehdr.read(elfcorehdr.write(CoreHeader(62, True, notes, ()))).entries == 65534
    with pytest.raises(FormatError, match="65535 program headers where 65534"):
        elfcorehdr.write(CoreHeader(62, True, (*notes, notes[0]), ()))


@pytest.mark.parametrize(
    ("name", "told", "segment", "entries"),
    [
        ("x86_64", 917616, 0xE1000, 16456),
        ("x86_64", 462448, 462848, 8264),
        ("x86_64", 4096 * 100, 4096 * 101, 7386),
        ("ppc64le", 4096 * 100, 4096 * 100, 7313),
        ("x86_64", 1 << 30, (1 << 30) + 4096, 65534),
    ],
)
def test_room(name: str, told: int, segment: int, entries: int) -> None:
    known = architecture(name)
    assert known is not None
    assert segment_size(known, told) == segment
    assert segment_size(known, told, 1 << 16) == -(-segment >> 16 << 16)
    for cpus in (1, 64):
        fit = most_ranges(segment, cpus)
        assert fit == entries - cpus - 2
        assert needed(cpus, fit) <= segment
        assert entries == 65534 or needed(cpus, fit + 1) > segment
    assert most_ranges(segment, 1 << 17) == 0


def test_a_segment_that_cannot_grow() -> None:
    for known in ARCHITECTURES:
        whole = 64 if known.told_whole else 0
        assert not too_many_to_grow(known, whole + 56 * 65534)
        assert too_many_to_grow(known, whole + 56 * 65535)
