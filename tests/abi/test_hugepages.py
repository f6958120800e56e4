import pytest

from kho_console.abi.command_line import split
from kho_console.abi.hugepages import asked
from kho_console.abi.meminfo import available

M, G = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("line", "pages"),
    [
        (b"hugepagesz=1G hugepages=4", {G: 4}),
        (b"hugepages=7 hugepagesz=1G hugepages=2", {G: 2, 2 * M: 7}),
        (b"default_hugepagesz=1G hugepages=3", {G: 3}),
        (b"hugepages=3 default_hugepagesz=1G", {G: 3}),
        (b"hugepagesz=2M hugepages=9 hugepagesz=1G hugepages=0:1,1:2", {2 * M: 9, G: 3}),
        (b"hugepages hugepages=x hugepagesz=1G", {}),
        (b"quiet -- hugepagesz=1G hugepages=4", {}),
    ],
)
def test_counts_belong_to_the_size_before_them(line: bytes, pages: dict[int, int]) -> None:
    assert asked(split(line), 2 * M) == pages


def test_available_memory() -> None:
    text = b"MemTotal:        1718960 kB\nMemFree:  1 kB\nMemAvailable:    1589680 kB\n"
    assert available(text) == 1589680 << 10
