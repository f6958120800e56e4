"""The two sides of the series of 2024: one tree, in which producers put their state.

There are no files beside the tree. What is preserved stands in `mem` arrays of its nodes, and for
the next kernel also in an array of its own, the mem cache, which only the boot protocol names.
Whoever needs this imports it when such a machine is seen: most are not.
"""

from dataclasses import replace
from functools import lru_cache

from kho_console.abi import fdt, kho2024, kho2024_node, kho2024_tree, page_flags, runs
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAXIMUM_SIZE
from kho_console.abi.memory import MissingMemory, as_unknown
from kho_console.abi.setup_data import SetupHandover
from kho_console.abi.text import c_string
from kho_console.engine import files
from kho_console.model.blob import Blob, BlobState
from kho_console.model.generation import MapFormat
from kho_console.model.kho2024 import Fate, Kho2024
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.snapshot import Side
from kho_console.model.tree import FlatTree, RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_INLINE = Unknown(Cause.ABSENT, "this tree names no map: memory is listed in its nodes")
_NO_ADDRESS = Unknown(Cause.ABSENT, "no file gives the tree's own address")
_CACHE_LIMIT = 64 << 20
"""Bytes of a mem cache that are read."""

_MOST_LOOKED_AT = 256
"""Ranges of a node whose first pages are looked at to tell what became of them."""


@lru_cache(maxsize=4)
def decoded(content: bytes, page_size: int) -> tuple[FlatTree, Kho2024]:
    """A tree, and what it says; asked for again at every look.

    Raises:
        FormatError: There is no tree.
    """
    flat = fdt.read(content)
    return flat, kho2024.decode(flat, page_size)


def outgoing(source: Source, path: str, page_size: int, no_map: Unknown) -> Side:
    """What goes out: nothing while inactive, and then the file is not there."""
    tree = _tree(source, path, page_size)
    if isinstance(tree, Unknown):
        blobs: Maybe[tuple[Blob, ...]] = () if tree.cause is Cause.ABSENT else tree
        return Side(tree, blobs, no_map)
    return Side(tree, _blobs(tree, page_size), no_map)


def incoming(source: Source, path: str, page_size: int, offered: Maybe[SetupHandover]) -> Side:
    """What came in: the kernel keeps the tree, and consumers take or return the memory."""
    tree = _tree(source, path, page_size)
    if isinstance(tree, Unknown):
        return Side(tree, tree, tree)
    found = tuple(_consumed(source, item) for item in _blobs(tree, page_size))
    return Side(tree, found, _came(source, tree, page_size, offered))


def preserved(tree: Maybe[RootTree], page_size: int) -> Maybe[PreservedMap]:
    """The map that the `mem` arrays of a tree make."""
    if isinstance(tree, Unknown):
        return tree
    try:
        flat, found = decoded(tree.content, page_size)
    except FormatError as error:
        return as_unknown(error)
    if flat.faults:
        reason = f"the tree is damaged, and lists an unknown part: {flat.faults[0].reason}"
        return Unknown(Cause.INVALID, reason, flat.faults[0].offset)
    ranges = (item for mem in found.mem for item in mem.ranges)
    return _map(kho2024_tree.pages_of(ranges, page_size), page_size)


def _tree(source: Source, path: str, page_size: int) -> Maybe[RootTree]:
    content = files.raw(source, path, MAXIMUM_SIZE)
    if isinstance(content, Unknown):
        return content
    try:
        flat, _ = decoded(content, page_size)
    except FormatError as error:
        return Unknown(Cause.INVALID, f"{path}: {error.reason}", error.offset)
    word = flat.root.value(b"compatible")
    return RootTree(
        flat=flat,
        content=content[: flat.totalsize],
        window=len(content),
        compatible=Unknown(Cause.INVALID, "no compatible") if word is None else c_string(word),
        map_address=_INLINE,
        pointers=(),
        address=_NO_ADDRESS,
    )


def _blobs(tree: RootTree, page_size: int) -> tuple[Blob, ...]:
    return kho2024_node.blobs(*decoded(tree.content, page_size))


def _came(
    source: Source, tree: RootTree, page_size: int, offered: Maybe[SetupHandover]
) -> Maybe[PreservedMap]:
    """The map by the mem cache, which is what the kernel went by; else by the tree."""
    cache = None if isinstance(offered, Unknown) else offered.memory
    if cache is not None and 0 < cache.size <= _CACHE_LIMIT:
        try:
            records = kho2024_tree.read_mem_cache(source.memory.read(cache.start, cache.size))
            structure = kho2024_tree.pages_of((cache,), page_size)
            pages = kho2024_tree.pages_of((item for item in records if item.size), page_size)
            return _map(pages, page_size, cache.start, structure)
        except (FormatError, MissingMemory):
            # The segment belongs to scratch and is free memory once the kernel has read it.
            pass
    return preserved(tree, page_size)


def _map(pages: Runs, page_size: int, root: int = 0, structure: Runs | None = None) -> PreservedMap:
    """A map without orders: its records are any number of pages."""
    by_order = {0: pages} if len(pages) else {}
    return PreservedMap(
        MapFormat.MEM_ARRAYS, page_size, root, structure or runs.empty(), by_order, pages
    )


def _consumed(source: Source, blob: Blob) -> Blob:
    """What became of the memory of a node, as the flags of its pages tell it."""
    payload = blob.payload
    if not isinstance(payload, Kho2024):
        return blob
    ranges = [item for mem in payload.mem for item in mem.ranges][:_MOST_LOOKED_AT]
    ranges = [item for item in ranges if item.size]
    flags = [_flags(source, item) for item in ranges]
    known = [item for item in flags if item is not None]
    if not known or len(known) < len(flags):
        return blob
    fates = tuple(map(_fate, known))
    blob = replace(blob, payload=replace(payload, fates=tuple(zip(ranges, fates, strict=True))))
    told = ", ".join(f"{fates.count(fate)} {fate}" for fate in Fate)
    words = f"of {len(known)} ranges {told}"
    if set(fates) == {Fate.RETURNED}:
        return replace(blob, state=BlobState.STALE, reason=f"released by the kernel; {words}")
    return replace(blob, reason=words)


def _fate(flags: int) -> Fate:
    if page_flags.reserved(flags):
        return Fate.WAITING
    return Fate.RETURNED if page_flags.free(flags) else Fate.CLAIMED


def _flags(source: Source, item: MemoryRange) -> int | None:
    found = source.page_flags(item.start)
    return None if isinstance(found, Unknown) else found
