"""What sysfs says of memory that concerns a dump."""

import pytest

from kho_console.abi import crash_files
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange


def test_the_size_of_vmcoreinfo_is_hexadecimal() -> None:
    """Recorded on 7.3.4; the note in the header has 4,132 bytes."""
    assert crash_files.vmcoreinfo(b"0x0000000040026000 1024\n") == MemoryRange(0x4002_6000, 4132)


@pytest.mark.parametrize(
    "data", [b"", b"40026000 1024\n", b"0x40026000\n", b"0x1 2 3\n", b"0xffffffffffffffff 2\n"]
)
def test_vmcoreinfo_that_is_none(data: bytes) -> None:
    with pytest.raises(FormatError):
        crash_files.vmcoreinfo(data)


def test_cma_ranges() -> None:
    assert crash_files.cma_ranges(b"") == ()
    assert crash_files.cma_ranges(b"00100000-001fffff\n180000000-1bfffffff\n") == (
        MemoryRange(0x10_0000, 0x10_0000),
        MemoryRange(0x1_8000_0000, 0x4000_0000),
    )


@pytest.mark.parametrize("line", [b"0-fff : x", b"1000-0", b"0x0-0xfff", b"-", b"\x1b[2J"])
def test_a_line_that_is_no_range_is_told_with_its_place(line: bytes) -> None:
    with pytest.raises(FormatError) as error:
        crash_files.cma_ranges(b"00000000-00000fff\n" + line + b"\n")
    assert error.value.offset == 18
