"""Machines of the series of 2024: before and after activation, after the kexec, and hostile ones.

What they show stands in kho-abi sections 1.1 and 6; no kernel was at hand to record.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kho_console.abi import fdt, kho2024, kho2024_tree
from kho_console.abi.native import U32, number, string
from kho_console.model.kho2024 import TraceArray, TraceCpu
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import Property, TreeNode

PAGE = 4096
RELEASE = "6.7.0-kho"
SCRATCH = MemoryRange(0x3800_0000, 64 << 20)
TREE_AT, CACHE_AT = SCRATCH.start + 0x200_0000, SCRATCH.start + 0x210_0000
GUEST = MemoryRange(0x2000_0000, 2 << 20)
ODD = MemoryRange(0x2100_0800, 0x1000)
"""Half a page into one page, and half into the next one."""

KHO, CAME = "sys/kernel/kho", "sys/firmware/kho"
_SLAB, _DATA = 0x1000_0000, 0x1010_0000
_BUDDY, _RESERVED = 1 << 10, 1 << 32
_IOMEM = """\
00100000-3fffffff : System RAM
  01000000-01ffffff : Kernel code
  02000000-025fffff : Kernel data
"""


def buffer(cpu: int, pages: int = 2) -> TraceCpu:
    """A CPU's buffer: descriptors of 0x38 bytes in one page, and the data that they describe."""
    slab, data = _SLAB + cpu * PAGE, _DATA + cpu * pages * PAGE
    return TraceCpu(
        cpu,
        tuple(
            (MemoryRange(slab + at * 64, 0x38), MemoryRange(data + at * PAGE, PAGE))
            for at in range(pages)
        ),
    )


ARRAY = TraceArray(b"global-trace", 0x5700, (buffer(0), buffer(1)))
EVENTS = ((1, 1), (2, 2), (0xC0FFEE, 20))


def guest(*ranges: MemoryRange) -> TreeNode:
    """A producer of somebody's own."""
    kind = string(b"compatible", b"acme,guest-v1")
    return TreeNode(b"guest", (kind, kho2024_tree.mem(ranges)))


TREE = kho2024_tree.root([kho2024_tree.ftrace(EVENTS, [ARRAY]), guest(GUEST, ODD)])


@dataclass(frozen=True)
class Machine:
    """A fixture.

    Attributes:
        about: What it is.
        tree: What stands below `root`.
        pages: Physical memory by address.
        manifest: What its manifest says besides.
    """

    about: str
    tree: dict[str, bytes]
    pages: dict[int, bytes] = field(default_factory=dict)
    manifest: dict[str, object] = field(default_factory=dict)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Its files by their places."""
        manifest = {
            "format": 1,
            "release": RELEASE,
            "machine": "x86_64",
            "page_size": PAGE,
            "captured_at": "2026-11-21T12:00:00Z",
            "hostname": "made",
            "description": f"Made up, by the writers of this console: {self.about}",
        } | self.manifest
        yield "manifest.json", json.dumps(manifest, indent=1).encode() + b"\n"
        for path, content in self.tree.items():
            yield f"root/{path}", content
        for address, content in self.pages.items():
            yield f"physmem/0x{address:x}.bin", content + bytes(-len(content) % PAGE)


def inactive() -> Machine:
    """Booted with scratch, nothing done yet."""
    files = {
        "proc/cmdline": b"console=ttyS0 kho_scratch=64M\n",
        "proc/iomem": _IOMEM.encode(),
        "proc/meminfo": b"MemTotal:        1000000 kB\n",
        "proc/uptime": b"80.00 81.05\n",
        "proc/sys/kernel/kexec_load_disabled": b"0\n",
        "proc/sys/kernel/random/boot_id": b"0b0a9a4e-2b34-4d2b-9a30-6a9b4e3d2f10\n",
        "sys/devices/system/cpu/possible": b"0-1\n",
        "sys/devices/system/cpu/online": b"0-1\n",
        "sys/devices/system/node/online": b"0\n",
        "sys/kernel/kexec_loaded": b"0\n",
        "sys/kernel/kexec_crash_loaded": b"0\n",
        f"{KHO}/active": b"0\n",
        f"{KHO}/dt_max": b"0xa00000\n",
        f"{KHO}/scratch_phys": b"0x%x\n" % SCRATCH.start,
        f"{KHO}/scratch_len": b"0x%x\n" % SCRATCH.size,
    }
    return Machine("a kernel of the series of 2024 before it is active.", files)


def with_files(machine: Machine, about: str, **files: bytes) -> Machine:
    """A machine with other files below `/sys/kernel/kho`."""
    changed = {f"{KHO}/{name}": content for name, content in files.items()}
    return replace(machine, about=about, tree=machine.tree | changed)


def active(tree: bytes = TREE, about: str = "the same after activation.") -> Machine:
    """The same with a tree."""
    machine = with_files(inactive(), about, active=b"1\n", dt=tree)
    return replace(machine, pages=_traced())


def restored(tree: bytes = TREE, about: str = "the next kernel, after the kexec.") -> Machine:
    """CPU 0 goes on with its buffer, that of CPU 1 was returned, and the guest is still awaited."""
    cache = kho2024_tree.mem_cache(_preserved(tree))
    words = (TREE_AT, len(tree), SCRATCH.start, SCRATCH.size, CACHE_AT, len(cache))
    entry = "sys/kernel/boot_params/setup_data"
    came = {
        f"{CAME}/dt": tree,
        f"{entry}/0/type": b"0x9\n",
        f"{entry}/0/data": b"",
        f"{entry}/1/type": b"0xa\n",
        f"{entry}/1/data": struct.pack("<6Q", *words),
    }
    flags = {_pieces(0): 0, _pieces(1): _BUDDY, (GUEST, ODD): _RESERVED}
    return Machine(
        about,
        inactive().tree | came,
        _traced() | {TREE_AT: tree, CACHE_AT: cache},
        {
            "page_flags": {
                f"0x{item.start & -PAGE:x}": f"0x{word:x}"
                for pieces, word in flags.items()
                for item in pieces
            }
        },
    )


def arm64() -> Machine:
    """The same by the names of arm64."""
    machine = restored(about="the next kernel on arm64.")
    files = {path: data for path, data in machine.tree.items() if "setup_data" not in path}
    base = "sys/firmware/devicetree/base"
    cache = kho2024_tree.mem_cache(_preserved(TREE))
    channel = {
        "dt": (TREE_AT, len(TREE)),
        "scratch": (SCRATCH.start, SCRATCH.size),
        "mem": (CACHE_AT, len(cache)),
    }
    files |= {
        f"{base}/chosen/linux,kho-{name}": struct.pack(">2Q", *words)
        for name, words in channel.items()
    }
    files |= {f"{base}/#{word}-cells": struct.pack(">I", 2) for word in ("address", "size")}
    return replace(machine, tree=files, manifest=machine.manifest | {"machine": "aarch64"})


def made() -> dict[str, Machine]:
    """All of them by name."""
    return {
        "kho2024-inactive": inactive(),
        "kho2024-active": active(),
        "kho2024-restored": restored(),
        "kho2024-restored-arm64": arm64(),
        "kho2024-without-scratch": with_files(
            inactive(), "no scratch.", scratch_phys=b"0x0\n", scratch_len=b"0x0\n"
        ),
    } | {f"hostile-kho2024-{name}": machine for name, machine in _hostile()}


def _hostile() -> Iterator[tuple[str, Machine]]:
    yield "bindings", active(violating(), "a tree that breaks nine bindings.")
    above = MemoryRange(1 << 62, 1 << 62)
    yield "beyond", active(_of(guest(above)), "memory that no machine has.")
    yield (
        "scratch",
        active(
            _of(guest(MemoryRange(SCRATCH.start + PAGE, PAGE))),
            "what is preserved lies in scratch.",
        ),
    )
    yield (
        "version",
        restored(
            kho2024_tree.root([kho2024_tree.ftrace(EVENTS, [ARRAY], b"ftrace-v2")]),
            "a tracer of a later version.",
        ),
    )
    yield "torn", active(TREE[: len(TREE) - 64], "a tree without its end.")
    yield (
        "huge",
        active(TREE[:4] + struct.pack(">I", 0xFFFF_FFF0) + TREE[8:], "a tree of four gigabytes."),
    )
    yield "no-tree", active(b"not a tree", "no tree at all.")
    machine = restored(about="a mem cache of no whole records, at an address beyond memory.")
    words = struct.pack("<6Q", TREE_AT, len(TREE), SCRATCH.start, 0, (1 << 64) - 8, 17)
    data = "sys/kernel/boot_params/setup_data/1/data"
    yield "cache", replace(machine, tree=machine.tree | {data: words})


def violating() -> bytes:
    """One violation after the other."""

    def kind(word: bytes) -> Property:
        return string(b"compatible", word)

    good = kho2024_tree.mem(piece for pair in buffer(0).pages for piece in pair)
    cpu = kind(b"ftrace,cpu-v1")
    nodes = (
        TreeNode(b"cpu0", (kind(b"ftrace,cpu-v2"), number(b"cpu", 0, U32), good)),
        TreeNode(b"cpu1", (cpu, good)),
        TreeNode(b"cpu2", (cpu, number(b"cpu", 3, U32), good)),
        TreeNode(b"cpu3", (cpu, number(b"cpu", 3, U32), _cut(good, 16))),
        TreeNode(b"cpu4", (cpu, number(b"cpu", 4, U32), _short())),
    )
    flags = number(b"trace-flags", 1, U32)
    arrays = (
        TreeNode(b"global-trace", (kind(b"ftrace,array-v1"), flags), nodes),
        TreeNode(b"silent", (kind(b"ftrace,array-v1"),)),
        TreeNode(b"later", (kind(b"ftrace,array-v2"), flags)),
    )
    events = Property(b"events", bytes(12), 0)
    ftrace = TreeNode(b"ftrace", (kind(b"ftrace-v1"), events), arrays)
    torn = TreeNode(b"guest", (_cut(kho2024_tree.mem([GUEST, ODD]), 3),))
    return _of(ftrace, torn)


def _of(*nodes: TreeNode) -> bytes:
    return kho2024_tree.root(nodes)


def _cut(item: Property, count: int) -> Property:
    return Property(item.name, item.value[:-count], 0)


def _short() -> Property:
    """A data page of half a page."""
    (described, data), *_ = buffer(0).pages
    return kho2024_tree.mem([described, MemoryRange(data.start, PAGE // 2)])


def _preserved(tree: bytes) -> Runs:
    found = kho2024.decode(fdt.read(tree))
    return kho2024_tree.pages_of((item for mem in found.mem for item in mem.ranges), PAGE)


def _pieces(cpu: int) -> tuple[MemoryRange, ...]:
    return tuple(piece for pair in buffer(cpu).pages for piece in pair)


def _traced() -> dict[int, bytes]:
    """The buffers of both CPUs."""
    found: dict[int, bytes] = {}
    for cpu in ARRAY.cpus:
        slab = bytearray(PAGE)
        for at, (described, data) in enumerate(cpu.pages):
            struct.pack_into("<2Q", slab, described.start % PAGE, data.start, at)
            found[data.start] = b"trace of cpu %d, page %d" % (cpu.cpu, at)
        found[cpu.pages[0][0].start & -PAGE] = bytes(slab)
    return found
