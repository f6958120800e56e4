"""The region list of v2 and v3: what the next kernel reserves before it does anything else.

255 regions a page, ascending and merged. The first page names the last one that has regions; the
pages that were allocated too many follow in the chain.
"""

from collections.abc import Iterable

from kho_console.abi import runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.pkram import layout
from kho_console.abi.pkram.chain import Frames, pages
from kho_console.abi.pkram.layout import LIST_REGIONS, PAGE, SHIFT, SuperBlock
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import Fault

_PREV, _NEXT = 0, 1


def read(
    memory: PhysicalMemory, block: SuperBlock, frames: Frames
) -> tuple[tuple[MemoryRange, ...], tuple[Fault, ...]]:
    """The regions of a super block, and what is wrong with them."""
    found: list[MemoryRange] = []
    faults: list[Fault] = []
    first: int | None = None
    last = 0
    try:
        for pfns, words in pages(memory, block.region_list_pfn, frames, "region list", _NEXT):
            for pfn, row in zip(pfns, words.tolist(), strict=True):
                taken = _regions(row)
                first = row[_PREV] if first is None else first
                last = pfn if taken or not last else last
                found += taken
    except FormatError as error:
        faults.append(Fault(error.offset, error.reason))
    except MissingMemory as error:
        faults.append(Fault(error.address, error.reason))
    top = block.region_list_pfn << SHIFT
    if found and first is not None and first != last:
        wrong = f"the first page of the region list names 0x{first:x} as the last, not 0x{last:x}"
        faults.append(Fault(top, wrong))
    if len(found) != block.nr_regions:
        wrong = f"{len(found)} regions, the super block says {block.nr_regions}"
        faults.append(Fault(top, wrong))
    faults += _wrong(found)
    return tuple(found), tuple(faults)


def estimate(count: int) -> int:
    """How many pages the kernel allocates for the list of `count` regions: it counts once."""
    return -(-(count + -(-count // LIST_REGIONS)) // LIST_REGIONS)


def write(ranges: Iterable[tuple[int, int]], frames: list[int]) -> tuple[int, dict[int, bytes]]:
    """The pages of a list, by their frames, and how many regions are in it.

    Args:
        ranges: Start and end of all that is preserved; the list's own pages are added.
        frames: Its pages, as `estimate` counted them; what does not fit is left out.
    """
    own = ((pfn << SHIFT, (pfn << SHIFT) + PAGE) for pfn in frames)
    regions = [(start, end - start) for start, end in runs.of_ranges((*ranges, *own)).pairs()]
    regions = regions[: len(frames) * LIST_REGIONS]
    used = -(-len(regions) // LIST_REGIONS)
    written: dict[int, bytes] = {}
    for at, pfn in enumerate(frames):
        prev = frames[at - 1] if at else frames[max(used - 1, 0)]
        following = frames[at + 1] if at + 1 < len(frames) else 0
        here = regions[at * LIST_REGIONS : (at + 1) * LIST_REGIONS]
        written[pfn] = layout.write_regions(prev, following, here)
    return len(regions), written


def cover(found: Iterable[MemoryRange]) -> Runs:
    """The memory of regions; what makes no sense is left out."""
    return runs.of_ranges((item.start, item.end) for item in found if item.end <= 1 << 64)


def _regions(row: list[int]) -> list[MemoryRange]:
    found: list[MemoryRange] = []
    for base, size in zip(row[2::2], row[3::2], strict=True):
        if not size:
            break
        found.append(MemoryRange(base, size))
    return found


def _wrong(found: list[MemoryRange]) -> list[Fault]:
    faults: list[Fault] = []
    before = -1
    for item in found:
        if item.start % PAGE or item.size % PAGE:
            faults.append(Fault(item.start, "a region of no whole pages"))
        elif item.start <= before:
            what = "touches the one before it" if item.start == before else "is out of order"
            faults.append(Fault(item.start, f"a region {what}"))
        before = max(before, item.end)
        if len(faults) >= LIST_REGIONS:
            break
    return faults
