"""Who hands memory on inside the kernel: memblock, kexec-metadata, the kernel's own test."""

import errno
import zlib

from kho_console.abi import fdt, kexec_metadata, kho_test, memblock, vmalloc
from kho_console.abi.native import U32, number, string
from kho_console.model.blob import KexecMetadata, MemblockTree, ReservedRegion
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import Property, TreeNode
from kho_console.twin.handover import Handover
from kho_console.twin.refused import Refused
from kho_console.twin.vmalloc_area import preserve_bytes

_REGION = b"reserve-mem-v1"
_TEST_MAGIC = 0x4B484F21
_INLINE = "6.17"
"""The last release whose test lists its folios in its tree."""


class Memblock:
    """The `reserve_mem` regions (mm/memblock.c)."""

    def __init__(self, handover: Handover, regions: tuple[ReservedRegion, ...], page: int) -> None:
        """Hand on `regions`, described in the tree at `page`."""
        self._regions = regions
        self._page = page
        tree = memblock.encode(MemblockTree(memblock.COMPATIBLE, regions))
        self._size = len(tree)
        handover.hardware.memory.write(page, tree)

    def register(self, handover: Handover) -> None:
        """Preserve the regions and the tree, and add the blob.

        Raises:
            Refused: EINVAL for a region of odd start or size on 6.16 and 6.17; others.
        """
        page_size = handover.hardware.page_size
        for region in self._regions:
            if handover.row.unaligned_region_fails and (region.start | region.size) % page_size:
                raise Refused(errno.EINVAL, f"{region.name!r} is no whole pages")
            start, size = region.start & -page_size, region.size & -page_size
            if size:
                handover.preserver.range(MemoryRange(start, size))
        handover.preserver.folio(self._page, 0)
        handover.add(memblock.NAME, self._page, self._size)


def add_metadata(handover: Handover, release: bytes, count: int) -> None:
    """Register `kexec-metadata` (7.1 and later): this release, and the next kernel's count."""
    page = handover.allocator.pages()
    blob = kexec_metadata.encode(KexecMetadata(kexec_metadata.VERSION, release[:64], count))
    handover.hardware.memory.write(page, blob)
    handover.preserver.folio(page, 0)
    handover.add(kexec_metadata.NAME, page, len(blob))


def add_test(handover: Handover, orders: tuple[int, ...]) -> None:
    """What the kernel's test module does (lib/test_kho.c): a folio of each order, and its tree.

    Raises:
        Refused: ENOMEM, EBUSY, EEXIST.
    """
    folios = []
    checksum = 0
    for order in orders:
        address = handover.allocator.block(order)
        data = b"%d" % order
        handover.hardware.memory.write(address, data)
        content = handover.hardware.memory.read(address, handover.hardware.page_size << order)
        checksum = zlib.crc32(content, checksum)
        handover.preserver.folio(address, order)
        folios.append(address | order)
    listed = b"".join(item.to_bytes(8, "little") for item in folios)
    info = listed if handover.row.name == _INLINE else vmalloc_of(handover, listed)
    data_node = TreeNode(
        b"data",
        (
            number(b"nr_folios", len(folios), U32),
            number(b"csum", checksum, U32),
            Property(b"folios_info", info, 0),
        ),
    )
    tree = fdt.write_sequential(
        TreeNode(
            b"",
            (string(b"compatible", kho_test.COMPATIBLE), number(b"magic", _TEST_MAGIC, U32)),
            (data_node,),
        )
    )
    page = handover.allocator.pages()
    handover.hardware.memory.write(page, tree)
    handover.preserver.folio(page, 0)
    handover.add(kho_test.NAME, page, len(tree))


def vmalloc_of(handover: Handover, content: bytes) -> bytes:
    """A preserved vmalloc area with `content`, as its descriptor."""
    descriptor, _ = preserve_bytes(handover, content)
    assert len(descriptor) == vmalloc.DESCRIPTOR_SIZE
    return descriptor
