import errno
import gc
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi.elf import PT_LOAD, ProgramHeader, read_header, read_program_headers
from kho_console.abi.memory import MissingMemory
from kho_console.source.live.files import DeadlineReader
from kho_console.source.live.kcore import KcoreMemory, Segments
from tests.source.prepared import Load, kcore_file, kcore_header

NONE = (1 << 64) - 1
MASK_4 = (1 << 47) - 1  # x86: offset is the virtual address under this mask, plus the headers
MASK_5 = (1 << 56) - 1
MAP_4 = 0xFFFF888000000000
MAP_5 = 0xFF11000000000000
TEXT = 0xFFFFFFFF81000000
VMALLOC_4 = Load(0xFFFFC90000000000, NONE, (0xFFFFC90000000000 & MASK_4) + 4096, 1 << 45)

Open = Callable[[list[Load], dict[int, bytes]], KcoreMemory]


@pytest.fixture
def opened() -> Iterator[Open]:
    descriptors: list[int] = []

    def open_kcore(loads: list[Load], contents: dict[int, bytes]) -> KcoreMemory:
        descriptors.append(kcore_file(loads, contents))
        return KcoreMemory(f"/proc/self/fd/{descriptors[-1]}", DeadlineReader())

    yield open_kcore
    for descriptor in descriptors:
        os.close(descriptor)


def load(virtual: int, physical: int, size: int, mask: int) -> Load:
    return Load(virtual, physical, (virtual & mask) + 4096, size)


@pytest.mark.parametrize(
    ("base", "mask", "offset"),
    [(MAP_4, MASK_4, 0x0880_0000_2000), (MAP_5, MASK_5, 0x11_0000_0000_2000)],
    ids=["4-level", "5-level"],
)
def test_layouts_of_x86(opened: Open, base: int, mask: int, offset: int) -> None:
    loads = [
        load(TEXT, 0x2000000, 0x3000000, mask),
        VMALLOC_4,
        load(base + 0x1000, 0x1000, 0x9E000, mask),
        load(base + 0x100000, 0x100000, 0x7EF00000, mask),
        load(base + 0x100000000, 0x100000000, 0x80000000, mask),
    ]
    assert loads[2].offset == offset
    memory = opened(
        loads,
        {
            loads[2].offset: b"low",
            loads[3].offset + 0x1F00000: b"kernel text, by the direct map",
            loads[0].offset: b"kernel text, by its own segment",
            loads[4].offset + 0x7FFFFFFC: b"last",
        },
    )
    assert memory.read(0x1000, 3) == b"low"
    assert memory.read(0x2000000, 30) == b"kernel text, by the direct map"
    assert memory.read(0x17FFFFFFC, 4) == b"last"
    for address in (0, 0x9F000, 0x7F000000, 0x180000000):
        with pytest.raises(MissingMemory, match="no RAM") as caught:
            memory.read(address, 1)
        assert caught.value.address == address


def test_text_serves_only_where_no_ram_does(opened: Open) -> None:
    loads = [
        Load(TEXT, 0x1000000, 0x10000, 0x5000),
        Load(MAP_4 + 0x1001000, 0x1001000, 0x20000, 0x1000),
        Load(MAP_4 + 0x1003000, 0x1003000, 0x30000, 0x1000),
    ]
    text = b"T" * 0x5000
    memory = opened(loads, {0x10000: text, 0x20000: b"R" * 0x1000, 0x30000: b"S" * 0x1000})
    data = memory.read(0x1000000, 0x5000)
    assert [data[at : at + 1] for at in range(0, 0x5000, 0x1000)] == [b"T", b"R", b"T", b"S", b"T"]
    assert data == b"".join(bytes([data[at]]) * 0x1000 for at in range(0, 0x5000, 0x1000))
    with pytest.raises(MissingMemory) as caught:
        memory.read(0x1004000, 0x2000)
    assert caught.value.address == 0x1005000


def test_one_ram_segment_against_text_by_the_lower_address(opened: Open) -> None:
    # arm64 and riscv have no hole in small guests: one bank of RAM, one kernel image.
    loads = [
        Load(0xFFFF800080000000, 0x40200000, 0x10000, 0x4000),
        Load(0xFFFF000000000000, 0x40000000, 0x20000, 0x400000),
    ]
    memory = opened(loads, {0x10000: b"image", 0x20000 + 0x200000: b"linear"})
    assert memory.read(0x40200000, 6) == b"linear"


def test_ram_at_zero(opened: Open) -> None:
    loads = [
        Load(0xC000000000000000, 0, 0x10000, 0x100000),
        Load(TEXT, 0x8000, 0x200000, 0x1000),
    ]
    memory = opened(loads, {0x10000: b"zero", 0x18000: b"ram", 0x200000: b"text"})
    assert memory.read(0, 4) == b"zero"
    assert memory.read(0x8000, 3) == b"ram"


def test_zero_addresses_of_old_kernels(opened: Open) -> None:
    def sized(virtual: int, physical: int, offset: int, size: int = 0x1000) -> Load:
        return Load(virtual, physical, offset, size)

    others = [
        sized(0xFFFFC90000000000, 0, 0x10000, 1 << 45),
        sized(0xFFFFEA0000000000, 0, 0x20000, 1 << 40),
    ]
    ram = [sized(MAP_4, 0, 0x30000), sized(MAP_4 + 0x100000, 0x100000, 0x40000)]
    memory = opened([*others, *ram], {0x10000: b"vm", 0x30000: b"r0", 0x40000: b"r1"})
    assert memory.read(0, 2) == b"r0"
    assert memory.read(0x100000, 2) == b"r1"
    with pytest.raises(MissingMemory):
        memory.read(0x5000, 1)
    # where nothing tells which of them is RAM, none is
    memory = opened([*others, ram[0]], {})
    with pytest.raises(MissingMemory, match="no RAM"):
        memory.read(0, 1)


def test_a_lone_zero_address_does_not_shadow_ram(opened: Open) -> None:
    loads = [
        Load(0xFFFFC90000000000, 0, 0x10000, 1 << 45),
        Load(MAP_4 + 0x100000, 0x100000, 0x40000, 0x1000),
    ]
    memory = opened(loads, {0x10000: b"vm", 0x40000: b"r1"})
    assert memory.read(0x100000, 2) == b"r1"
    with pytest.raises(MissingMemory):
        memory.read(0, 1)


@pytest.mark.parametrize(
    "hostile",
    [
        Load(MAP_4, (1 << 64) - 0x1000, 0x10000, 0x2000),
        Load(MAP_4, 0x1000, (1 << 63) - 0x1000, 0x2000),
        Load(MAP_4, 0x1000, (1 << 64) - 1, 0x1000),
        Load(MAP_4, 0x1000, 0x10000, 0),
        Load(MAP_4, NONE, 0x10000, 0x1000),
    ],
)
def test_segments_that_cannot_be(opened: Open, hostile: Load) -> None:
    memory = opened([hostile], {})
    for address in (0, 0x1000, (1 << 64) - 0x1000):
        with pytest.raises(MissingMemory, match="no RAM"):
            memory.read(address, 0x10)


def test_overlapping_ram_gives_each_byte_once() -> None:
    loads = [
        Load(MAP_4 + 0x1000, 0x1000, 0x10000, 0x3000),
        Load(MAP_4 + 0x2000, 0x2000, 0x20000, 0x1000),
        Load(MAP_4 + 0x3000, 0x3000, 0x30000, 0x2000),
    ]
    segments = parsed(loads)
    assert segments.find(0x2000) == (0x11000, 0x2000)
    assert segments.find(0x4000) == (0x31000, 0x1000)
    assert segments.find(0x5000) is None


def parsed(loads: list[Load]) -> Segments:
    data = kcore_header(loads)
    return Segments(read_program_headers(read_header(data), data[64:]))


def test_thousands_of_segments(opened: Open) -> None:
    loads = [
        Load(MAP_4 + at * 0x4000, at * 0x4000, 0x1000000 + at * 0x1000, 0x1000)
        for at in range(1, 20000)
    ]
    memory = opened(loads, {0x1000000 + 19999 * 0x1000: b"last"})
    assert memory.read(19999 * 0x4000, 4) == b"last"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "64 bytes"),
        (kcore_header([])[:40], "64 bytes"),
        (b"\x7fELF\x01" + kcore_header([])[5:], "class"),
        (kcore_header([], announced=4000), "4000 program headers announced, 1 there"),
    ],
)
def test_damaged_headers(tmp_path: Path, data: bytes, word: str) -> None:
    (tmp_path / "kcore").write_bytes(data)
    with pytest.raises(MissingMemory, match=word) as caught:
        KcoreMemory(str(tmp_path / "kcore"), DeadlineReader()).read(0x1000, 8)
    assert caught.value.address == 0x1000


def test_a_file_that_ends_early(opened: Open) -> None:
    memory = opened([Load(MAP_4 + 0x1000, 0x1000, 0x1000, 0x2000)], {0x1000: b"\1" * 0x800})
    assert memory.read(0x1000, 0x800) == b"\1" * 0x800
    with pytest.raises(MissingMemory, match="ends") as caught:
        memory.read(0x1000, 0x1000)
    assert caught.value.address == 0x1800


def test_no_file_is_no_matter_of_rights(tmp_path: Path) -> None:
    with pytest.raises(MissingMemory, match="is not there") as caught:
        KcoreMemory(str(tmp_path / "kcore"), DeadlineReader()).read(0, 1)
    assert not caught.value.permission


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_lockdown_and_rights(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, "refused")

    monkeypatch.setattr("kho_console.source.live.kcore.os.open", refuse)
    with pytest.raises(MissingMemory, match="not permitted") as caught:
        KcoreMemory("/proc/kcore", DeadlineReader()).read(0x1000, 8)
    assert caught.value.permission


def test_headers_are_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("kho_console.source.live.kcore.time.monotonic", lambda: now[0])
    place = tmp_path / "kcore"
    dimm = Load(MAP_4 + 0x2000, 0x2000, 0x2000, 0x1000)
    before, after = [Load(MAP_4 + 0x1000, 0x1000, 0x1000, 0x1000)], [dimm]
    place.write_bytes(kcore_header(before).ljust(0x3000, b"\1"))
    memory = KcoreMemory(str(place), DeadlineReader())
    assert memory.read(0x1000, 1) == b"\1"
    place.write_bytes(kcore_header(after).ljust(0x3000, b"\2"))
    with pytest.raises(MissingMemory):
        memory.read(0x2000, 1)
    memory.reopen()
    assert memory.read(0x2000, 1) == b"\2"
    place.write_bytes(kcore_header(before).ljust(0x3000, b"\3"))
    now[0] += 1.5
    assert memory.read(0x1000, 1) == b"\3"
    with pytest.raises(MissingMemory):
        memory.read(0x2000, 1)


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    """Each as soon as it is not needed, without waiting for a collection of garbage."""
    place = tmp_path / "kcore"
    place.write_bytes(kcore_header([Load(MAP_4 + 0x1000, 0x1000, 0x1000, 0x1000)]) + bytes(0x2000))
    memory = KcoreMemory(str(place), DeadlineReader())
    gc.disable()
    try:
        for _ in range(10):
            memory.reopen()
            memory.read(0x1000, 1)
        assert held(place) == 1
        place.write_bytes(b"damaged")
        for _ in range(10):
            memory.reopen()
            with suppress(MissingMemory):
                memory.read(0x1000, 1)
        assert held(place) == 0
    finally:
        gc.enable()


def held(place: Path) -> int:
    """How many descriptors of a file this process has; what other tests left open is not asked."""
    links = []
    for item in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links.append(item.readlink())
    return links.count(place)


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
def test_the_prepared_headers_are_what_readelf_reads(tmp_path: Path) -> None:
    loads = [load(MAP_5 + 0x1000, 0x1000, 0x9E000, MASK_5), VMALLOC_4]
    (tmp_path / "kcore").write_bytes(kcore_header(loads).ljust(4096, b"\0"))
    run = subprocess.run(
        ["readelf", "-lW", str(tmp_path / "kcore")], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in run.stdout.splitlines()]
    seen = [[int(word, 16) for word in row[1:6]] for row in rows if row[:1] == ["LOAD"]]
    assert seen == [[it.offset, it.virtual, it.physical, it.size, it.size] for it in loads]


addresses = st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 0x1000, NONE, MAP_4, 1 << 63])


@given(
    rows=st.lists(st.tuples(addresses, addresses, addresses, addresses, addresses), max_size=12),
    address=addresses,
)
@settings(max_examples=200)
def test_any_headers_find_only_what_they_hold(
    rows: list[tuple[int, int, int, int, int]], address: int
) -> None:
    headers = [ProgramHeader(PT_LOAD, 7, *row, 0) for row in rows]
    found = Segments(headers).find(address)
    if found is None:
        return
    offset, size = found
    assert size > 0
    assert any(
        item.physical <= address
        and address + size <= item.physical + min(item.file_size, item.memory_size)
        and offset - item.offset == address - item.physical
        for item in headers
    )
    assert offset + size < 1 << 63


def test_a_note_is_no_memory() -> None:
    note = struct.pack("<IIQQQQQQ", 4, 7, 0x1000, MAP_4, 0x1000, 0x1000, 0x1000, 0)
    head = kcore_header([], announced=1)[:64]
    segments = Segments(read_program_headers(read_header(head), note))
    assert segments.find(0x1000) is None
