"""Builds fixture folders (format 1) of machines that were never recorded."""

import json
from collections.abc import Mapping
from pathlib import Path

from kho_console.source.fixture import FixtureSource

KHO = "/sys/kernel/debug/kho"


class FixtureFolder:
    """A machine that is put together piece by piece, then opened.

    Directories come with the files in them; one that is empty is named with `directory`.
    """

    def __init__(
        self, place: Path, release: str, *, machine: str = "x86_64", page_size: int = 4096
    ) -> None:
        self.place = place
        self.page_size = page_size
        self._manifest: dict[str, object] = {
            "format": 1,
            "release": release,
            "machine": machine,
            "page_size": page_size,
            "captured_at": "2026-11-21T00:48:00Z",
            "hostname": "made",
        }
        self._links: dict[str, str] = {}
        self._unreadable: list[dict[str, object]] = []
        self.file("/proc/mounts", "debugfs /sys/kernel/debug debugfs rw,relatime 0 0\n")
        self.file("/proc/uptime", "80.00 81.05\n")

    def file(self, path: str, content: bytes | str) -> None:
        place = self.place / "root" / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)

    def directory(self, path: str) -> None:
        self.file(f"{path}/.empty", "")

    def link(self, path: str, target: str) -> None:
        self._links[path] = target

    def unreadable(self, path: str, errno: int) -> None:
        self._unreadable.append({"path": path, "errno": errno})

    def pages(self, content: Mapping[int, bytes]) -> None:
        """Physical memory by address; each piece is padded with zeros to whole pages."""
        (self.place / "physmem").mkdir(exist_ok=True)
        for address, data in content.items():
            padded = data + bytes(-len(data) % self.page_size)
            (self.place / f"physmem/0x{address:x}.bin").write_bytes(padded)

    def scratch(self, areas: list[tuple[int, int]], word: str = "scratch") -> None:
        """`out/scratch_phys` and `out/scratch_len`, or 7.4's `bootmem_*`."""
        self.file(f"{KHO}/out/{word}_phys", "".join(f"0x{start:x}\n" for start, _ in areas))
        self.file(f"{KHO}/out/{word}_len", "".join(f"0x{size:x}\n" for _, size in areas))

    def ram(self, *ranges: tuple[int, int]) -> None:
        """`/proc/iomem` with System RAM of `(start, size)`."""
        lines = [f"{start:08x}-{start + size - 1:08x} : System RAM\n" for start, size in ranges]
        self.file("/proc/iomem", "".join(lines))

    def session(self, pid: int, descriptor: int, name: str, command: str = "agent") -> None:
        """A process that holds a live-update session."""
        self.file(f"/proc/{pid}/comm", command + "\n")
        self.link(f"/proc/{pid}/fd/{descriptor}", f"anon_inode:[luo_session] {name}")

    def open(self, **changes: object) -> FixtureSource:
        """Write the manifest, with `changes` to its keys, and open the folder."""
        keys = {"links": self._links, "unreadable": self._unreadable}
        self.place.mkdir(parents=True, exist_ok=True)
        (self.place / "manifest.json").write_text(json.dumps(self._manifest | keys | changes))
        return FixtureSource(self.place)
