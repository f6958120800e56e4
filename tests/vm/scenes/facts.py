"""What the scenes know of kernels and guests without the console: documents, files, sizes."""

from dataclasses import dataclass
from typing import Any

from tests.vm import machine
from tests.vm.guest import Guest

KHO = "/sys/kernel/debug/kho"
PAGE = 4096


@dataclass(frozen=True, slots=True)
class Kind:
    """How a series hands over, as its documentation and source have it."""

    generation: str
    map_format: str
    finalize: str


def kind(series: tuple[int, int]) -> Kind:
    """The kind of a series, 6.16 to 7.3."""
    if series <= (6, 18):
        bitmaps = "chunks-512" if series <= (6, 17) else "chunks-page"
        return Kind("kho-v1", bitmaps, "reversible")
    if series <= (7, 0):
        return Kind("kho-v1", "chunks-page", "latching")
    return Kind("kho-v3" if series == (7, 1) else "kho-v4", "radix", "none")


def scratch(guest: Guest) -> list[tuple[int, int]]:
    """Address and size of each area, from the two files."""
    columns = [
        [int(line, 16) for line in guest.read(f"{KHO}/out/{name}").splitlines()]
        for name in ("scratch_phys", "scratch_len")
    ]
    return list(zip(*columns, strict=True))


def listed(guest: Guest, folder: str) -> list[str]:
    """Names in a folder."""
    return sorted(guest.run(f"ls {folder}").split())


def has_kexec_tool(guest: Guest) -> bool:
    """Whether kexec-tools is installed; the guest shares the host's file system."""
    return bool(guest.run("ls /sbin/kexec /usr/sbin/kexec 2>/dev/null || true").strip())


def finding_ids(status: Any) -> set[str]:
    return {finding["id"] for finding in status["findings"]}


def covers(ranges: list[dict[str, int]], start: int, size: int) -> bool:
    """Whether some range holds all of these bytes."""
    return any(
        item["address"] <= start and start + size <= item["address"] + item["size"]
        for item in ranges
    )


def reserved(guest: Guest, side: str = "out") -> dict[str, tuple[int, int]]:
    """Start and size of each `reserve_mem=` region, found in the blob without a decoder.

    The blob is a device tree; each region's node has `start` and `size`, 8 native bytes each
    (mm/memblock.c, 6.16 to 7.3), so the sizes on the command line lead to the starts.
    """
    text = guest.run(f"od -An -v -tx1 {KHO}/{side}/sub_fdts/memblock")
    blob = bytes.fromhex("".join(text.split()))
    found = {}
    for name, size in machine.RESERVED.items():
        node = blob.index(name.encode() + b"\0")
        at = blob.index(size.to_bytes(8, "little"), node)
        # In between: the next property's token, length and name offset.
        found[name] = (int.from_bytes(blob[at - 20 : at - 12], "little"), size)
    return found
