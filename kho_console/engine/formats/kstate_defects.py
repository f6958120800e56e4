"""What the kernels that were posted make of a stream, and nobody meant: see `twin.kstate`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from kho_console.abi.kstate import encode
from kho_console.abi.kstate.description import KS, Custom, Description, Registry
from kho_console.abi.kstate.stream import Walk
from kho_console.abi.kstate.v3 import reserve_mem_instance, runs_over
from kho_console.abi.reader import Reader
from kho_console.engine.findings.words import count, size
from kho_console.model.finding import Severity
from kho_console.model.kstate import DecodedEntry, KstateVersion, StateValue
from kho_console.model.unknown import Unknown

Said: TypeAlias = tuple[str, Severity, str]
"""The id of a finding, how bad it is, and what it says."""

SMALL = 4000
"""Bytes of an entry that always finds room in a folio that grew by one order."""

_V1_SEGMENT = 8 << 20
_PAGE = 4096
_PAGES_START, _PAGE_RECORD = 4, 9
_RESERVED_MEM = 5


def telling(registry: Registry, description: Description) -> bool:
    """Whether `of_entry` may have anything to say of small entries of that description."""
    named = registry.version is KstateVersion.V3 and description.id == _RESERVED_MEM
    fields = description.fields
    odd = any(item.flags & KS.END or item.custom is Custom.PAGES for item in fields)
    return named or odd or registry.counted(description)


def of_entry(registry: Registry, description: Description, found: DecodedEntry) -> Iterator[Said]:
    """What kernels make of an entry."""
    for field in description.fields:
        if KS.END in field.flags and field.flags != KS.END:
            said = f"{field.name} has flags besides KS_END: the kernel compares, and runs on"
            yield "kstate-end-is-compared", Severity.WARNING, said
    if registry.counted(description):
        said = "how many elements it has is not in the stream: the next kernel counts again"
        yield "kstate-counted-again", Severity.INFO, said
    if registry.version is KstateVersion.V3:
        yield from _of_v3(registry, description, found)
    else:
        yield from _of_pages(registry.version, description, found)


def of_stream(version: KstateVersion, walk: Walk, reader: Reader) -> Iterator[Said]:
    """What kernels make of a stream, when it has been walked over."""
    if version is KstateVersion.V1 and walk.end > _V1_SEGMENT:
        said = f"{size(walk.end)}: v1 saves into 8 MiB and checks no bounds"
        yield "kstate-v1-no-bounds", Severity.ERROR, said
    if version is KstateVersion.V3 and walk.end > _PAGE:
        said = (
            "larger than a page: the posted series goes on writing to the folio it has freed "
            "when the stream grows"
        )
        yield "kstate-v3-growth", Severity.WARNING, said
    empty = walk.terminated and walk.end == version.start + 4
    if version is KstateVersion.V3 and empty and reader.read(walk.end, 4) == bytes(4):
        said = "empty: the kernel takes stale bytes behind its end mark for a state id of 0"
        yield "kstate-v3-stale-id", Severity.WARNING, said
    head = reader.read(walk.end, version.header)
    if walk.terminated or walk.end < version.start or len(head) < version.header:
        return
    if int.from_bytes(head[-4:], "little", signed=True) < 0:
        said = f"at 0x{walk.end:x}: kernels go by a size below zero, back to where they have been"
        yield "kstate-led-back", Severity.ERROR, said
    # A first state id of 0 is what all but v1 look for.
    elif not any(head) and (version is KstateVersion.V1 or walk.end > version.start):
        said = f"at 0x{walk.end:x}: kernels go on over zeros, header by header, without an end"
        yield "kstate-endless-zeros", Severity.ERROR, said


def _of_v3(registry: Registry, description: Description, found: DecodedEntry) -> Iterator[Said]:
    entry, fields = found.entry, found.fields
    if isinstance(fields, Unknown) or entry.version_id != description.version_id:
        return
    name = fields.get("name") if description.id == _RESERVED_MEM else None
    if isinstance(name, bytes) and {"start", "size"} <= fields.keys():
        instance = reserve_mem_instance(name)
        if instance != entry.instance_id:
            said = (
                f"its name makes instance {instance}, this is {entry.instance_id}: kernels hash "
                "what lies behind a name too, and a look-up may miss it"
            )
            yield "kstate-v3-name", Severity.WARNING, said
    if entry.size > SMALL:
        try:
            pieces = encode.writes(registry, description, fields)
        except ValueError:
            return
        if runs_over(entry.offset, pieces):
            said = "a field is larger than one order that the folio grows by: it is written beyond"
            yield "kstate-v3-one-order", Severity.WARNING, said


def _of_pages(
    version: KstateVersion, description: Description, found: DecodedEntry
) -> Iterator[Said]:
    """What becomes of preserved pages."""
    if [item.custom for item in description.fields] == [None, Custom.PAGES]:
        yield from _stale(found)
    pages = {} if isinstance(found.fields, Unknown) else found.fields
    many = pages.get("pages")
    listed = many if isinstance(many, list) else []
    records = [item for item in listed if isinstance(item, Mapping)]
    if records and version is KstateVersion.V2:
        said = (
            f"{count(len(records), 'page')} preserved: v2 takes frame numbers for addresses "
            "and may place the image on them"
        )
        yield "kstate-v2-unprotected", Severity.WARNING, said
    large = [item for item in records if _number(item, "order") > 1]
    if large:
        said = (
            f"{count(len(large), 'page')} of order 2 and more: the kernel reads the order as "
            "a truth value and keeps two pages of each"
        )
        yield "kstate-order-is-bool", Severity.WARNING, said
    times = Counter(_number(item, "address") for item in records)
    double = sum(number > 1 for number in times.values())
    if double:
        said = f"{count(double, 'page')} registered more than once: nothing clears the list"
        yield "kstate-page-twice", Severity.WARNING, said


def _stale(found: DecodedEntry) -> Iterator[Said]:
    """A list of pages with fewer records than it counts, as a second generation leaves it."""
    if isinstance(found.content, Unknown) or len(found.content) < _PAGES_START:
        return
    counted = int.from_bytes(found.content[:_PAGES_START], "little")
    there, rest = divmod(found.entry.size - _PAGES_START, _PAGE_RECORD)
    if not rest and counted > there:
        said = (
            f"{count(counted, 'page')} counted, {there} there: a kernel that was itself handed "
            "pages saves their count without them, and the next one reads on behind the list"
        )
        yield "kstate-stale-count", Severity.ERROR, said


def _number(item: Mapping[str, StateValue], key: str) -> int:
    value = item.get(key)
    return value if isinstance(value, int) else 0
