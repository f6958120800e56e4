"""Folders that are small to make and large to read: they grow in one way each.

No wheel could carry them, so they are made when they are wanted. Each says what it is about by
its name; `FLOODS` holds them all.
"""

import gzip
import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tests.recordings import folder

Flood: TypeAlias = Callable[[Path], None]

_KHO = "root/sys/kernel/debug/kho"
_BLOBS = f"{_KHO}/out/sub_fdts"
_MEMORY = "root/sys/devices/system/memory"
_BASE = "linux-7.3.4/sessions"


def made(flood: Flood, place: Path) -> Path:
    """A recording at `place` with one flood in it."""
    shutil.copytree(folder(_BASE), place)
    flood(place)
    return place


def link_of_many_names(place: Path) -> None:
    _links(place, {"/a" * 500_000: "x"})


def links_in_many_folders(place: Path) -> None:
    _links(place, {f"/{at}" + "/a" * 2000: "x" for at in range(900)})


def links_to_many_blocks(place: Path) -> None:
    node = "/sys/devices/system/node/node"
    _links(place, {f"{node}{at % 2}/memory{at}": "x" for at in range(20_000)})


def sessions_of_one_process(place: Path) -> None:
    _links(place, {f"/proc/1/fd/{at}": f"anon_inode:[luo_session] {at}" for at in range(5000)})


def processes(place: Path) -> None:
    _links(place, {f"/proc/{at}/fd/3": "/dev/null" for at in range(1, 5000)})


def manifest_of_empty_lists(place: Path) -> None:
    file = place / "manifest.json"
    start = file.read_text().rstrip().removesuffix("}")
    file.write_text(f'{start}, "more": [{"[]," * 5_000_000}0]}}')


def manifest_with_a_long_value(place: Path) -> None:
    _rewrite(place, page_size="x" * (3 << 20))


def events_that_are_none(place: Path) -> None:
    (place / "events.jsonl").write_bytes(b"0\n" * (8 << 20))


def events(place: Path) -> None:
    variables = {"SUBSYSTEM": "cpu", "ACTION": "online", "DEVPATH": "/cpu1"}
    line = json.dumps({"kind": "uevent", "monotonic": 1, "env": variables}).encode() + b"\n"
    (place / "events.jsonl").write_bytes(line * 70_000)


def log_of_line_ends(place: Path) -> None:
    (place / "kmsg.txt").write_bytes(b"\n" * (16 << 20))


def log_of_short_lines(place: Path) -> None:
    (place / "kmsg.txt").write_bytes(b"x\n" * (8 << 20))


def log_of_one_line(place: Path) -> None:
    (place / "kmsg.txt").write_bytes(b"onlin" * (3 << 20))


def log_of_one_message(place: Path) -> None:
    (place / "kmsg.txt").write_bytes(b"luo: Freeze failed for token[1] handler[x]\n" * 100_000)


def log_that_is_no_text(place: Path) -> None:
    (place / "kmsg.txt").write_bytes(b"\xff" * (4 << 20))


def memory_in_many_pieces(place: Path) -> None:
    lines = (b"%x-%x : System RAM\n" % (at * 8192, at * 8192 + 4095) for at in range(36_000))
    (place / "root/proc/iomem").write_bytes(b"".join(lines))


def every_other_block_offline(place: Path) -> None:
    memory_in_many_pieces(place)
    _blocks(place, "offline", range(1, 2000, 2))


def nodes_that_take_turns(place: Path) -> None:
    memory_in_many_pieces(place)
    node = "/sys/devices/system/node/node"
    _links(place, {f"{node}{at % 2}/memory{at}": "x" for at in range(2000)})
    _blocks(place, "online", range(2000))


def zones(place: Path) -> None:
    (place / "root/proc/zoneinfo").write_bytes(b"Node 0, zone x\n spanned 1\n" * 600_000)


def tree_of_properties(place: Path) -> None:
    (place / f"{_BLOBS}/memblock").write_bytes(_tree(struct.pack(">III", 3, 0, 0) * 1_300_000))


def tree_of_properties_cut(place: Path) -> None:
    tree = _tree(struct.pack(">III", 3, 0, 0) * 1_300_000)
    (place / f"{_BLOBS}/memblock").write_bytes(tree[:-100])


def root_tree_of_properties(place: Path) -> None:
    (place / f"{_KHO}/out/fdt").write_bytes(_tree(struct.pack(">III", 3, 0, 0) * 40_000))


def root_tree_of_nodes(place: Path) -> None:
    node = struct.pack(">I", 1) + b"abc\0" + struct.pack(">I", 2)
    (place / f"{_KHO}/out/fdt").write_bytes(_tree(node * 30_000))


def large_blobs(place: Path) -> None:
    for number in range(200):
        _sparse(place / f"{_BLOBS}/{number}", 16 << 20)


def empty_blobs(place: Path) -> None:
    for number in range(1000):
        (place / f"{_BLOBS}/{number}").touch()


def blob_without_end(place: Path) -> None:
    _sparse(place / f"{_BLOBS}/memblock", 1 << 40)


def memory_that_is_all_hole(place: Path) -> None:
    for file in (place / "physmem").iterdir():
        file.unlink()
    _sparse(place / "physmem/0x0.bin", 1 << 43)


def command_line_of_one_option(place: Path) -> None:
    (place / "root/proc/cmdline").write_bytes(b"crashkernel=" + b"1M-2M:1M," * 110_000)


def command_line_of_options(place: Path) -> None:
    options = b"reserve_mem=4M:4096:x kho_scratch=1M,1M,1M kho=on "
    (place / "root/proc/cmdline").write_bytes(options * 4000)


def command_line_of_quotes(place: Path) -> None:
    (place / "root/proc/cmdline").write_bytes(b'a=" ' * 260_000)


def all_cpus_there_can_be(place: Path) -> None:
    for name in ("possible", "present", "online"):
        (place / f"root/sys/devices/system/cpu/{name}").write_bytes(b"0-1048575\n")


def mounts(place: Path) -> None:
    (place / "root/proc/mounts").write_bytes(b"x / y rw 0 0\n" * 80_000)


def options_of_a_build(place: Path) -> None:
    lines = b"".join(b"CONFIG_%x=y\n" % at for at in range(500_000))
    (place / "root/proc/config.gz").write_bytes(gzip.compress(lines, 1)[: 1 << 20])


def scratch_areas(place: Path) -> None:
    for name in ("scratch_phys", "scratch_len"):
        (place / f"{_KHO}/out/{name}").write_bytes(b"0x1000\n" * 140_000)


def scratch_areas_in_one_place(place: Path) -> None:
    for name in ("scratch_phys", "scratch_len"):
        (place / f"{_KHO}/out/{name}").write_bytes(b"0x1000\n" * 1026)
    lines = (b"Node %d, zone x\n  spanned 1\n  start_pfn: 1\n" % at for at in range(6000))
    (place / "root/proc/zoneinfo").write_bytes(b"".join(lines))


FLOODS: tuple[Flood, ...] = (
    link_of_many_names,
    links_in_many_folders,
    links_to_many_blocks,
    sessions_of_one_process,
    processes,
    manifest_of_empty_lists,
    manifest_with_a_long_value,
    events_that_are_none,
    events,
    log_of_line_ends,
    log_of_short_lines,
    log_of_one_line,
    log_of_one_message,
    log_that_is_no_text,
    memory_in_many_pieces,
    every_other_block_offline,
    nodes_that_take_turns,
    zones,
    tree_of_properties,
    tree_of_properties_cut,
    root_tree_of_properties,
    root_tree_of_nodes,
    large_blobs,
    empty_blobs,
    blob_without_end,
    memory_that_is_all_hole,
    command_line_of_one_option,
    command_line_of_options,
    command_line_of_quotes,
    all_cpus_there_can_be,
    mounts,
    options_of_a_build,
    scratch_areas,
    scratch_areas_in_one_place,
)


def _rewrite(place: Path, **keys: object) -> None:
    file = place / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **keys}))


def _links(place: Path, links: dict[str, str]) -> None:
    _rewrite(place, links=links)


def _blocks(place: Path, state: str, numbers: range) -> None:
    """Memory blocks of a page each."""
    (place / _MEMORY / "block_size_bytes").write_text("1000\n")
    for number in numbers:
        block = place / _MEMORY / f"memory{number}"
        block.mkdir(exist_ok=True)
        (block / "state").write_text(f"{state}\n")


def _tree(inside: bytes) -> bytes:
    """A flattened tree whose root holds these tokens; its only name is `a`."""
    structure = struct.pack(">II", 1, 0) + inside + struct.pack(">II", 2, 9)
    at, names = 56, b"a\0"
    end = at + len(structure)
    header = (0xD00DFEED, end + len(names), at, end, 40, 17, 16, 0, len(names), len(structure))
    return struct.pack(">10I", *header) + bytes(16) + structure + names


def _sparse(file: Path, size: int) -> None:
    file.touch()
    os.truncate(file, size)
