import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi.crashkernel import CrashKernel, CrashKernelKind, CrashKernelSize, parse
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


@given(st.binary(max_size=30) | st.text("012GM:,-@highlowcma", max_size=14).map(str.encode))
def test_any_bytes(text: bytes) -> None:
    assert isinstance(parse(text), CrashKernel | Malformed)
