"""Machines of kernel releases that no recording shows, put together from the documented formats.

Trees are made by libfdt in the kernel's order and maps laid out by hand, so that nothing the
console writes is read back by the console.
"""

import itertools
import struct
from pathlib import Path

from tests.abi import kernel_trees
from tests.abi.kernel_maps import bitmap, blocks_of, chunk, radix_pages
from tests.abi.kernel_trees import u64
from tests.fixture_folder import KHO, FixtureFolder

MIB = 1 << 20
GIB = 1 << 30
RESERVED = 0x3FFD5000  # a reserve_mem region of 12 KiB: one block of order 0 and one of order 1


def metadata(release: str, count: int) -> bytes:
    return struct.pack("<I65sI", 1, release.encode(), count)


def luo_v1(*, flb: bool = False) -> bytes:
    """The outgoing LUO tree of 6.19, and of 7.0 and 7.1 with its FLB node."""
    nodes = [("luo-session", [("compatible", b"luo-session-v2\0"), ("luo-session-header", u64(0))])]
    if flb:
        nodes.append(("luo-flb", [("compatible", b"luo-flb-v1\0"), ("luo-flb-header", u64(0))]))
    return kernel_trees.sequential(
        [("compatible", b"luo-v1\0"), ("liveupdate-number", u64(1))], nodes
    )


def linux_6_17(place: Path, *, state: str = "1\n") -> FixtureFolder:
    """Finalized, with 512-byte bitmaps from the slab, four of them in one page."""
    folder = FixtureFolder(place, "6.17.8")
    memblock = kernel_trees.memblock([("trace", RESERVED, 0x3000)])
    tree = kernel_trees.sequential(
        [("compatible", b"kho-v1\0"), ("preserved-memory-map", u64(0x901000))],
        [("memblock", [("fdt", u64(0x82E000))])],
    )
    folder.scratch([(0x10000000, 16 * MIB), (0x12000000, 0), (0x14000000, 32 * MIB)])
    folder.file("/sys/devices/system/node/online", "0\n")
    folder.ram((0, GIB))
    folder.file(f"{KHO}/out/finalize", state)
    folder.file(f"{KHO}/out/fdt", tree)
    folder.file(f"{KHO}/out/sub_fdts/memblock", memblock)
    folder.pages(
        {
            0x82E000: memblock,
            0x900000: bitmap(512, 2094) + bitmap(512, 0) + bitmap(512, 4053) + bitmap(512, 4075),
            0x901000: chunk(
                0x902000,
                0,
                [(0, 0x900000), (0x7000000, 0x900200), (0x3F000000, 0x900400)],
                4096,
            ),
            0x902000: chunk(0, 1, [(0x3E000000, 0x900600)], 4096),
            0x7000000: tree,
        }
    )
    return folder


def linux_6_19(place: Path, *, finalized: bool) -> FixtureFolder:
    """Live update on: a window of 152 bytes on a tree of 220, whose map is 0 until finalize."""
    folder = FixtureFolder(place, "6.19.11")
    tree = kernel_trees.root("kho-v1", 0x901000 if finalized else 0)
    tree = kernel_trees.with_fdt(tree, "LUO", 0x5FD1000)
    tree = kernel_trees.with_fdt(tree, "memblock", 0x5FD0000)
    assert len(tree) == 220
    memblock = kernel_trees.memblock([("trace", RESERVED, 0x3000)])
    folder.scratch([(0x10000000, 16 * MIB), (0x12000000, 0), (0x14000000, 32 * MIB)])
    folder.file("/sys/devices/system/node/has_memory", "0\n")
    folder.ram((0, GIB))
    folder.file("/sys/kernel/kexec/loaded", "0\n")
    folder.file("/sys/kernel/kexec_loaded", "0\n")
    folder.file(f"{KHO}/out/finalize", "1\n" if finalized else "0\n")
    folder.file(f"{KHO}/out/fdt", tree[:152])
    folder.file(f"{KHO}/out/sub_fdts/memblock", memblock)
    folder.file(f"{KHO}/out/sub_fdts/LUO", luo_v1())
    folder.session(70, 5, "vm-one")
    pages = {0x5FD0000: memblock, 0x5FD1000: luo_v1(), 0x5FD2000: tree}
    if finalized:
        pages |= {
            0x901000: chunk(0x902000, 0, [(0, 0x903000), (0x38000000, 0x904000)], 4096),
            0x902000: chunk(0, 1, [(0x30000000, 0x905000)], 4096),
            0x903000: bitmap(4096, 0x5FD0, 0x5FD1, 0x5FD2),
            0x904000: bitmap(4096, 0x7FD5),
            0x905000: bitmap(4096, 0x7FEB),
        }
    folder.pages(pages)
    return folder


def stateless(
    place: Path,
    release: str,
    *,
    word: str = "kho-v4",
    page_size: int = 4096,
    machine: str = "x86_64",
    areas: str = "scratch",
) -> FixtureFolder:
    """7.2 and later: no finalize, a radix tree, a window of 233 bytes on a tree of 345."""
    folder = FixtureFolder(place, release, machine=machine, page_size=page_size)
    region = 0x30000000, 3 * page_size
    blobs = {
        "kexec-metadata": (page_size * 0x100, metadata(release, 1)),
        "LUO": (page_size * 0x101, b"luo-v5\0\0" + struct.pack("<3Q", 1, 0, 0)),
        "memblock": (page_size * 0x102, kernel_trees.memblock([("trace", *region)])),
    }
    own = page_size * 0x103
    blocks = [(address, 0) for address, _ in blobs.values()]
    blocks += [(own, 0), *blocks_of(*region, page_size)]
    places = itertools.count(page_size * 0x400, page_size)
    head, nodes = radix_pages(blocks, page_size, places)
    tree = kernel_trees.root(word, head)
    for name, (address, content) in blobs.items():
        tree = kernel_trees.with_blob(tree, name, address, len(content))
        folder.file(f"{KHO}/out/sub_fdts/{name}", content)
    folder.scratch([(0x10000000, 16 * MIB), (0x12000000, 0), (0x14000000, 32 * MIB)], areas)
    folder.file("/sys/devices/system/node/has_memory", "0\n")
    folder.ram((0, GIB))
    folder.file(f"{KHO}/out/fdt", tree[:233])
    folder.pages(nodes | {own: tree} | dict(blobs.values()))
    return folder


def series_v6(place: Path) -> FixtureFolder:
    """The v6 series of 2025: kho-v1 without a map."""
    folder = FixtureFolder(place, "6.14.0-rc6-kho")
    tree = kernel_trees.sequential(
        [("compatible", b"kho-v1\0")], [("memblock", [("fdt", u64(0x82E000))])]
    )
    folder.scratch([(0x10000000, 16 * MIB), (0x12000000, 16 * MIB), (0x14000000, 32 * MIB)])
    folder.file("/sys/devices/system/node/online", "0\n")
    folder.file(f"{KHO}/out/finalize", "1\n")
    folder.file(f"{KHO}/out/fdt", tree)
    folder.file(f"{KHO}/out/sub_fdts/memblock", kernel_trees.memblock([]))
    return folder


def series_2024(place: Path, *, active: bool) -> FixtureFolder:
    """The v3 series of January 2024: sysfs files and one scratch area."""
    folder = FixtureFolder(place, "6.7.0-kho")
    folder.file("/sys/kernel/kho/active", f"{active:d}\n")
    folder.file("/sys/kernel/kho/dt_max", "0xa00000\n")
    folder.file("/sys/kernel/kho/scratch_phys", "0x100000000\n")
    folder.file("/sys/kernel/kho/scratch_len", "0x10000000\n")
    if active:
        records = struct.pack("<4Q", 0x20000000, 2 * MIB, 0x30000800, 0x1000)
        guest = [("compatible", b"acme,guest-v1\0"), ("mem", records)]
        tree = kernel_trees.sequential([("compatible", b"kho-v1\0")], [("guest", guest)])
        folder.file("/sys/kernel/kho/dt", tree)
    return folder


def arm64(place: Path) -> FixtureFolder:
    """7.3 on arm64 with pages of 64 KiB, started by a handover that it refused."""
    folder = stateless(place, "7.3.4", page_size=65536, machine="aarch64")
    base = "/sys/firmware/devicetree/base"
    folder.file(f"{base}/#address-cells", struct.pack(">I", 2))
    folder.file(f"{base}/#size-cells", struct.pack(">I", 2))
    folder.file(f"{base}/chosen/linux,kho-fdt", struct.pack(">QQ", 0x8000000, 65536))
    folder.file(f"{base}/chosen/linux,kho-scratch", struct.pack(">QQ", 0x10FF0000, 48))
    return folder
