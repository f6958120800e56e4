import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import block_list
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from tests.abi.page_memory import PageMemory


def block(following: int, count: int, body: bytes = b"") -> bytes:
    return (struct.pack("<QQ", following, count) + body).ljust(4096, b"\0")


@pytest.mark.parametrize(
    ("entry_size", "page_size", "expected"),
    [(80, 4096, 51), (64, 4096, 63), (80, 65536, 819), (64, 65536, 1023)],
)
def test_capacity(entry_size: int, page_size: int, expected: int) -> None:
    assert block_list.capacity(entry_size, page_size) == expected


def test_two_blocks() -> None:
    first = [bytes([at]) * 80 for at in range(51)]
    second = [b"\xee" * 80]
    pages = {
        0x7000: block(0x3000, 51, b"".join(first)),
        0x3000: block(0, 1, second[0] + b"not part of it"),
    }
    found = block_list.walk(PageMemory(pages), 0x7000, 80, 4096)
    assert found.pages == (0x7000, 0x3000)
    assert found.entries == (*first, *second)


def test_empty_list_reads_nothing() -> None:
    memory = PageMemory({})
    assert block_list.walk(memory, 0, 64, 4096) == block_list.BlockList((), ())
    assert memory.reads == []


@pytest.mark.parametrize(
    ("pages", "offset", "reason"),
    [
        ({0x1000: block(0, 0)}, 0x1008, "block of 0 records"),
        ({0x1000: block(0, 52)}, 0x1008, "1 to 51 fit"),
        ({0x1000: block(0, 2**64 - 1)}, 0x1008, "1 to 51 fit"),
        ({0x1000: block(0x2000, 1), 0x2000: block(0x1000, 1)}, 0x1000, "circle"),
        ({0x1000: block(0x2008, 1)}, 0x2008, "page aligned"),
    ],
)
def test_damaged(pages: dict[int, bytes], offset: int, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        block_list.walk(PageMemory(pages), 0x1000, 80, 4096)
    assert caught.value.offset == offset


class EndlessMemory:
    """Every page is a block that points at the next page, but for the last one."""

    def __init__(self, last: int) -> None:
        self.last = last

    def read(self, address: int, size: int) -> bytes:
        return block(address + 4096 if address // 4096 < self.last else 0, 1)[:size]


def test_ten_thousand_blocks_are_the_most() -> None:
    found = block_list.walk(EndlessMemory(10_000), 4096, 2000, 4096)
    assert len(found.pages) == 10_000
    with pytest.raises(FormatError, match="more than 10000 blocks"):
        block_list.walk(EndlessMemory(10_001), 4096, 2000, 4096)


def test_missing_block_is_no_format_error() -> None:
    with pytest.raises(MissingMemory):
        block_list.walk(PageMemory({0x1000: block(0x2000, 1)}), 0x1000, 80, 4096)


@given(
    st.dictionaries(
        st.sampled_from([0x1000, 0x2000, 0x3000]),
        st.tuples(
            st.sampled_from([0, 0x1000, 0x2000, 0x3000, 0x4000, 7, 2**64 - 1]),
            st.integers(0, 70),
        ),
    ),
    st.sampled_from([0, 0x1000, 0x2000, 3]),
)
def test_any_memory(blocks: dict[int, tuple[int, int]], first: int) -> None:
    memory = PageMemory({at: block(*header) for at, header in blocks.items()})
    try:
        found = block_list.walk(memory, first, 64, 4096)
        assert len(found.entries) == sum(blocks[page][1] for page in found.pages)
    except (FormatError, MissingMemory):
        pass
