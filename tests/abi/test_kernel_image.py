"""Kernel files of every format, built by the documented layouts."""

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable

import pytest
import zstandard

from kho_console.abi import kernel_image
from kho_console.abi.reader import Bytes
from kho_console.model.image import ImageFormat, ImageWords, KernelImage
from kho_console.model.unknown import Cause, Unknown
from tests.abi.kernel_files import bzimage, elf, raw_image, uki, vmlinux, zboot

WORDS = ImageWords(("kho-v4",), ("luo-v5",), ("memfd-v2",))


def sized(packed: bytes) -> bytes:
    """The kernel build puts the expanded size behind all but gzip."""
    return packed + struct.pack("<I", 12345)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": lambda data: sized(bz2.compress(data)),
    "xz": lambda data: sized(lzma.compress(data, check=lzma.CHECK_CRC32)),
    "lzma": lambda data: sized(lzma.compress(data, lzma.FORMAT_ALONE)),
    "zstd": lambda data: sized(zstandard.compress(data)),
}


def read(data: bytes) -> KernelImage:
    return kernel_image.read(Bytes(data))


@pytest.mark.parametrize("name", PACKERS)
def test_a_bzimage_of_every_compression(name: str) -> None:
    data = bzimage(PACKERS[name](vmlinux()))
    found = read(data)
    assert (found.format, found.release, found.complete) == (ImageFormat.BZIMAGE, "7.3.4", True)
    assert (found.machine, found.page_size) == ("x86_64", 4096)
    assert (found.memory_size, found.alignment) == (16 << 20, 2 << 20)
    assert (found.command_line_limit, found.signed, found.five_levels) == (2047, False, True)
    assert (found.compression, found.words) == (name, WORDS)
    assert not isinstance(found.config, Unknown)
    assert found.config["CONFIG_LIVEUPDATE"] == "y"
    assert (found.announced, found.faults) == (len(data), ())


@pytest.mark.parametrize("magic", [b"\x02\x21\x4c\x18", b"\x89LZO\0"], ids=["lz4", "lzo"])
def test_a_compression_without_a_library_leaves_the_words_unknown(magic: bytes) -> None:
    found = read(bzimage(magic + bytes(100)))
    assert isinstance(found.words, Unknown)
    assert found.words.cause is Cause.UNSUPPORTED
    assert str(found.compression) in found.words.reason
    assert (found.complete, found.release, found.faults) == (True, "7.3.4", ())


@pytest.mark.parametrize("lost", [1, 16, 300, 500])
def test_a_file_that_is_cut_short_is_not_complete(lost: int) -> None:
    """The kernel takes such a file: it looks at the setup header only."""
    whole = bzimage(sized(zstandard.compress(vmlinux() + bytes(range(256)) * 30)))
    assert read(whole).complete is True
    found = read(whole[:-lost])
    assert found.complete is False
    assert found.announced == len(whole)


def test_a_file_that_ends_in_its_header_is_not_complete() -> None:
    found = read(bzimage(vmlinux())[:0x240])
    assert (found.format, found.complete) == (ImageFormat.BZIMAGE, False)
    assert found.faults == ("the file ends in the setup header",)


def test_a_cut_certificate_table_is_a_cut_file_and_what_follows_the_code_is_not() -> None:
    signed = bzimage(vmlinux(), b"c" * 1472)
    assert (read(signed).signed, read(signed).complete) == (True, True)
    assert read(signed[:-8]).complete is False
    assert read(bzimage(vmlinux()) + bytes(371_904)).complete is True


def test_a_payload_whose_stream_never_ends_is_a_cut_file() -> None:
    """Cut when it was copied into the image: all sizes agree, and yet the end is missing."""
    packed = zstandard.compress(vmlinux() + bytes(range(256)) * 30)
    found = read(bzimage(packed[:-40]))
    assert found.complete is False
    assert isinstance(found.words, Unknown)
    assert found.words.cause is Cause.TRUNCATED


def test_a_damaged_payload_is_a_fault() -> None:
    packed = bytearray(zstandard.compress(vmlinux() + bytes(range(256)) * 30))
    packed[8:40] = b"\xff" * 32
    found = read(bzimage(bytes(packed)))
    assert found.faults
    assert "zstd" in found.faults[0]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"protocol": 0x20B}, "boot protocol 0x20b is older than 0x20c"),
        ({"loadflags": 0}, "it does not load high"),
        ({"xloadflags": 2}, "it has no 64-bit entry"),
        ({"xloadflags": 1}, "it may not lie above 4 GiB"),
    ],
)
def test_what_the_loader_of_x86_refuses(changes: dict[str, int], fault: str) -> None:
    assert read(bzimage(vmlinux(), **changes)).faults == (fault,)


def test_a_payload_outside_the_code_is_not_followed() -> None:
    found = read(bzimage(vmlinux(), payload_size=1 << 30))
    assert found.complete is False
    assert isinstance(found.words, Unknown)


@pytest.mark.parametrize(
    ("flags", "page_size"), [(0x2, 4096), (0x4, 16384), (0x6, 65536), (0x0, None)]
)
def test_an_arm64_image_tells_its_page_size(flags: int, page_size: int | None) -> None:
    found = read(raw_image(vmlinux(), flags=flags, memory=40 << 20))
    assert (found.format, found.machine, found.release) == (ImageFormat.ARM64, "aarch64", "7.3.4")
    told = None if isinstance(found.page_size, Unknown) else found.page_size
    assert told == page_size
    assert (found.memory_size, found.complete, found.words) == (40 << 20, True, WORDS)


def test_a_riscv_image() -> None:
    found = read(raw_image(vmlinux(), magic=b"RSC\x05"))
    assert (found.format, found.machine, found.page_size) == (ImageFormat.RISCV, "riscv64", 4096)


def test_an_arm64_image_that_is_cut_short() -> None:
    assert read(raw_image(vmlinux())[:-10]).complete is False
    # That nothing of KHO is in the part that is there does not tell that it has none.
    found = read(raw_image(vmlinux())[:400])
    assert found.complete is False
    for item in (found.words, found.config, found.release):
        assert isinstance(item, Unknown)
        assert item.cause is Cause.TRUNCATED


@pytest.mark.parametrize("name", ["gzip", "zstd", "xz"])
def test_what_is_wrapped_is_told_by_what_is_inside(name: str) -> None:
    packed = PACKERS[name](raw_image(vmlinux(), flags=0x6))
    data = zboot(packed, name.encode())
    found = read(data)
    assert (found.format, found.machine) == (ImageFormat.ZBOOT, "aarch64")
    assert (found.page_size, found.compression) == (65536, name)
    assert (found.words, found.complete) == (WORDS, True)
    assert read(data[:-20]).complete is False


def test_a_compressed_kernel_by_itself() -> None:
    data = gzip.compress(raw_image(vmlinux(b"kho-v3")))
    found = read(data)
    assert (found.format, found.machine) == (ImageFormat.COMPRESSED, "aarch64")
    assert found.words == ImageWords(("kho-v3",), (), ())
    assert (found.complete, read(data[:-9]).complete) == (True, False)


def test_a_unified_kernel_image() -> None:
    inside = bzimage(sized(zstandard.compress(vmlinux())))
    data = uki(b"c" * 8, osrel=b"ID=x", uname=b"7.3.4\0", linux=inside, initrd=b"070701")
    found = read(data)
    assert (found.format, found.release, found.complete) == (ImageFormat.UKI, "7.3.4", True)
    assert (found.signed, found.words, found.size) == (True, WORDS, len(data))
    assert read(data[:-20]).complete is False
    nested = read(uki(linux=uki(linux=inside)))
    assert nested.format is ImageFormat.UNKNOWN
    assert nested.faults == ("a unified kernel image inside another one",)
    assert read(uki(text=b"no kernel")).format is ImageFormat.UNKNOWN


def test_an_elf_kernel_and_no_kernel() -> None:
    found = read(elf(vmlinux(), machine=22))
    assert (found.format, found.machine, found.complete) == (ImageFormat.ELF, "s390x", True)
    assert read(elf(bytes(100))[:-50]).complete is False
    for data in (b"", b"MZ", b"#!/bin/sh\n", bytes(5000)):
        assert read(data).format is ImageFormat.UNKNOWN


def test_reading_tells_how_far_it_is() -> None:
    data = bzimage(vmlinux() + bytes(3 << 20))
    told: list[int] = []
    kernel_image.read(Bytes(data), told.append)
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] < len(data)
