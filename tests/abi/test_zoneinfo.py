import pytest

from kho_console.abi import zoneinfo
from kho_console.abi.error import FormatError
from tests.recordings import folder


def test_a_recorded_file() -> None:
    found = zoneinfo.parse((folder("linux-7.3.4/sessions") / "root/proc/zoneinfo").read_bytes())
    assert [(item.node, item.name) for item in found] == [
        (node, name) for node in (0, 1) for name in (b"DMA32", b"Normal", b"Movable")
    ]
    first = found[0].numbers
    assert first == {
        "spanned": 262143,
        "managed": 257686,
        "cma": 199680,
        "nr_free_cma": 193010,
        "start_pfn": 1,
    }
    assert found[1].numbers["spanned"] == 0


def test_a_kernel_without_cma_has_no_numbers_of_it() -> None:
    content = b"Node 3, zone   Normal\n        spanned  16\n  start_pfn:           8\n"
    (zone,) = zoneinfo.parse(content)
    assert zone == zoneinfo.ZoneRecord(3, b"Normal", {"spanned": 16, "start_pfn": 8})


def test_numbers_before_any_zone_and_other_lines_are_passed_over() -> None:
    assert zoneinfo.parse(b"        spanned  16\nsomething else\n  cma -3\n") == ()


def test_a_zone_without_a_name_is_refused() -> None:
    with pytest.raises(FormatError) as refused:
        zoneinfo.parse(b"\nNode x, zone Normal\n")
    assert refused.value.offset == 1
