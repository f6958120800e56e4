"""Blobs: what a producer hands over, named by a node of the root tree."""

from enum import StrEnum

from kho_console.model.kho2024 import Kho2024
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


class BlobState(StrEnum):
    """What can be said of a blob's content."""

    VALID = "valid"
    STALE = "stale"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Field:
    """A decoded field of a blob.

    Attributes:
        path: Where it belongs, for example `/oops/start` or `kexec_count`.
        offset: Byte offset inside the blob.
        size: Bytes it takes on the wire.
        value: The value; bytes where it is text.
        meaning: `address`, `bytes`, `count`, `text`, `flags` or empty, for the faces' formatting.
    """

    path: str
    offset: int
    size: int
    value: int | bytes
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ReservedRegion:
    """A `reserve_mem` region of the `memblock` blob. Physical address and bytes."""

    name: bytes
    compatible: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class MemblockTree:
    """The `memblock` blob: one region per `reserve_mem` (mm/memblock.c, 6.16 to 7.3)."""

    compatible: bytes
    regions: tuple[ReservedRegion, ...]


@dataclass(frozen=True, slots=True)
class KexecMetadata:
    """The `kexec-metadata` blob (include/linux/kho/abi/kexec_metadata.h, 7.1 to 7.3)."""

    version: int
    previous_release: Maybe[bytes]
    kexec_count: Maybe[int]


@dataclass(frozen=True, slots=True)
class LuoHeader:
    """The `LUO` blob: `luo-v1` tree (6.19 to 7.1) or `luo-v5` struct (7.2 and later).

    Addresses are physical; 0 stands for none.
    """

    compatible: bytes
    liveupdate_number: int
    sessions: int
    flbs: Maybe[int]
    session_format: str


@dataclass(frozen=True, slots=True)
class KhoTest:
    """The `kho_test` blob (lib/test_kho.c, 6.17 and later).

    Attributes:
        magic: 0x4b484f21 in every release seen.
        folios: Number of folios it preserves.
        checksum: Its own checksum over them.
        inline: `(address, order)` of each folio where the tree lists them (6.17).
        vmalloc: The raw 16-byte descriptor of that list (6.18 and later).
    """

    magic: int
    folios: int
    checksum: int
    inline: tuple[tuple[int, int], ...] | None
    vmalloc: "VmallocDescriptor | None"


@dataclass(frozen=True, slots=True)
class VmallocDescriptor:
    """A preserved vmalloc area (include/linux/kho/abi/kexec_handover.h, 6.18 and later).

    Attributes:
        first: Physical address of the first chunk page, 0 for none.
        total_pages: Size in base pages.
        flags: 1 plain vmalloc, 2 huge mapping allowed.
        order: Each listed block is `page_size << order` bytes.
    """

    first: int
    total_pages: int
    flags: int
    order: int


Payload = MemblockTree | KexecMetadata | LuoHeader | KhoTest | Kho2024 | FlatTree


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob of one side.

    Attributes:
        name: The producer's name for it.
        size: Bytes; of a blob that could not be read, what the root tree says.
        format: `fdt`, `luo-v5`, `kexec-metadata` or `unknown`.
        compatible: Its own compatible word where it has one.
        state: Whether the content can be trusted.
        reason: Why it is stale, invalid, not to be relied on or shown otherwise than it lies; empty
            where there is nothing.
        address: Physical address, from the root tree.
        content: The bytes.
        payload: What they mean; None where no decoder knows them.
        fields: The decoded values in wire order, with their offsets.
    """

    name: bytes
    size: Maybe[int]
    format: str
    compatible: bytes | None
    state: Maybe[BlobState]
    reason: str
    address: Maybe[int]
    content: Maybe[bytes]
    payload: Payload | None
    fields: tuple[Field, ...]
