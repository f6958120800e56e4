"""Images and command lines to hold against recorded machines."""

from collections.abc import Mapping
from dataclasses import replace

from kho_console.engine.preflight import Preflight, answers
from kho_console.model.change import KexecImage
from kho_console.model.check import Check, Result
from kho_console.model.image import ImageFormat, ImageWords, InitialRamDisk, KernelImage
from kho_console.model.snapshot import Snapshot

SESSIONS = "linux-7.3.4/sessions"
FINALIZED = "linux-6.18.15/finalized"
LINE = b"kho=on liveupdate=on reserve_mem=4M:4096:oops reserve_mem=1M:4096:trace crashkernel=256M"
CONFIG: Mapping[str, str] = {
    f"CONFIG_{name}": "y"
    for name in ("KEXEC_HANDOVER", "KEXEC_FILE", "KEXEC_HANDOVER_DEBUGFS", "LIVEUPDATE")
}


def words(*all_words: str) -> ImageWords:
    """Words by kind, as an image tells them."""
    kinds = (tuple(word for word in all_words if word.startswith(kind)) for kind in _KINDS)
    return ImageWords(*kinds)


_KINDS = ("kho", "luo", "memfd")

IMAGE = KernelImage(
    format=ImageFormat.BZIMAGE,
    size=4 << 20,
    release="7.3.4",
    complete=True,
    machine="x86_64",
    page_size=4096,
    memory_size=14 << 20,
    alignment=2 << 20,
    command_line_limit=2047,
    signed=False,
    five_levels=True,
    compression="zstd",
    words=words("kho-v4", "luo-v5", "memfd-v2"),
    config=CONFIG,
    announced=4 << 20,
)
"""A kernel like that of the 7.3.4 recordings."""


def preflight(snapshot: Snapshot, line: bytes = LINE, /, **changes: object) -> Preflight:
    """The checks of `IMAGE` with some of its values changed; `initrd` and `crash` go besides."""
    disk = changes.pop("initrd", None)
    assert disk is None or isinstance(disk, InitialRamDisk)
    crash = changes.pop("crash", False) is True
    image = replace(IMAGE, **changes)  # type: ignore[arg-type]
    return answers(snapshot, KexecImage("/boot/vmlinuz", None, line, crash), image, disk)


def found(result: Preflight, name: str) -> list[Check]:
    """The answers of one check."""
    return [item for item in result.checks if item.id == name]


def the(result: Preflight, name: str) -> Check:
    """The one answer of a check."""
    (only,) = found(result, name)
    return only


def bad(result: Preflight) -> dict[str, Result]:
    """What is no pass."""
    return {item.id: item.result for item in result.checks if item.result is not Result.PASS}
