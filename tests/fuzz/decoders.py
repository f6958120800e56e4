"""The decoders as targets: of bytes, and of pages of physical memory that name each other."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import zstandard

from kho_console.abi import (
    blob,
    block_list,
    bzimage,
    chosen,
    chunk_list,
    command_line,
    compressed,
    cpio,
    crash_files,
    crashkernel,
    dts,
    elf,
    elfcorehdr,
    elfcorehdr_size,
    fdt,
    fdt_agreement,
    fdt_salvage,
    folios,
    hugepages,
    initrd,
    iomem,
    kernel_config,
    kernel_image,
    kernel_log,
    kernel_payload,
    kernel_strings,
    kernel_warning,
    kexec_metadata,
    kho_test,
    luo,
    luo_session,
    memblock,
    memfd,
    meminfo,
    memparse,
    number_list,
    page_flags,
    pe,
    purgatory,
    radix_tree,
    raw_image,
    reader,
    root_tree,
    scratch,
    scratch_request,
    setup_data,
    text,
    udev_rules,
    vmalloc,
    zboot,
    zoneinfo,
    zstd_frame,
)
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine import search
from kho_console.model.blob import LuoHeader
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.source.fixture import events
from kho_console.source.live import kcore, kmsg
from tests.abi import kernel_files, kernel_trees
from tests.abi.kernel_trees import u32, u64
from tests.abi.page_memory import PageMemory, recorded, recorded_file
from tests.fuzz import bundle_files, recording_files
from tests.fuzz.mechanisms import MECHANISMS
from tests.fuzz.target import Changes, Target, refused
from tests.recordings import folder

_KHO = "/sys/kernel/debug/kho"
_FILE = recorded_file

_TREES = (
    _FILE("linux-7.3.4/restored", f"{_KHO}/in/fdt"),
    _FILE("linux-7.3.4/sessions", f"{_KHO}/out/fdt"),
    _FILE("linux-6.18.15/finalized", f"{_KHO}/out/fdt"),
    _FILE("linux-7.3.4/sessions", f"{_KHO}/out/sub_fdts/memblock"),
    _FILE("linux-7.1.13/restored", f"{_KHO}/in/sub_fdts/LUO"),
    kernel_trees.sequential(
        [("compatible", b"kho-test-v1\0"), ("magic", u32(0x4B484F21))],
        [("data", [("nr_folios", u32(2)), ("csum", u32(1)), ("folios_info", u64(4096) * 2)])],
    ),
)
_STRUCTS = (
    _FILE("linux-7.3.4/sessions", f"{_KHO}/out/sub_fdts/LUO"),
    _FILE("linux-7.3.4/sessions", f"{_KHO}/out/sub_fdts/kexec-metadata"),
    u64(4096) * 6,
    b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + bytes((4, 0, 62, 0)) + u64(64) * 6,
)
_CORE_HEADERS = tuple(
    recorded(moment).read(0x6F000000, 512)
    for moment in ("linux-7.3.4/hotplugged", "linux-6.17.8/crash-loaded")
)
_NUMBERS = (b"0-3,8,10-11\n", b"0x2e800000\n0x0\n", b"0x1000 1024\n", b"80000000\n")
_TEXTS = (
    *_NUMBERS,
    _FILE("linux-7.3.4/sessions", "/proc/iomem"),
    _FILE("linux-7.3.4/sessions", "/proc/zoneinfo")[:2000],
    _FILE("linux-7.3.4/sessions", "/proc/cmdline"),
    b"crashkernel=64M-2G:64M,2G-:256M@16M crashkernel=1G,high kho=on kho_scratch=64M,0,10%",
    b"40000000-4fffffff\n100000000-1ffffffff\n",
    b'SUBSYSTEM=="memory", ATTRS{crash_hotplug}=="1", GOTO="end"\n'
    b'SUBSYSTEM=="cpu", ACTION=="online", RUN+="kdump-config try-reload"\n',
    b'CONFIG_KEXEC_HANDOVER=y\nCONFIG_X="a b"\n',
    _FILE("linux-7.3.4/sessions", "/proc/config.gz")[:20000],
    b"6,339,5140900,-;KHO: found\\x0akexec handover data.\n SUBSYSTEM=acpi\n",
    b"[    0.1] KHO: exec from: 7.3.4 (count 1)\n<6>[    0.2] KHO: disabling KHO revival: -22\n",
)


def _tree_payloads(data: bytes) -> None:
    with refused():
        fdt_salvage.read(data, {0: b"compatible"})
    tree = fdt.read(data)
    for decode in (memblock.decode, memblock.fields, luo.decode_tree, kho_test.fields):
        with refused():
            decode(tree)
    with refused():
        kho_test.decode(tree, 4096)
    assert "\x1b" not in dts.write(tree, lambda item: "x")


def _root_trees(data: bytes) -> None:
    for window in (True, False):
        with refused():
            root_tree.read(data, address=4096, window=window)


def _blobs(data: bytes) -> None:
    for name in (b"LUO", b"kexec-metadata", b"memblock", b"kho_test", b"other"):
        for incoming in (True, False):
            blob.interpret(name, data, 4096, incoming=incoming)


def _structs(data: bytes) -> None:
    for decode in (
        luo.decode_struct,
        kexec_metadata.decode,
        kexec_metadata.fields,
        setup_data.decode,
        elf.read_header,
        chosen.decode_cell_count,
        vmalloc.decode_descriptor,
        luo.struct_word,
        text.c_string,
    ):
        with refused():
            decode(data)
    for version in (1, 2, 3):
        with refused():
            memfd.decode_state(data, version)
    for cells in (1, 2, 7):
        with refused():
            chosen.decode(data[:16], data[16:], cells, 2)
        with refused():
            chosen.decode_range(data, cells, cells)
    for header in (elf.ElfHeader(True, 4, 62, 64, 1), elf.ElfHeader(False, 4, 3, 52, 65535)):
        with refused():
            segments = kcore.Segments(elf.read_program_headers(header, data))
            segments.find(int.from_bytes(data[:8], "little"))
    page_flags.given_away(int.from_bytes(data[:8], "little"))


def _core_headers(data: bytes) -> None:
    for known in filter(None, map(elfcorehdr_size.architecture, ("x86_64", "ppc64le"))):
        told = int.from_bytes(data[8:16], "little")
        elfcorehdr_size.too_many_to_grow(known, told)
        segment = elfcorehdr_size.segment_size(known, told)
        fit = elfcorehdr_size.most_ranges(segment, 2)
        assert not fit or elfcorehdr_size.needed(2, fit) <= segment
    with refused(), suppress(MissingMemory):
        regions = purgatory.read_regions(data, little_endian=data[:1] != b"\x7f")
        purgatory.verify(regions, data[:32], PageMemory({}))
    found = elfcorehdr.read(data)
    assert elfcorehdr.read(elfcorehdr.write(found)) == found


def _texts(data: bytes) -> None:
    for parse in (
        number_list.numbers,
        number_list.hexadecimal,
        number_list.prefixed,
        zoneinfo.parse,
        kernel_config.parse,
        crashkernel.parse,
        setup_data.parse_type,
        memparse.memparse,
        memparse.kstrtobool,
        memparse.kstrtouint,
        meminfo.available,
        crash_files.vmcoreinfo,
        crash_files.cma_ranges,
        udev_rules.reloads,
    ):
        with refused():
            parse(data)
    with refused():
        entries = iomem.parse(data)
        iomem.masked(entries)
        iomem.system_ram(entries)
        iomem.named(entries, "Crash kernel")
    with refused():
        scratch.parse(data, _NUMBERS[1])
    with refused():
        scratch.parse(data, data)
    kmsg.as_dmesg(data)
    log = tuple(kernel_log.parse(data.decode(errors="backslashreplace")))
    kernel_log.facts(log)
    tuple(kernel_warning.gather(log))
    for line in log[:20]:
        kernel_log.recognise(line)


def _command_lines(data: bytes) -> None:
    command_line.split(data)
    found = crashkernel.counting(command_line.parse(data).crashkernel)
    if isinstance(found, crashkernel.CrashKernel):
        crashkernel.size_for(found.sizes, 1 << 34)
    command_line.without(data, {b"kho", b"crashkernel"})
    hugepages.asked(command_line.split(data), 2 << 20)
    for value in (data, data.partition(b"=")[2]):
        crashkernel.parse(value)
        for rules in scratch_request.ScratchRules:
            scratch_request.meaning(scratch_request.ScratchRequest(b"kho_scratch", value), rules)


_KERNEL = kernel_files.vmlinux()
_PACKED = (
    *(gzip.compress(_KERNEL), bz2.compress(_KERNEL), lzma.compress(_KERNEL, preset=0)),
    lzma.compress(_KERNEL, lzma.FORMAT_ALONE, preset=0),
    zstandard.compress(_KERNEL),
)
_KERNELS = (
    *map(kernel_files.bzimage, (*_PACKED, _KERNEL, b"\x02!L\x18" + bytes(99))),
    kernel_files.bzimage(_PACKED[-1], b"c" * 64),
    kernel_files.raw_image(_KERNEL),
    kernel_files.raw_image(_KERNEL, b"RSC\x05"),
    kernel_files.zboot(gzip.compress(kernel_files.raw_image(_KERNEL)), b"gzip"),
    kernel_files.uki(uname=b"7.3.4", linux=kernel_files.bzimage(_PACKED[-1])),
    *(_KERNEL, gzip.compress(kernel_files.raw_image(_KERNEL))),
)
_ARCHIVE = kernel_files.cpio("bin/sh", "lib/modules/7.3.4/", "lib/modules/7.3.4/modules.dep")
_DISKS = (
    *(_ARCHIVE, _ARCHIVE + bytes(512) + _ARCHIVE, kernel_files.cpio("a", magic=b"070702")),
    *(_ARCHIVE + pack(_ARCHIVE) for pack in (gzip.compress, bz2.compress, zstandard.compress)),
    _ARCHIVE + lzma.compress(_ARCHIVE, preset=0) + b"\x02!L\x18",
)


def _kernels(data: bytes) -> None:
    whole = reader.Bytes(data)
    kernel_image.read(whole, lambda at: None)
    for decode in (bzimage.read, pe.read, raw_image.read, zboot.read):
        with refused():
            decode(whole)
    if bzimage.told(data) and len(data) > 2000:
        with refused():
            list(bzimage.read(whole).refusals)
    for form in compressed.Compression:
        kernel_payload.compressed_payload(whole, 1024, len(data), form, limit=1 << 20)
    for told in (
        zboot.told,
        raw_image.told,
        compressed.told_by_magic,
        compressed.told_by_two_bytes,
    ):
        told(data)
    kernel_payload.compression_at(whole, 1088)
    kernel_payload.plain_payload(reader.Part(whole, 64, 1 << 20), 0, 1 << 20)
    kernel_payload.no_payload("none")
    strings = kernel_strings.Strings()
    strings.feed(data)
    assert strings.words
    assert strings.config


def _disks(data: bytes) -> None:
    whole = reader.Bytes(data)
    initrd.read(whole, limit=1 << 20)
    with refused():
        cpio.releases(cpio.Plain(whole, 0))
    with refused():
        cpio.releases(cpio.Pieces(iter((data[:77], b"", data[77:]))))
    with refused():
        zstd_frame.end(whole, max(data.find(zstd_frame.MAGIC), 0), len(data))
    with refused():
        reader.exactly(whole, 8, 500, "it")


def _pieces(inputs: tuple[bytes, ...]) -> dict[str, bytes]:
    return {str(number): data for number, data in enumerate(inputs)}


def _of_bytes(
    name: str, inputs: tuple[bytes, ...], decode: Callable[[bytes], object], share: float
) -> Target:
    """A target whose pieces are read each on its own."""
    pieces = _pieces(inputs)

    def run(changes: Changes) -> None:
        for data in (changes or pieces).values():
            if data is not None:
                with refused():
                    decode(data)

    return Target(name, pieces, run, share)


BYTES = (
    _of_bytes("whole trees", _TREES, fdt.read_whole, 0.05),
    _of_bytes("tree readers", _TREES, fdt_agreement.disagreement, 0.05),
    _of_bytes("trees", _TREES, _tree_payloads, 0.1),
    _of_bytes("root trees", _TREES[:3], _root_trees, 0.06),
    _of_bytes("blobs", _TREES + _STRUCTS, _blobs, 0.06),
    _of_bytes("structs", _STRUCTS, _structs, 0.08),
    _of_bytes("core headers", _CORE_HEADERS, _core_headers, 0.05),
    _of_bytes("texts", _TEXTS, _texts, 0.1),
    _of_bytes("command lines", _TEXTS[6:8], _command_lines, 0.04),
    _of_bytes("kernels", _KERNELS, _kernels, 0.05),
    _of_bytes("initial RAM disks", _DISKS, _disks, 0.05),
    _of_bytes(
        "events",
        ((folder("linux-7.3.4/hotplugged") / "events.jsonl").read_bytes()[:3000],),
        events.read_events,
        0.02,
    ),
)


def _chunks(memory: PhysicalMemory) -> None:
    head = 0xA4B000
    with refused():
        chunk_list.proof_of_small_bitmaps(chunk_list.walk(memory, head, 4096), 4096)
    for form in (MapFormat.CHUNKS_512, MapFormat.CHUNKS_PAGE):
        with refused():
            chunk_list.totals(memory, head, 4096, form)
    chunk_list.read(
        memory,
        head,
        4096,
        release_has_small_bitmaps=True,
        known=[MemoryRange(0x97F000, 4096)],
        ram=[MemoryRange(0, 2 << 30)],
    )


def _radix(memory: PhysicalMemory) -> None:
    root = 0x400D7000
    with refused():
        radix_tree.layout(memory, root, 4096)
    with refused():
        totals = radix_tree.totals(memory, root, 4096)
        assert totals == radix_tree.read(memory, root, 4096).totals
    radix_tree.read(memory, root, 4096)


def _sessions(header: LuoHeader, memory: PhysicalMemory) -> None:
    luo_session.array_range(header, 4096)
    luo_session.read(memory, header, 4096)


def _blocks(memory: PhysicalMemory) -> None:
    for size in (8, 104, 4096):
        with refused():
            block_list.walk(memory, 0xAAC000, size, 4096)


def _memfd(memory: PhysicalMemory) -> None:
    address = 0xD1C000
    found = memfd.read(memory, address, 2, 4096)
    state = memfd.decode_state(memory.read(address, memfd.STATE_SIZES[2]), 2)
    area = vmalloc.walk(memory, state.descriptor, 4096)
    vmalloc.read_bytes(memory, area, 4096, found.folios * folios.RECORD_SIZE)


def _search(memory: PhysicalMemory) -> None:
    search.search(memory, radix_tree.read(memory, 0x400AB000, 4096), limit=300)


def _of_pages(
    name: str, moment: str, decode: Callable[[PhysicalMemory], object], share: float
) -> Target:
    """A target whose pieces are the pages that decoding reads."""
    good = recorded(moment)
    decode(good)
    read = sorted({address & -4096 for address, _ in good.reads} & good.pages.keys())

    def run(changes: Changes) -> None:
        pages: dict[int, bytes | None] = {**good.pages}
        pages |= {int(at, 16): page for at, page in changes.items()}
        decode(PageMemory({at: page for at, page in pages.items() if page is not None}))

    return Target(name, {f"0x{at:x}": good.pages[at] for at in read}, run, share, pages=True)


PAGES = (
    _of_pages("chunk list", "linux-6.18.15/finalized", _chunks, 0.06),
    _of_pages("radix tree", "linux-7.3.4/sessions", _radix, 0.06),
    _of_pages(
        "session array",
        "linux-7.1.13/restored",
        partial(_sessions, LuoHeader(b"luo-v1", 1, 0x9B0000, 0, "luo-session-v2")),
        0.03,
    ),
    _of_pages(
        "session blocks",
        "linux-7.3.4/restored",
        partial(_sessions, LuoHeader(b"luo-v5", 1, 0xAAC000, 0, "blocks")),
        0.04,
    ),
    _of_pages("block list", "linux-7.3.4/restored", _blocks, 0.02),
    _of_pages("memfd", "linux-7.1.13/sessions", _memfd, 0.04),
    _of_pages("search", "linux-7.1.13/sessions", _search, 0.04),
)

TARGETS = (*BYTES, *PAGES, *MECHANISMS, recording_files.TARGET, bundle_files.TARGET)
