import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi.crashkernel import (
    CrashKernel,
    CrashKernelKind,
    CrashKernelSize,
    counting,
    parse,
    size_for,
)
from kho_console.abi.scratch_request import Malformed

MIB = 1 << 20
GIB = 1 << 30


def whole(kind: CrashKernelKind, size: int, offset: int | None = None) -> CrashKernel:
    return CrashKernel(kind, (CrashKernelSize(0, None, size),), offset)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"256M", whole(CrashKernelKind.SIZE, 256 * MIB)),
        (b"64M@16M", whole(CrashKernelKind.SIZE, 64 * MIB, 16 * MIB)),
        (b"1G,high", whole(CrashKernelKind.HIGH, GIB)),
        (b"0,low", whole(CrashKernelKind.LOW, 0)),
        (b"512M,cma", whole(CrashKernelKind.CMA, 512 * MIB)),
        (
            b"512M-2G:64M,2G-:128M",
            CrashKernel(
                CrashKernelKind.RANGES,
                (
                    CrashKernelSize(512 * MIB, 2 * GIB, 64 * MIB),
                    CrashKernelSize(2 * GIB, None, 128 * MIB),
                ),
            ),
        ),
        (
            b"0-:128M@0x1000000",
            CrashKernel(CrashKernelKind.RANGES, (CrashKernelSize(0, None, 128 * MIB),), 16 * MIB),
        ),
    ],
)
def test_forms(text: bytes, expected: CrashKernel) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        None, b"", b"auto", b"256Mx", b"x,high", b"1G@5,high", b"2G-1G:64M", b"1G:64M",
        b"1G-2G64M:", b"1G-:", b"1G-:64M,", b"1G-:64M@", b"-2G:64M",
    ],
)  # fmt: skip
def test_malformed(text: bytes | None) -> None:
    found = parse(text)
    assert isinstance(found, Malformed)
    assert found.text == text
    assert found.reason


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ((), None),
        ((None,), None),
        ((b"512M", b"16M"), b"16M"),
        ((b"16M", b"bogus"), b"bogus"),
        ((b"1G,high", b"64M", b"2G,high", b"8M,cma"), b"64M"),
        ((b"1G,high", b"128M,low", b"2G,high"), b"2G,high"),
        ((b"1G,high", b"x,low"), b"x,low"),
        ((b"64M", b"x,low", b"x,high"), b"64M"),
        ((b"128M,low",), None),
        ((b"128M,cma",), None),
    ],
)
def test_the_option_that_counts(options: tuple[bytes | None, ...], counts: bytes | None) -> None:
    assert counting(map(parse, options)) == (None if counts is None else parse(counts))


def test_memory_is_rounded_up_before_a_range_is_looked_for() -> None:
    """A guest of 2 GiB tells a little less, since its firmware keeps some."""
    option = parse(b"1G-2G:64M,2G-4G:128M")
    assert isinstance(option, CrashKernel)
    assert size_for(option.sizes, 2 * GIB - MIB) == 128 * MIB
    assert size_for(option.sizes, 2 * GIB - 129 * MIB) == 64 * MIB
    assert size_for(option.sizes, 4 * GIB) == 0


@given(st.binary(max_size=30) | st.text("012GM:,-@highlowcma", max_size=14).map(str.encode))
def test_any_bytes(text: bytes) -> None:
    assert isinstance(parse(text), CrashKernel | Malformed)
