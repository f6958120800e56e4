"""Physical memory of tests: pages in a dictionary, or the recorded ones of a fixture."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kho_console.abi.memory import MissingMemory
from kho_console.model.generation import MapFormat
from kho_console.model.preserved import PreservedMap, Runs

FIXTURES = Path(__file__).parents[2] / "fixtures"


class PageMemory:
    """Pages by address; everything else is missing. `reads` keeps what was asked for."""

    def __init__(self, pages: Mapping[int, bytes], page_size: int = 4096) -> None:
        self.pages = dict(pages)
        self.page_size = page_size
        self.reads: list[tuple[int, int]] = []

    def read(self, address: int, size: int) -> bytes:
        self.reads.append((address, size))
        found = b""
        while len(found) < size:
            at = address + len(found)
            start = at - at % self.page_size
            if start not in self.pages:
                raise MissingMemory(at, "not recorded")
            page = self.pages[start]
            found += page[at - start : at - start + size - len(found)]
        return found


def recorded(moment: str) -> PageMemory:
    """All recorded pages of a fixture such as `linux-7.3.4/sessions`."""
    pages: dict[int, bytes] = {}
    for file in (FIXTURES / moment / "physmem").glob("0x*.bin"):
        start, data = int(file.stem, 16), file.read_bytes()
        pages |= {start + at: data[at : at + 4096] for at in range(0, len(data), 4096)}
    return PageMemory(pages)


def recorded_file(moment: str, path: str) -> bytes:
    """A recorded file by its absolute path."""
    return (FIXTURES / moment / "root" / path.lstrip("/")).read_bytes()


def runs(*ranges: tuple[int, int]) -> Runs:
    """Runs of `(start, end)` pairs, which must ascend."""
    pairs = np.array(ranges, np.uint64).reshape(-1, 2)
    return Runs(pairs[:, 0].copy(), pairs[:, 1].copy())


def preserved_map(blocks: list[tuple[int, int]], page_size: int = 4096) -> PreservedMap:
    """The map of `(address, order)` blocks."""
    by_order = {
        order: runs(*_joined([_extent(block, page_size) for block in blocks if block[1] == order]))
        for order in sorted({order for _, order in blocks})
    }
    everything = runs(*_joined([_extent(block, page_size) for block in blocks]))
    return PreservedMap(MapFormat.RADIX, page_size, 0, runs(), by_order, everything)


def radix_blocks(memory: PageMemory, root: int) -> list[tuple[int, int]]:
    """Every `(address, order)` of a radix tree of 4 KiB pages, walked bit by bit."""
    blocks: list[tuple[int, int]] = []
    pending = [(root, 5, 0)]
    while pending:
        address, level, prefix = pending.pop()
        page = memory.pages[address]
        if level:
            for index, entry in enumerate(struct.unpack("<512Q", page)):
                if entry:
                    pending.append((entry, level - 1, prefix << 9 | index))
            continue
        for bit in range(32768):
            if page[bit >> 3] >> (bit & 7) & 1:
                key = prefix << 15 | bit
                order = 64 - 12 - (key.bit_length() - 1)
                blocks.append((key << (12 + order) & (1 << 64) - 1, order))
    return sorted(blocks)


def _extent(block: tuple[int, int], page_size: int) -> tuple[int, int]:
    return block[0], block[0] + (page_size << block[1])


def _joined(extents: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(extents):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
