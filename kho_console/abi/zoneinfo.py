"""`/proc/zoneinfo`: the zones of each NUMA node, in pages.

A zone begins with `Node N, zone NAME`; numbers follow as `NAME VALUE`, indented, and its first
page frame as `start_pfn:` at its end (mm/vmstat.c, 6.16 to 7.3). A zone without pages has its
sizes only. `cma` and `nr_free_cma` are there on kernels built with CONFIG_CMA.
"""

import re
from collections.abc import Mapping

from kho_console.abi.error import FormatError
from kho_console.model.value import dataclass

_HEAD = re.compile(rb"Node (\d{1,9}), zone +(\S{1,32})")
_NUMBER = re.compile(rb" +(spanned|managed|cma|nr_free_cma|start_pfn):? +(\d{1,18})")

_MOST_ZONES = 6 * 1024
"""A kernel has at most 1,024 nodes of at most 6 zones."""


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """One zone: its node, its name, and the numbers that were there, in pages."""

    node: int
    name: bytes
    numbers: Mapping[str, int]


def parse(text: bytes) -> tuple[ZoneRecord, ...]:
    """All zones in their order. Lines of other numbers are passed over.

    Raises:
        FormatError: A line begins a zone and does not say which, or there are too many zones.
    """
    zones: list[ZoneRecord] = []
    numbers: dict[str, int] = {}
    offset = 0
    for line in text.split(b"\n"):
        if line.startswith(b"Node "):
            head = _HEAD.fullmatch(line)
            if head is None:
                raise FormatError(offset, "zoneinfo line begins no zone")
            if len(zones) == _MOST_ZONES:
                raise FormatError(offset, f"more than {_MOST_ZONES} zones")
            numbers = {}
            zones.append(ZoneRecord(int(head[1]), head[2], numbers))
        elif (found := _NUMBER.fullmatch(line)) is not None:
            numbers[found[1].decode()] = int(found[2])
        offset += len(line) + 1
    return tuple(zones)
