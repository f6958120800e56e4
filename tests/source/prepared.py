"""The same small machine as a fixture folder and as a tree for the live source."""

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path

BOOTED = 1795222000  # 2026-11-21T00:46:40Z
CAPTURED = "2026-11-21T00:48:00Z"  # 80 seconds later

MEMINFO = """MemTotal:        2243248 kB
MemFree:         2000000 kB
MemAvailable:    2100000 kB
Buffers:               0 kB
Cached:            10000 kB
Active:             1000 kB
Inactive:           1000 kB
Shmem:                 0 kB
Slab:              10000 kB
"""
FDT = bytes.fromhex("d00dfeed00000159") + bytes(range(225))
FILES = {
    "/sys/kernel/kexec_loaded": b"0\n",
    "/sys/kernel/debug/kho/out/fdt": FDT,
    "/sys/devices/system/memory/memory8/state": b"online\n",
    "/sys/devices/system/memory/memory8/phys_index": b"00000008\n",
    "/sys/devices/system/node/node0/cpulist": b"0-1\n",
    "/proc/uptime": b"80.00 81.05\n",
    "/proc/meminfo": MEMINFO.encode(),
    "/proc/66/cmdline": b"python3\0/opt/agent/live-update-agent\0",
    "/proc/66/comm": b"python3\n",
    "/proc/67/cmdline": b"",
    "/proc/67/comm": b"kworker/0:1\n",
}
LINKS = {
    "/sys/devices/system/node/node0/memory8": "../../memory/memory8",
    "/proc/66/fd/4": "/dev/liveupdate",
    "/proc/66/fd/10": "anon_inode:[luo_session] vm-\udcff",
}
PAGE_FLAGS = {0x100000: 0x400, 0x101000: 0x1_0000_0000, 0x102000: 0}
PAGES = struct.pack("<3072I", *range(3072))  # three pages of physical memory from 0x100000 on


def write_files(root: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def manifest(**changes: object) -> dict[str, object]:
    return {
        "format": 1,
        "release": "7.3.4",
        "machine": "x86_64",
        "page_size": 4096,
        "captured_at": CAPTURED,
        "hostname": "hv-17",
    } | changes


def write_fixture(folder: Path, **changes: object) -> Path:
    """A fixture of the small machine; `changes` go into its manifest."""
    write_files(folder / "root", FILES)
    (folder / "root/sys/kernel/empty").mkdir()
    (folder / "root/sys/kernel/empty/.empty").touch()
    (folder / "root/dev").mkdir()
    (folder / "root/dev/liveupdate.stat").write_text("mode=0o20600 rdev=10:258\n")
    (folder / "physmem").mkdir()
    (folder / "physmem/0x100000.bin").write_bytes(PAGES[:8192])
    (folder / "physmem/0x102000.bin").write_bytes(PAGES[8192:])
    (folder / "kmsg.txt").write_text("[    5.678901] text hello\n")
    flags = {hex(page): hex(value) for page, value in PAGE_FLAGS.items()}
    keys = {
        "links": LINKS,
        "page_flags": flags,
        "unreadable": [{"path": "/sys/kernel/denied", "errno": 13}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest(**(keys | changes))))
    return folder


def write_tree(root: Path) -> Path:
    """The small machine as a live source finds it."""
    stat = "0 (name) S 1 1 1 0 -1 0 " + "0 " * 12 + "100 " + "0 " * 30
    write_files(
        root,
        FILES
        | {
            "/proc/stat": f"cpu 0 0 0 0\nbtime {BOOTED}\n".encode(),
            "/proc/66/stat": stat.replace("name", "python3").encode(),
            "/proc/67/stat": stat.replace("name", "kworker/0:1").encode(),
            "/dev/kmsg": b"6,1,5678901,-;text hello\n SUBSYSTEM=cpu\n",
            "/dev/liveupdate": b"",
        },
    )
    (root / "proc/67/fd").mkdir()
    (root / "sys/kernel/empty").mkdir()
    (root / "sys/kernel/denied").mkdir()
    for path, target in LINKS.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    first = min(PAGE_FLAGS) >> 12
    words = struct.pack(f"={first + 3}Q", *[0] * first, *PAGE_FLAGS.values())
    (root / "proc/kpageflags").write_bytes(words)
    ram = 0xFFFF888000000000
    segments = [
        Load(ram + 0x100000, 0x100000, 0x1000, 0x2000),
        Load(ram + 0x102000, 0x102000, 0x3000, 0x1000),
    ]
    (root / "proc/kcore").write_bytes(kcore_header(segments).ljust(0x1000, b"\0") + PAGES)
    return root


@dataclass(frozen=True)
class Load:
    """A PT_LOAD: virtual and physical address, file offset, bytes."""

    virtual: int
    physical: int
    offset: int
    size: int


def kcore_header(loads: list[Load], announced: int | None = None) -> bytes:
    """What `/proc/kcore` begins with: a note, then the loads."""
    count = len(loads) + 1 if announced is None else announced
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0
    )
    table = [struct.pack("<IIQQQQQQ", 4, 0, 0x200, 0, 0, 0x100, 0, 4)]
    for load in loads:
        where = (load.offset, load.virtual, load.physical)
        table.append(struct.pack("<IIQQQQQQ", 1, 7, *where, load.size, load.size, 4096))
    return head + b"".join(table)


def kcore_file(loads: list[Load], contents: dict[int, bytes]) -> int:
    """A kcore in memory, where offsets up to 2^63 work: `contents` by file offset."""
    descriptor = os.memfd_create("kcore")
    os.pwrite(descriptor, kcore_header(loads), 0)
    for offset, data in contents.items():
        os.pwrite(descriptor, data, offset)
    return descriptor
