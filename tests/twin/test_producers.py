"""Producers inside the kernel, and what is left where one of them refuses."""

import errno

import pytest

from kho_console.abi import blob as abi_blob
from kho_console.abi import vmalloc
from kho_console.engine.observe import observe
from kho_console.model.blob import BlobState, KhoTest
from kho_console.model.change import Write
from kho_console.model.event import Event
from kho_console.model.memory import MemoryRange
from kho_console.source.protocol import SourceError
from kho_console.twin import MemoryShort, ProducerRefuses, Twin, TwinSource, WriteFails
from kho_console.twin.producers import add_test
from tests.twin.scenes import FINALIZE, KHO, cold, errno_of, execute, load, preserved, write
from tests.twin.test_crossings import LINE, RELEASES, running

BLOBS = f"{KHO}/out/sub_fdts"


@pytest.mark.parametrize("release", ["6.16", "6.17", "6.18"])
def test_a_finalize_that_fails_leaves_the_blobs_that_are_there(release: str) -> None:
    twin = running(release)
    source = TwinSource(twin)
    twin.arm(ProducerRefuses(errno.ENOMEM))
    assert errno_of(twin, b"1") == errno.ENOMEM
    assert source.read(FINALIZE) == b"0\n"
    assert source.exists(f"{KHO}/out/fdt") is False
    assert source.list(BLOBS) == ("memblock",)
    assert preserved(twin) == ()
    # debugfs has the name already.
    assert errno_of(twin, b"1") == errno.EEXIST


def test_memory_that_is_short_and_a_write_that_fails() -> None:
    twin = running("6.19")
    before = TwinSource(twin).read(FINALIZE)
    twin.arm(MemoryShort(0))
    assert errno_of(twin, b"1") == errno.ENOMEM
    assert TwinSource(twin).read(FINALIZE) == before
    twin.kernel.allocator.left = None
    twin.arm(WriteFails(2, errno.EIO))
    assert [errno_of(twin, b"1") for _ in range(3)] == [0, errno.EIO, 0]


@pytest.mark.parametrize(("release", "wanted"), [("6.17", errno.EINVAL), ("6.18", 0)])
def test_a_region_that_is_no_whole_pages(release: str, wanted: int) -> None:
    twin = running(release, LINE.replace(b"4M:4096", b"6000:64"))
    assert errno_of(twin, b"1") == wanted


@pytest.mark.parametrize("release", RELEASES[2:])
def test_the_kernels_own_test_reads_back(release: str) -> None:
    twin = running(release)
    hand = twin.kernel.handover
    assert hand is not None
    if hand.row.reversible:
        hand.producers.append(lambda made: add_test(made, (0, 3)))
    else:
        add_test(hand, (0, 3))
    if not hand.row.stateless:
        write(twin, b"1")
    content = TwinSource(twin).read(f"{BLOBS}/kho_test")
    found = abi_blob.interpret(b"kho_test", content, 4096, incoming=False)
    assert found.state is BlobState.VALID
    told = found.payload
    assert isinstance(told, KhoTest) and told.folios == 2
    if release == "6.17":
        assert told.inline is not None
        folios = told.inline
    else:
        assert told.vmalloc is not None
        memory = twin.hardware.memory
        area = vmalloc.walk(memory, told.vmalloc, 4096)
        raw = vmalloc.read_bytes(memory, area, 4096, 16)
        words = (int.from_bytes(raw[at : at + 8], "little") for at in (0, 8))
        folios = tuple((word & -4096, word & 4095) for word in words)
    assert [order for _, order in folios] == [0, 3]
    for address, order in folios:
        assert twin.preserved().covers(MemoryRange(address, 4096 << order))


def test_counts_go_on_along_a_chain() -> None:
    twin = running("7.3")
    for count in (1, 2, 3):
        load(twin, "7.2" if count % 2 else "7.3")
        execute(twin)
        seen = observe(TwinSource(twin))
        assert seen.kexec_count == count
        assert seen.previous_release == (b"7.3" if count % 2 else b"7.2")


def test_a_region_of_another_size_is_not_adopted() -> None:
    twin = running("7.3")
    before = preserved(twin)
    load(twin, "7.3", LINE.replace(b"4M:4096:oops", b"2M:4096:oops"))
    execute(twin)
    assert "Revived" not in str(TwinSource(twin).kernel_log())
    # The old one stays reserved, unreachable.
    assert tuple(twin.kernel.came) == before


def answer(twin: Twin, path: str, data: bytes) -> int:
    try:
        TwinSource(twin).change(Write(path, data))
    except SourceError as error:
        return error.errno or -1
    return 0


def test_memory_blocks_and_cpus() -> None:
    twin = cold("linux-7.3.4/hotplugged")
    source = TwinSource(twin)
    stream = source.events()
    recorded = stream.poll(0)
    blocks = "/sys/devices/system/memory"
    assert answer(twin, f"{blocks}/memory33/state", b"offline") == 0
    assert source.read(f"{blocks}/memory33/online") == b"0\n"
    # Scratch and preserved memory cannot be moved.
    assert answer(twin, f"{blocks}/memory2/state", b"offline") == errno.EBUSY
    assert answer(twin, f"{blocks}/memory33/state", b"away") == errno.EINVAL
    assert answer(twin, f"{blocks}/memory99/state", b"offline") == errno.ENOENT
    assert answer(twin, f"{blocks}/block_size_bytes", b"1") == errno.EACCES
    assert answer(twin, "/sys/devices/system/cpu/cpu1/online", b"0") == 0
    assert source.read("/sys/devices/system/cpu/online") == b"0\n"
    happened = [item for item in stream.poll(0) if isinstance(item, Event)]
    assert recorded and [(item.action, item.device) for item in happened] == [
        ("offline", "memory33"),
        ("offline", "cpu1"),
    ]
