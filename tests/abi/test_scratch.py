from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import scratch
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange
from tests.abi.page_memory import recorded_file

OUT = "/sys/kernel/debug/kho/out/"


def test_worked_example() -> None:
    # kho_scratch=16M,64M,32M on two nodes, 7.3.4.
    phys = b"0x5d000000\n0x59000000\n0x2d000000\n0x57000000\n"
    length = b"0x1000000\n0x4000000\n0x2000000\n0x2000000\n"
    assert scratch.parse(phys, length) == (
        MemoryRange(0x5D000000, 16 << 20),
        MemoryRange(0x59000000, 64 << 20),
        MemoryRange(0x2D000000, 32 << 20),
        MemoryRange(0x57000000, 32 << 20),
    )


def test_recorded_with_a_global_area_of_no_bytes() -> None:
    moment = "linux-7.3.4/sessions"
    areas = scratch.parse(
        recorded_file(moment, OUT + "scratch_phys"), recorded_file(moment, OUT + "scratch_len")
    )
    assert areas == (
        MemoryRange(0x10400000, 0x2E800000),
        MemoryRange(0x7FC00000, 0),
        MemoryRange(0xE000000, 0x2400000),
        MemoryRange(0x66000000, 0x3800000),
    )


def test_no_area_at_all() -> None:
    assert scratch.parse(b"", b"") == ()


@pytest.mark.parametrize(
    ("phys", "length", "offset"),
    [
        (b"0x1000\n0x2000\n", b"0x1000\n", 7),
        (b"0x1000\n", b"", 0),
        (b"0x1000\nnone\n", b"0x1\n0x2\n", 7),
        (b"0x1000\n\n0x2000\n", b"0x1\n0x2\n0x3\n", 7),
        (b"0xffffffffffff0000\n", b"0x10001\n", 0),
    ],
)
def test_damaged(phys: bytes, length: bytes, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        scratch.parse(phys, length)
    assert caught.value.offset == offset


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes(phys: bytes, length: bytes) -> None:
    with suppress(FormatError):
        scratch.parse(phys, length)


WORD = st.integers(0, 2**62)


@given(st.lists(st.tuples(WORD, WORD)))
def test_what_the_kernel_prints(areas: list[tuple[int, int]]) -> None:
    phys = "".join(f"0x{address:x}\n" for address, _ in areas).encode()
    length = "".join(f"0x{size:x}\n" for _, size in areas).encode()
    assert scratch.parse(phys, length) == tuple(MemoryRange(*area) for area in areas)
