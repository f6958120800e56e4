"""What each kernel release does: one row a release, the only place where releases differ.

Every field names where the fact was read. Files of the kernel: kernel/kexec_handover.c (6.16 to
6.18), kernel/liveupdate/kexec_handover.c, kexec_handover_debugfs.c, luo_core.c, luo_session.c and
luo_file.c (6.19 and later), mm/memblock.c, mm/memfd_luo.c, kernel/kexec_file.c. 6.16 is known as of
its first release candidate, 7.0 by its ABI header and its behaviour. The v6 series of 2025 was
posted and never merged, and so was the series of 2024 (kernel/kexec_kho_out.c, kexec_kho_in.c).
"""

import errno
import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from kho_console.abi.scratch_request import ScratchRules
from kho_console.model.generation import Finalize, MapFormat
from kho_console.model.value import dataclass


class Rounding(StrEnum):
    """Which scratch sizes are rounded up, and to what (kho_reserve_scratch)."""

    SCALED_AND_NODES = "percentages and node areas, to the CMA minimum"
    ALL = "all, to the CMA minimum"
    MAX_ORDER = "all, to the largest order of the page allocator, addresses too"


@dataclass(frozen=True, slots=True)
class Release:
    """One kernel's behaviour.

    Attributes:
        name: Major and minor number, as `6.19`.
        word: Its root tree's compatible; None for a kernel without KHO.
        map: How it writes preserved memory down; None for the v6 series, which writes none.
        finalize: The kind of its finalize step (kho_out_finalize_set).
        open_to_open: What writing 0 while open answers.
        zero_map_refused: Whether a root tree with map address 0 is refused with ENOENT.
        attach_needs_finalize: Whether an image carries the handover only if it is finalized when
            the image is loaded (kho_fill_kimage, 6.17 and 6.18).
        takes_over: Whether it has the receiving side.
        scratch_rules: How `kho_scratch=` is read.
        rounding: Which scratch sizes are rounded.
        area_of_each_online_node: Whether a node without memory wants an area too, and fails.
        unaligned_region_fails: Whether finalize fails on a `reserve_mem` of odd start or size.
        luo: Its LUO blob's word; None before 6.19.
        flb: Whether its LUO blob has, and wants, a place for FLB records.
        sessions_checked: Whether empty or unterminated names and calls of the wrong direction are
            refused.
        same_inode_refused: Whether one inode can be preserved only once.
        memfd: Version of its memfd records.
        names_told: Whether a session tells its name (GET_NAME).
        metadata: Whether it hands over `kexec-metadata`.
        kexec_folder: Whether /sys/kernel/kexec is there.
        load_flags: Flags of kexec_file_load that it knows.
    """

    name: str
    word: bytes | None
    map: MapFormat | None = None
    finalize: Finalize = Finalize.NONE
    open_to_open: int = 0
    zero_map_refused: bool = False
    attach_needs_finalize: bool = False
    takes_over: bool = True
    scratch_rules: ScratchRules = ScratchRules.NONZERO
    rounding: Rounding = Rounding.SCALED_AND_NODES
    area_of_each_online_node: bool = True
    unaligned_region_fails: bool = False
    luo: bytes | None = None
    flb: bool = False
    sessions_checked: bool = False
    same_inode_refused: bool = False
    memfd: int = 1
    names_told: bool = False
    metadata: bool = False
    kexec_folder: bool = False
    load_flags: int = 0xF

    @property
    def reversible(self) -> bool:
        """6.16 to 6.18 and the v6 series: the tree exists while finalized only."""
        return self.finalize is Finalize.REVERSIBLE

    @property
    def inline(self) -> bool:
        """The series of 2024: all state in one tree, which an image takes a copy of."""
        return self.finalize is Finalize.ACTIVE_FILE

    @property
    def stateless(self) -> bool:
        """7.1 and later: always current, no finalize file."""
        return self.finalize is Finalize.NONE

    @property
    def sized_blobs(self) -> bool:
        """Whether nodes of the root tree carry `preserved-data` and `blob-size` (7.1)."""
        return self.stateless

    @property
    def luo_struct(self) -> bool:
        """Whether LUO hands over a struct and block lists, and frees its header at boot (7.2)."""
        return self.luo is not None and self.luo != b"luo-v1"


_2024 = Release(
    "2024-rfc",
    b"kho-v1",
    map=MapFormat.MEM_ARRAYS,
    finalize=Finalize.ACTIVE_FILE,
    attach_needs_finalize=True,
    scratch_rules=ScratchRules.SINGLE,
    area_of_each_online_node=False,
)
_V6 = Release(
    "v6",
    b"kho-v1",
    finalize=Finalize.REVERSIBLE,
    open_to_open=errno.ENOENT,
    takes_over=False,
    unaligned_region_fails=True,
)
_6_16 = replace(_V6, name="6.16", map=MapFormat.CHUNKS_512, takes_over=True)
_6_17 = replace(_6_16, name="6.17", attach_needs_finalize=True, load_flags=0x1F)
_6_18 = replace(
    _6_17,
    name="6.18",
    map=MapFormat.CHUNKS_PAGE,
    scratch_rules=ScratchRules.ZERO_ALLOWED,
    unaligned_region_fails=False,
    load_flags=0x3F,
)
_6_19 = replace(
    _6_18,
    name="6.19",
    finalize=Finalize.LATCHING,
    open_to_open=errno.EINVAL,
    zero_map_refused=True,
    attach_needs_finalize=False,
    area_of_each_online_node=False,
    luo=b"luo-v1",
    kexec_folder=True,
)
_7_0 = replace(_6_19, name="7.0", flb=True, sessions_checked=True)
_7_1 = replace(
    _7_0,
    name="7.1",
    word=b"kho-v3",
    map=MapFormat.RADIX,
    finalize=Finalize.NONE,
    open_to_open=0,
    zero_map_refused=False,
    rounding=Rounding.ALL,
    same_inode_refused=True,
    memfd=2,
    metadata=True,
)
_7_2 = replace(
    _7_1,
    name="7.2",
    word=b"kho-v4",
    rounding=Rounding.MAX_ORDER,
    luo=b"luo-v5",
    names_told=True,
)
_7_3 = replace(_7_2, name="7.3")

RELEASES: Mapping[str, Release] = {
    row.name: row for row in (_2024, _V6, _6_16, _6_17, _6_18, _6_19, _7_0, _7_1, _7_2, _7_3)
}
"""All rows, oldest first."""

_NEWEST = (7, 3)
_FIRST_V6 = (6, 13)
"""Kernels before it that speak KHO are of the series of 2024; those after it of v6."""

_NUMBER = re.compile(r"(\d{1,4})\.(\d{1,4})")


def release_of(text: str) -> Release | None:
    """The row of a release such as `7.3.4`; None where how it behaves is not known.

    A kernel before 6.16 has no handover; it gets a row without a word.
    """
    if text in RELEASES:
        return RELEASES[text]
    found = _NUMBER.match(text)
    if found is None:
        return None
    number = int(found[1]), int(found[2])
    if number > _NEWEST:
        return None
    return RELEASES.get(f"{number[0]}.{number[1]}", without_handover(text))


def without_handover(name: str) -> Release:
    """A kernel that has no KHO, whatever its age."""
    return Release(name, None, takes_over=False)


def with_words(row: Release, kho: bytes | None, luo: bytes | None, memfd: int | None) -> Release:
    """The row as an image's own strings correct it: a kernel speaks what is in it."""
    if kho is None:
        return without_handover(row.name)
    if row.word is None and kho == _2024.word:
        return _patched(row.name)
    return replace(row, word=kho, luo=luo, memfd=memfd or row.memfd)


def _patched(name: str) -> Release:
    """A kernel before 6.16 that carries one of the two series that were posted."""
    found = _NUMBER.match(name)
    early = found is not None and (int(found[1]), int(found[2])) < _FIRST_V6
    return replace(_2024 if early else _V6, name=name)
