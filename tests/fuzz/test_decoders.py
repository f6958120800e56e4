"""No damaged input makes a decoder fail in a way of its own, hang, or take memory without end."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from kho_console.abi import (
    blob,
    chosen,
    chunk_list,
    command_line,
    crashkernel,
    dts,
    elf,
    fdt,
    iomem,
    kernel_config,
    kernel_log,
    kexec_metadata,
    kho_test,
    luo,
    luo_session,
    memblock,
    memfd,
    number_list,
    radix_tree,
    root_tree,
    scratch,
    setup_data,
)
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine import search
from kho_console.model.blob import LuoHeader
from kho_console.model.memory import MemoryRange
from tests.abi import kernel_trees
from tests.abi.kernel_trees import u32, u64
from tests.abi.page_memory import PageMemory, recorded, recorded_file
from tests.fuzz.guard import MOST_BYTES, Hang, no_hang, peak_of
from tests.fuzz.mutation import CASES, case, mutated

KHO = "/sys/kernel/debug/kho"
MEASURED = 40
"""Every so many cases the memory is measured, which makes a case slow."""


def of(moment: str, path: str) -> bytes:
    return recorded_file(moment, path)


TREES = (
    of("linux-7.3.4/restored", f"{KHO}/in/fdt"),
    of("linux-7.3.4/sessions", f"{KHO}/out/fdt"),
    of("linux-6.18.15/finalized", f"{KHO}/out/fdt"),
    of("linux-7.3.4/sessions", f"{KHO}/out/sub_fdts/memblock"),
    of("linux-7.1.13/restored", f"{KHO}/in/sub_fdts/LUO"),
    kernel_trees.sequential(
        [("compatible", b"kho-test-v1\0"), ("magic", u32(0x4B484F21))],
        [("data", [("nr_folios", u32(2)), ("csum", u32(1)), ("folios_info", u64(4096) * 2)])],
    ),
)
STRUCTS = (
    of("linux-7.3.4/sessions", f"{KHO}/out/sub_fdts/LUO"),
    of("linux-7.3.4/sessions", f"{KHO}/out/sub_fdts/kexec-metadata"),
)
NUMBERS = (b"0-3,8,10-11\n", b"0x2e800000\n0x0\n", b"0x1000 1024\n", b"80000000\n")


def _tree_payloads(data: bytes) -> None:
    tree = fdt.read(data)
    for decode in (memblock.decode, luo.decode_tree, memblock.fields, kho_test.fields):
        with_reason(decode, tree)
    with_reason(kho_test.decode, tree, 4096)
    dts.write(tree, lambda item: "x")


def _blobs(data: bytes) -> None:
    for name in (b"LUO", b"kexec-metadata", b"memblock", b"kho_test", b"other"):
        for incoming in (True, False):
            blob.interpret(name, data, 4096, incoming=incoming)


def _structs(data: bytes) -> None:
    for decode in (luo.decode_struct, kexec_metadata.decode, setup_data.decode, elf.read_header):
        with_reason(decode, data)
    with_reason(chosen.decode, data[:16], data[16:], 2, 2)
    with_reason(elf.read_program_headers, elf.ElfHeader(True, 4, 62, 64, 1), data)


def _texts(data: bytes) -> None:
    for parse in (
        number_list.numbers,
        number_list.hexadecimal,
        number_list.prefixed,
        iomem.parse,
        kernel_config.parse,
        command_line.parse,
        crashkernel.parse,
    ):
        with_reason(parse, data)
    with_reason(scratch.parse, data, NUMBERS[1])
    kernel_log.facts(kernel_log.parse(data.decode(errors="backslashreplace")))


def with_reason(decode: Callable[..., object], *arguments: object) -> None:
    """Run one of several decoders over the same bytes; each may refuse them, none else."""
    try:
        decode(*arguments)
    except FormatError as error:
        assert error.reason
        assert error.offset >= 0


@dataclass(frozen=True)
class Bytes:
    """Decoders of bytes, and inputs that are good for at least one of them."""

    name: str
    inputs: tuple[bytes, ...]
    run: Callable[[bytes], object]
    share: float


BYTES = (
    Bytes("whole trees", TREES, fdt.read_whole, 0.1),
    Bytes("trees", TREES, _tree_payloads, 0.15),
    Bytes("root trees", TREES[:3], root_tree.read, 0.1),
    Bytes("blobs", TREES + STRUCTS, _blobs, 0.1),
    Bytes("structs", (*STRUCTS, u64(4096) * 6), _structs, 0.1),
    Bytes(
        "texts",
        (
            *NUMBERS,
            of("linux-7.3.4/sessions", "/proc/iomem"),
            of("linux-7.3.4/sessions", "/proc/cmdline"),
            b'CONFIG_KEXEC_HANDOVER=y\nCONFIG_X="a b"\n',
            b"[    0.1] KHO: exec from: 7.3.4 (count 1)\n"
            b"[    0.2] KHO: disabling KHO revival: -22\n",
        ),
        _texts,
        0.1,
    ),
)


@dataclass(frozen=True)
class Pages:
    """A decoder that follows physical addresses through the pages of a recording."""

    name: str
    moment: str
    run: Callable[[PhysicalMemory], object]
    share: float


def _chunks(memory: PhysicalMemory) -> None:
    chunk_list.read(
        memory,
        0xA4B000,
        4096,
        release_has_small_bitmaps=True,
        known=[MemoryRange(0x97F000, 4096)],
        ram=[MemoryRange(0, 2 << 30)],
    )


def _search(memory: PhysicalMemory) -> None:
    search.search(memory, radix_tree.read(memory, 0x400AB000, 4096), limit=300)


PAGES = (
    Pages("chunk list", "linux-6.18.15/finalized", _chunks, 0.08),
    Pages(
        "radix tree",
        "linux-7.3.4/sessions",
        lambda memory: radix_tree.read(memory, 0x400D7000, 4096),
        0.08,
    ),
    Pages(
        "session array",
        "linux-7.1.13/restored",
        lambda memory: luo_session.read(
            memory, LuoHeader(b"luo-v1", 1, 0x9B0000, 0, "luo-session-v2"), 4096
        ),
        0.04,
    ),
    Pages(
        "session blocks",
        "linux-7.3.4/restored",
        lambda memory: luo_session.read(
            memory, LuoHeader(b"luo-v5", 1, 0xAAC000, 0, "blocks"), 4096
        ),
        0.05,
    ),
    Pages(
        "memfd",
        "linux-7.1.13/sessions",
        lambda memory: memfd.read(memory, 0xD1C000, 2, 4096),
        0.05,
    ),
    Pages("search", "linux-7.1.13/sessions", _search, 0.05),
)


def attempt(run: Callable[[], object]) -> None:
    try:
        run()
    except (FormatError, MissingMemory) as error:
        assert error.reason


def try_case(what: str, number: int, run: Callable[[], object]) -> None:
    """One case, with its name on whatever goes wrong."""
    try:
        with no_hang(what):
            if number % MEASURED:
                attempt(run)
            else:
                peak = peak_of(lambda: attempt(run))
                assert peak < MOST_BYTES, f"{peak} bytes at once"
    except (Exception, Hang) as error:
        error.add_note(f"fuzz case: {what} {number}")
        raise


@pytest.mark.parametrize("family", BYTES, ids=lambda family: family.name)
def test_damaged_bytes(family: Bytes) -> None:
    for data in family.inputs:
        attempt(partial(family.run, data))
    for number in range(int(CASES * family.share)):
        chance = case(family.name, number)
        data = mutated(chance, chance.choice(family.inputs))
        try_case(family.name, number, partial(family.run, data))


@pytest.mark.parametrize("family", PAGES, ids=lambda family: family.name)
def test_damaged_pages(family: Pages) -> None:
    good = recorded(family.moment)
    family.run(good)
    read = sorted({address & -4096 for address, _ in good.reads} & good.pages.keys())
    for number in range(int(CASES * family.share)):
        chance = case(family.name, number)
        memory = PageMemory(good.pages)
        for _ in range(chance.choice((1, 1, 3))):
            page = chance.choice(read)
            memory.pages[page] = mutated(chance, memory.pages[page]).ljust(4096, b"\0")[:4096]
        if chance.random() < 0.1:
            del memory.pages[chance.choice(read)]
        try_case(family.name, number, partial(family.run, memory))
