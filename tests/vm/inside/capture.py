"""Runs in the guest: `capture.py FOLDER DESCRIPTION` writes a fixture of this moment, format 1.

Files are copied as they are. Of memory it takes every page that the console reads while it looks at
the machine (the maps and the records), the preserved pages beside the bulk of large ranges, and the
start of the crash region.
"""

import errno
import json
import os
import stat
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from kho_console.engine.observe import observe
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.unknown import Maybe, Unknown
from kho_console.source.live import LiveSource

PAGE = 4096
BULK = 64 << 10
"""Bytes; of a larger preserved range only the first two pages are taken."""

CRASH = 16
"""Pages from the start of the crash region: the ELF core header."""

LARGEST = 1 << 20

FILES = [
    "/proc/buddyinfo", "/proc/cmdline", "/proc/config.gz", "/proc/iomem", "/proc/meminfo",
    "/proc/mounts", "/proc/uptime", "/proc/version", "/proc/zoneinfo",
    "/proc/sys/kernel/hostname", "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/kexec_load_disabled",
    "/proc/sys/kernel/kexec_load_limit_panic", "/proc/sys/kernel/kexec_load_limit_reboot",
    "/sys/kernel/kexec_loaded", "/sys/kernel/kexec_crash_loaded", "/sys/kernel/kexec_crash_size",
    "/sys/kernel/crash_elfcorehdr_size", "/sys/kernel/vmcoreinfo",
    "/sys/kernel/security/lockdown", "/sys/class/misc/liveupdate/dev",
]  # fmt: skip
TREES = [
    "/sys/kernel/debug/kho", "/sys/kernel/debug/memblock", "/sys/kernel/kexec",
    "/sys/kernel/boot_params/setup_data", "/sys/devices/system/memory",
    "/sys/devices/system/node",
]  # fmt: skip
PATTERNS = [
    "sys/devices/system/cpu/*", "sys/devices/system/cpu/cpu[0-9]*/online",
    "sys/devices/system/cpu/cpu[0-9]*/crash_notes*",
]  # fmt: skip
SKIPPED = {"uevent", "power", "probe", "hard_offline_page", "soft_offline_page", "compact"}


class Recorder:
    """Physical memory that keeps every page it gives."""

    def __init__(self, source: LiveSource) -> None:
        self._memory = source.memory
        self.pages: dict[int, bytes] = {}

    def read(self, address: int, size: int) -> bytes:
        start = address // PAGE * PAGE
        end = -(-(address + size) // PAGE) * PAGE
        data = self._memory.read(start, end - start)
        for offset in range(0, len(data), PAGE):
            self.pages[start + offset] = data[offset : offset + PAGE]
        return data[address - start : address - start + size]


class Recorded(LiveSource):
    """This machine, its memory recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.recorder = Recorder(LiveSource())
        self.page_flags_seen: dict[str, str] = {}

    @property
    def memory(self) -> Recorder:  # type: ignore[override]
        return self.recorder

    def page_flags(self, address: int) -> Maybe[int]:
        flags = super().page_flags(address)
        if not isinstance(flags, Unknown):
            self.page_flags_seen[f"0x{address // PAGE * PAGE:x}"] = f"0x{flags:x}"
        return flags


class Folder:
    """The fixture being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable: list[dict[str, object]] = []
        self.links: dict[str, str] = {}

    def copy(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
                self.unreadable.append({"path": str(path), "errno": error.errno})
            return
        if len(data) <= LARGEST:
            self.write(path, data)

    def tree(self, path: Path) -> None:
        """A folder with all that is below it; links are told, not followed."""
        if not path.is_dir():
            return
        entries = sorted(path.iterdir())
        if not entries:
            self.write(path / ".empty", b"")
        for entry in entries:
            if entry.name in SKIPPED:
                continue
            if entry.is_symlink():
                if entry.name.startswith(("memory", "cpu")):
                    self.links[str(entry)] = str(entry.readlink())
            elif entry.is_dir():
                self.tree(entry)
            elif stat.S_IMODE(entry.stat().st_mode) & 0o444:
                self.copy(entry)

    def process(self, folder: Path) -> None:
        """A process that holds a session or the device."""
        try:
            targets = {str(one): str(one.readlink()) for one in (folder / "fd").iterdir()}
        except OSError:
            return
        told = {
            path: target
            for path, target in targets.items()
            if "luo_session" in target or target == "/dev/liveupdate"
        }
        if told:
            self.links.update(told)
            self.copy(folder / "comm")
            self.copy(folder / "cmdline")

    def write(self, path: Path, data: bytes) -> None:
        target = self.folder / "root" / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def memory(self, pages: dict[int, bytes]) -> None:
        """Adjacent pages joined."""
        folder = self.folder / "physmem"
        folder.mkdir(parents=True, exist_ok=True)
        start, joined = -1, b""
        for address in [*sorted(pages), -1]:
            if address != start + len(joined):
                if joined:
                    (folder / f"0x{start:x}.bin").write_bytes(joined)
                start, joined = address, b""
            joined += pages.get(address, b"")


def main() -> None:
    """Capture."""
    folder = Folder(Path(sys.argv[1]))
    # Memory first: what it shows and what the files show should be one moment.
    source = Recorded()
    pages = _pages(source)
    for name in FILES:
        folder.copy(Path(name))
    for name in TREES:
        folder.tree(Path(name))
    for pattern in PATTERNS:
        for path in sorted(Path("/").glob(pattern)):
            if path.is_file() and path.stat().st_mode & 0o444 and path.name not in SKIPPED:
                folder.copy(path)
    for path in Path("/proc").glob("[0-9]*"):
        folder.process(path)
    device = Path("/dev/liveupdate")
    if device.exists():
        told = device.stat()
        number = f"{os.major(told.st_rdev)}:{os.minor(told.st_rdev)}"
        folder.write(
            Path("/dev/liveupdate.stat"), f"mode={told.st_mode:#o} rdev={number}\n".encode()
        )
    folder.memory(pages)
    log = subprocess.run(["dmesg"], capture_output=True, check=True).stdout
    (folder.folder / "kmsg.txt").write_bytes(log)
    kernel = os.uname()
    manifest = {
        "format": 1,
        "release": kernel.release,
        "machine": kernel.machine,
        "hostname": kernel.nodename,
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "captured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "description": sys.argv[2],
        "unreadable": folder.unreadable,
        "links": dict(sorted(folder.links.items())),
        "page_flags": source.page_flags_seen,
    }
    (folder.folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _pages(source: Recorded) -> dict[int, bytes]:
    seen = observe(source)
    preserved, ownership = seen.outgoing.preserved, seen.inventory.ownership
    if not isinstance(preserved, Unknown):
        for one in preserved.ranges:
            source.recorder.read(one.start, one.size if one.size <= BULK else 2 * PAGE)
    regions = seen.memory.crash_regions
    if seen.kexec.crash_loaded is True and not isinstance(regions, Unknown):
        for region in regions:
            source.recorder.read(region.start, min(region.size, CRASH * PAGE))
    pages = source.recorder.pages
    if not isinstance(ownership, Unknown):
        _drop_content(pages, ownership)
    return pages


def _drop_content(pages: dict[int, bytes], ownership: Ownership) -> None:
    """Of each memfd and each `reserve_mem=` region only two pages stay."""
    left: Counter[Owner] = Counter()
    for index in range(len(ownership)):
        extent = ownership[index]
        if extent.owner.kind not in (OwnerKind.MEMFD, OwnerKind.RESERVE_MEM):
            continue
        for address in range(extent.range.start, extent.range.end, PAGE):
            left[extent.owner] += 1
            if left[extent.owner] > 2:
                pages.pop(address, None)


if __name__ == "__main__":
    main()
