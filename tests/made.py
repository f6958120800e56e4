"""Fixtures of mechanisms that no kernel here has, made by our own writers; `python -m tests.made`.

Each says so in its manifest. What is wrong in the hostile ones was put there byte by byte.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kho_console.abi.kstate.command_line import StreamPlace, write
from kho_console.engine.formats import pkram
from kho_console.model.kstate import KstateVersion
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.model.preserved import Runs
from tests import made_2024
from tests.abi.kstate.streams import V1, V2, V3

FOLDER = Path(__file__).parents[1] / "fixtures" / "made"
PFN = 0x40
STREAM = 0x7F00_0000
POINTER = 0x7E00_0000
PAGE = 4096
_RELEASES = {"pkram-v1": "5.7.0", "pkram-v2": "5.12.0", "pkram-v3": "6.3.0"}


@dataclass(frozen=True)
class Made:
    """A fixture.

    Attributes:
        about: What it is.
        release: The kernel that it says it is.
        command_line: What `/proc/cmdline` holds.
        pages: Physical memory by address.
        offered: The page that the boot protocol names; None where it names none.
    """

    about: str
    release: str
    command_line: str
    pages: dict[int, bytes]
    offered: int | None = None

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Its files by their places."""
        manifest = {
            "format": 1,
            "release": self.release,
            "machine": "x86_64",
            "page_size": PAGE,
            "captured_at": "2026-11-21T12:00:00Z",
            "hostname": "made",
            "description": f"Made up, by the writers of this console: {self.about}",
        }
        yield "manifest.json", json.dumps(manifest, indent=1).encode() + b"\n"
        yield "root/proc/cmdline", f"{self.command_line}\n".encode()
        if "pkram=" in self.command_line:
            yield "root/sys/kernel/pkram", f"{PFN:x}\n".encode()
        if self.offered is not None:
            folder = "root/sys/kernel/boot_params/setup_data/0"
            yield f"{folder}/type", b"0xa\n"
            yield f"{folder}/data", struct.pack("<4Q", self.offered, PAGE, 0x7D00_0000, 16)
        for run in joined(self.pages):
            content = b"".join(self.pages[at] for at in range(run.start, run.end, PAGE))
            yield f"physmem/0x{run.start:x}.bin", content


def joined(pages: dict[int, bytes]) -> Runs:
    from kho_console.abi import runs

    return runs.of_pages(pages, PAGE)


def nodes(version: PkramVersion) -> dict[int, bytes]:
    """A machine with a file of 6 MiB, one of many small pieces, and an empty node."""
    flags = int(version is not PkramVersion.V3)
    huge = [PreservedPage(at * 512, 0x4000_0000 + (at << 21), 9, flags) for at in range(3)]
    small = [PreservedPage(at, 0x1000_0000 + at * 8192, 0, 0) for at in range(700)]
    header = struct.pack("<4I4Q", 0o100600, 0, 0, 4, 6 << 20, 1, 2, 3)
    return pkram.encoded(
        PFN,
        [
            (b"shmem-guests", [(huge, header + b"disk"), (small, header + b"cows")]),
            (b"empty", []),
        ],
        version,
    )


def changed(pages: dict[int, bytes], address: int, form: str, *words: int) -> dict[int, bytes]:
    """Pages with words put over what is at an address."""
    page = bytearray(pages[address & -PAGE])
    struct.pack_into(form, page, address % PAGE, *words)
    return {**pages, address & -PAGE: bytes(page)}


def made() -> dict[str, Made]:
    """All of them by name."""
    found: dict[str, Made] = {}
    option = f"console=ttyS0 pkram={PFN:x}"
    for version in PkramVersion:
        about = f"nodes of PKRAM {version}."
        release = _RELEASES[f"pkram-{version}"]
        found[f"pkram-{version}"] = Made(about, release, option, nodes(version))
    good = nodes(PkramVersion.V3)
    top = PFN << 12
    for name, about, pages in (
        (
            "loop",
            "the objects of a node go round.",
            changed(good, top + 0x2000 + 40, "<Q", PFN + 2),
        ),
        ("claims", "an object of 2^63 bytes.", changed(good, top + 0x2000 + 32, "<Q", 1 << 63)),
        ("beyond", "a node beyond all memory.", changed(good, top + 8, "<Q", (1 << 64) - 1)),
    ):
        found[f"hostile-pkram-{name}"] = Made(about, "6.3.0", option, pages)
    place = StreamPlace(STREAM, PAGE)
    for series, stream in ((KstateVersion.V1, V1), (KstateVersion.V2, V2)):
        words = write(place, series).decode() + "console=ttyS0"
        page = {STREAM: stream.ljust(PAGE, b"\0")}
        found[f"kstate-{series}"] = Made(f"a stream of kstate {series}.", "6.14.0", words, page)
        lie = changed(page, STREAM + 12, "<i", 0x7FFFFFFF)
        about = f"a size in a stream of kstate {series} runs over the end."
        found[f"hostile-kstate-{series}"] = Made(about, "6.14.0", words, lie)
    page = {STREAM: V3.ljust(PAGE, b"\0"), POINTER: struct.pack("<Q", STREAM).ljust(PAGE, b"\0")}
    about = "a stream of kstate v3, and the page that leads to it."
    found["kstate-v3"] = Made(about, "6.17.0", "console=ttyS0 kho=on", page, POINTER)
    return found


def every() -> dict[str, dict[str, bytes]]:
    """The files of all, those of the series of 2024 too."""
    found = {name: dict(item.files()) for name, item in made().items()}
    return found | {name: dict(item.files()) for name, item in made_2024.made().items()}


def main() -> None:
    """Write them all."""
    for name, files in every().items():
        for place, content in files.items():
            path = FOLDER / name / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    main()
