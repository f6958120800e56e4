"""Small kernel files and initial RAM disks by the documented layouts."""

import gzip
import struct

CONFIG = b"CONFIG_KEXEC_HANDOVER=y\nCONFIG_KEXEC_FILE=y\nCONFIG_LIVEUPDATE=y\n"
WORDS = (b"kho-v4", b"luo-v5", b"memfd-v2")

_SETUP = 2 * 512


def vmlinux(*words: bytes, release: bytes = b"7.3.4", config: bytes | None = CONFIG) -> bytes:
    """What a kernel is once it is expanded: an ELF file with strings in it."""
    packed = b"" if config is None else b"IKCFG_ST" + gzip.compress(config) + b"IKCFG_ED"
    strings = b"".join(b"\0" + word + b"\0compatible" for word in words or WORDS)
    body = b"\0Linux version " + release + b" (root@vm) #1\n\0" + strings + bytes(64) + packed
    return elf(body)


def elf(body: bytes, machine: int = 62) -> bytes:
    """An ELF file with one segment."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = 120 + len(body)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096) + body


def bzimage(payload: bytes, certificates: bytes = b"", /, **changes: int) -> bytes:
    """A bzImage as arch/x86/boot/header.S lays it out: two sectors of setup, then the code."""
    header = {
        "protocol": 0x20F,
        "loadflags": 1,
        "xloadflags": 0x3F,
        "alignment": 2 << 20,
        "limit": 2047,
        "payload_offset": 64,
        "payload_size": len(payload),
        "init_size": 16 << 20,
        "code": 0,
    } | changes
    code = bytes(64) + payload
    code += bytes(-len(code) % 16)
    head = bytearray(_SETUP)
    head[0x1F1] = 1
    struct.pack_into("<I", head, 0x1F4, header["code"] or len(code) // 16)
    struct.pack_into("<H", head, 0x1FE, 0xAA55)
    head[0x201] = 0x6A
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x206, header["protocol"])
    struct.pack_into("<H", head, 0x20E, 0x300 - 0x200)
    head[0x211] = header["loadflags"]
    struct.pack_into("<IBB", head, 0x230, header["alignment"], 1, 21)
    struct.pack_into("<HI", head, 0x236, header["xloadflags"], header["limit"])
    struct.pack_into("<II", head, 0x248, header["payload_offset"], header["payload_size"])
    struct.pack_into("<QI", head, 0x258, 1 << 24, header["init_size"])
    version = b"7.3.4 (root@vm) #1 SMP\0"
    head[0x300 : 0x300 + len(version)] = version
    size = len(head) + len(code)
    put_pe(head, 0x40, 0x8664, (size, len(certificates)), [(b".text", _SETUP, len(code))])
    return bytes(head) + code + certificates


def put_pe(
    data: bytearray,
    at: int,
    machine: int,
    certificates: tuple[int, int],
    sections: list[tuple[bytes, int, int]],
) -> None:
    """PE32+ headers with sections of `(name, file offset, size)`."""
    data[0:2] = b"MZ"
    struct.pack_into("<I", data, 0x3C, at)
    data[at : at + 4] = b"PE\0\0"
    struct.pack_into("<HH", data, at + 4, machine, len(sections))
    struct.pack_into("<H", data, at + 20, 160)
    struct.pack_into("<H", data, at + 24, 0x20B)
    if certificates[1]:
        struct.pack_into("<II", data, at + 24 + 144, *certificates)
    for number, (name, offset, size) in enumerate(sections):
        entry = struct.pack("<8sIIII", name, size, 0, size, offset)
        start = at + 24 + 160 + 40 * number
        data[start : start + len(entry)] = entry


def raw_image(body: bytes, magic: bytes = b"ARM\x64", flags: int = 0xA, memory: int = 0) -> bytes:
    """An arm64 or riscv Image with an EFI stub; `flags` 0xa is little-endian, 4 KiB pages."""
    head = bytearray(1024)
    size = len(head) + len(body)
    struct.pack_into("<QQQ", head, 8, 0, memory or size * 2, flags)
    head[56:60] = magic
    machine = 0xAA64 if magic == b"ARM\x64" else 0x5064
    put_pe(head, 0x40, machine, (0, 0), [(b".text", len(head), len(body))])
    return bytes(head) + body


def zboot(packed: bytes, compression: bytes) -> bytes:
    """An EFI zboot image."""
    head = bytearray(1024)
    put_pe(head, 0x40, 0xAA64, (0, 0), [(b".data", len(head), len(packed))])
    head[4:8] = b"zimg"
    struct.pack_into("<II", head, 8, len(head), len(packed))
    head[24 : 24 + len(compression)] = compression
    return bytes(head) + packed


def uki(certificates: bytes = b"", **sections: bytes) -> bytes:
    """A unified kernel image with the named sections, as systemd's ukify makes it."""
    head = bytearray(1024)
    placed, body = [], b""
    for name, content in sections.items():
        placed.append((b"." + name.encode(), len(head) + len(body), len(content)))
        body += content
    put_pe(head, 0x80, 0x8664, (len(head) + len(body), len(certificates)), placed)
    return bytes(head) + body + certificates


def cpio(*names: str, magic: bytes = b"070701", content: bytes = b"content") -> bytes:
    """A newc archive of files with these names; a name that ends in a slash is a directory."""
    archive = b""
    for name in (*names, "TRAILER!!!"):
        folder = name.endswith("/")
        data = b"" if folder or name == "TRAILER!!!" else content
        path = name.rstrip("/").encode() + b"\0"
        mode = 0o040755 if folder else 0o100644
        fields = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        entry = magic + b"".join(b"%08X" % value for value in fields) + path
        entry += bytes(-len(entry) % 4) + data
        archive += entry + bytes(-len(entry) % 4)
    return archive
