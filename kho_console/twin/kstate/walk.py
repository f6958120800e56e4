"""The walk over a stream as kernels do it: from header to header, and no size is doubted."""

import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from kho_console.abi.error import FormatError
from kho_console.abi.kstate.stream import END_MARK, Walk
from kho_console.abi.reader import Bytes
from kho_console.model.kstate import KstateEntry, KstateVersion
from kho_console.twin.kstate.defects import Defect, KernelFault

_SOMETHING = re.compile(rb"[^\0]")


def hops(stream: bytes, version: KstateVersion, wanted: tuple[int, int]) -> Iterator[KstateEntry]:
    """The entries that a kernel comes by, from the first of an object on.

    Args:
        stream: The stream.
        version: Its series.
        wanted: State id and instance of the object.

    Raises:
        KernelFault: It never comes to the end mark.
    """
    entries, places, fault = _walked(stream, version)
    yield from islice(entries, places.get(wanted, [len(entries)])[0], None)
    if fault is not None:
        raise KernelFault(fault)


def matches(
    stream: bytes, version: KstateVersion, wanted: tuple[int, int]
) -> Iterator[KstateEntry]:
    """The entries of an object among those that a kernel comes by; see `hops`.

    Raises:
        KernelFault: It never comes to the end mark.
    """
    entries, places, fault = _walked(stream, version)
    yield from (entries[at] for at in places.get(wanted, ()))
    if fault is not None:
        raise KernelFault(fault)


@lru_cache(maxsize=1)
def _walked(
    stream: bytes, version: KstateVersion
) -> tuple[list[KstateEntry], dict[tuple[int, int], list[int]], Defect | None]:
    """The entries, which of them are of each object, and why the walk does not end.

    A kernel walks anew for each object, over a stream that stays as it is.
    """
    entries: list[KstateEntry] = []
    fault = None
    try:
        entries.extend(_all_hops(stream, version))
    except KernelFault as error:
        fault = error.defect
    places: dict[tuple[int, int], list[int]] = {}
    for at, entry in enumerate(entries):
        places.setdefault((entry.state_id, entry.instance_id), []).append(at)
    return entries, places, fault


def _all_hops(stream: bytes, version: KstateVersion) -> Iterator[KstateEntry]:
    head = struct.Struct(f"<{version.header // 4}i")
    at, seen = version.start, set[int]()
    while at < 0 or stream[at : at + 4] != END_MARK:
        if not 0 <= at <= len(stream) - head.size:
            raise KernelFault(Defect.READS_ON)
        if at in seen:
            raise KernelFault(Defect.LED_BACK)
        seen.add(at)
        words = head.unpack_from(stream, at)
        if not any(words):
            at = _behind_zeros(stream, at, head.size)
            continue
        section = words[0] if version.has_sections else None
        number, version_id, instance, size = words[-4:]
        entry = KstateEntry(at, section, number, version_id, instance, size, at + head.size)
        yield entry
        at = entry.end


def checked(stream: bytes, version: KstateVersion) -> Iterator[KstateEntry]:
    """The entries of a stream of which nothing is in doubt.

    Raises:
        FormatError: Its headers do not lead to an end mark, or a kernel would warn of one.
    """
    walk = Walk(Bytes(stream), version)
    found = list(walk.entries())
    for fault in walk.faults:
        raise FormatError(fault.offset, fault.reason)
    return iter(found)


def _behind_zeros(stream: bytes, at: int, step: int) -> int:
    """The first header that is not all zeros, each of which leads to the next.

    Raises:
        KernelFault: There is none.
    """
    found = _SOMETHING.search(stream, at)
    if found is None:
        raise KernelFault(Defect.ENDLESS_ZEROS)
    return at + (found.start() - at) // step * step
