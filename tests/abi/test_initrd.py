"""Initial RAM disks: members in a row, and whose modules are in them."""

import bz2
import gzip
import lzma
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from kho_console.abi import initrd
from kho_console.abi.reader import Bytes
from kho_console.model.image import InitialRamDisk
from kho_console.model.unknown import Cause, Unknown
from tests.abi.kernel_files import cpio

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "cpio": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.compress,
}
MODULES = ("usr/lib/modules/", "usr/lib/modules/7.3.4/", "usr/lib/modules/7.3.4/modules.dep")


def read(data: bytes, limit: int = 1 << 20) -> InitialRamDisk:
    return initrd.read(Bytes(data), limit=limit)


@pytest.mark.parametrize("name", PACKERS)
def test_an_early_archive_and_one_behind_it(name: str) -> None:
    early = cpio("kernel/x86/microcode/GenuineIntel.bin", content=b"m" * 5001)
    data = early + bytes(512) + PACKERS[name](cpio("bin/sh", *MODULES)) + bytes(6)
    found = read(data)
    assert (found.members, found.releases) == (("cpio", name), ("7.3.4",))
    cut = read(data[: -6 - 20])
    assert isinstance(cut.releases, Unknown)
    assert cut.releases.cause is Cause.INVALID


@pytest.mark.parametrize(
    ("names", "releases"),
    [
        (("lib/modules/6.1.0-50-cloud-amd64/kernel/a.ko",), ("6.1.0-50-cloud-amd64",)),
        (("./lib/modules/1/", "/usr/lib/modules/2/", "lib/modules/1/x"), ("1", "2")),
        (("lib/modules/README", "srv/lib/modules/3/", "lib/modules/"), ()),
        (("lib/modules/../", "lib/modules/./"), ()),
    ],
)
def test_what_counts_as_modules(names: tuple[str, ...], releases: tuple[str, ...]) -> None:
    assert read(cpio(*names)).releases == releases


def test_what_the_kernel_takes() -> None:
    """With a checksum, without a trailer at the end, several archives in one member."""
    assert read(cpio(*MODULES, magic=b"070702")).releases == ("7.3.4",)
    one = cpio(*MODULES)
    assert read(one[: one.index(b"070701", one.index(b"modules.dep"))]).releases == ("7.3.4",)
    two = gzip.compress(cpio("a") + bytes(100) + cpio(*MODULES))
    assert read(two + two) == InitialRamDisk(2 * len(two), ("gzip", "gzip"), ("7.3.4",))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it holds no archive"),
        (bytes(100), "it holds no archive"),
        (gzip.compress(bytes(100), mtime=0), "it holds no archive"),
        (b"#!/bin/sh", "neither a cpio archive nor compressed"),
        (cpio("a", magic=b"070707"), "neither a cpio archive nor compressed"),
        (b"\0" + cpio("a"), "neither a cpio archive nor compressed"),
        (cpio("a") + b"junk", "neither a cpio archive nor compressed"),
        (gzip.compress(b"junk", mtime=0), "a cpio archive ends in a header"),
        (cpio("a").replace(b"00000007", b"ffffffff"), "the file ends in a cpio archive"),
        (cpio("a").replace(b"00000002", b"00000000"), "a file name of 0 bytes"),
        (cpio("a").replace(b"00000002", b"0000-002"), "no hexadecimal text"),
    ],
)
def test_what_is_damaged_says_where(data: bytes, reason: str) -> None:
    found = read(data).releases
    assert isinstance(found, Unknown)
    assert found.cause is Cause.INVALID
    assert reason in found.reason
    assert found.offset is not None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(cpio("a", content=bytes(2 << 20)), mtime=0), "more than 1048576 bytes"),
        (gzip.compress(b"", mtime=0) * 65, "more than 64 members"),
    ],
)
def test_what_is_larger_than_what_is_read_here_is_not_called_damaged(
    data: bytes, reason: str
) -> None:
    found = read(data)
    assert isinstance(found.releases, Unknown)
    assert found.releases.cause is Cause.UNSUPPORTED
    assert reason in found.releases.reason
    assert found.members


def test_a_member_without_a_library_here_is_named() -> None:
    found = read(cpio("a") + b"\x02\x21\x4c\x18" + bytes(50))
    assert found.members == ("cpio", "lz4")
    assert isinstance(found.releases, Unknown)
    assert found.releases.cause is Cause.UNSUPPORTED


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
@pytest.mark.parametrize("form", ["newc", "crc"])
def test_what_cpio_writes(form: str, tmp_path: Path) -> None:
    (tmp_path / "lib/modules/7.3.4").mkdir(parents=True)
    (tmp_path / "lib/modules/7.3.4/modules.dep").write_text("a" * 5)
    done = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", form],
        cwd=tmp_path,
        input=b"lib\nlib/modules\nlib/modules/7.3.4\nlib/modules/7.3.4/modules.dep\n",
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert read(done.stdout) == InitialRamDisk(len(done.stdout), ("cpio",), ("7.3.4",))
