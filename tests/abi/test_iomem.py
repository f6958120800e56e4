from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import iomem
from kho_console.abi.error import FormatError
from kho_console.model.memory import IomemEntry, MemoryRange
from tests.abi.page_memory import recorded_file

DRIVER_MEMORY = b"""\
00001000-0009ffff : System RAM
140000000-33fffffff : Persistent Memory
  150000000-33fffffff : dax0.0
    150000000-33fffffff : System RAM (kmem)
340000000-347ffffff : System RAM (virtio_mem)
348000000-348000fff : System RAM of another kind
"""


def test_recorded() -> None:
    entries = iomem.parse(recorded_file("linux-7.3.4/hotplugged", "/proc/iomem"))
    assert len(entries) == 40
    assert entries[0] == IomemEntry(MemoryRange(0, 0x1000), "Reserved", 0)
    assert iomem.system_ram(entries) == (
        MemoryRange(0x1000, 0x9FC00 - 0x1000),
        MemoryRange(0x100000, 0x7FFE0000 - 0x100000),
        MemoryRange(0x100000000, 512 << 20),
    )
    assert iomem.named(entries, "Crash kernel") == (MemoryRange(0x6F000000, 256 << 20),)
    assert {entry.depth for entry in entries} == {0, 1, 2}
    assert not iomem.masked(entries)


def test_driver_memory_counts_where_it_stands() -> None:
    entries = iomem.parse(DRIVER_MEMORY)
    assert [item.start for item in iomem.system_ram(entries)] == [
        0x1000, 0x150000000, 0x340000000,
    ]  # fmt: skip


def test_masked() -> None:
    text = b"00000000-00000000 : System RAM\n  00000000-00000000 : Crash kernel\n"
    assert iomem.masked(iomem.parse(text))
    assert not iomem.masked(())
    assert not iomem.masked(iomem.parse(b"00000000-00000fff : Reserved\n"))


def test_names_keep_every_byte() -> None:
    entry = iomem.parse(b"0-1 : a : b\xff")[0]
    assert entry.name == "a : b\udcff"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        (b"0-f : one\nnonsense\n", 10),
        (b"f-0 : backwards\n", 0),
        (b"  0-f : child of none\n", 0),
        (b"0-f : one\n    0-1 : two down\n", 10),
        (b"0-f : one\n 0-1 : one blank\n", 10),
        (b"00000000000000000-1 : 17 digits\n", 0),
        (b"0-f: no blank\n", 0),
    ],
)
def test_damaged(text: bytes, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        iomem.parse(text)
    assert caught.value.offset == offset


@given(st.binary(max_size=60) | st.text("0f- :\nx", max_size=40).map(str.encode))
def test_any_bytes(text: bytes) -> None:
    with suppress(FormatError):
        entries = iomem.parse(text)
        iomem.masked(entries)
        iomem.system_ram(entries)
