"""The calls of PKRAM in every order, over a simulated kexec."""

import errno
from collections.abc import Callable

import pytest

from kho_console.abi.pkram import read
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.model.unknown import Unknown
from kho_console.twin.pkram import (
    KernelBug,
    NullDereference,
    Pkram,
    PkramStub,
    Quirk,
    Stream,
    UsedAfterFree,
    boot,
    reboot,
)
from kho_console.twin.pkram.frames import Frames
from kho_console.twin.pkram.node import Data
from kho_console.twin.refused import Refused
from tests.abi.page_memory import PageMemory

V1, V2, V3 = PkramVersion
LATER = (V2, V3)


def kernel(version: PkramVersion) -> Pkram:
    return Pkram(version, Frames(0x1000))


def page(index: int, address: int = 0, order: int = 0, flags: int = 0) -> PreservedPage:
    return PreservedPage(index, address or 0x4000_0000 + index * 4096, order, flags)


def refused(number: int, call: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.errno == number


def saved(pkram: Pkram, name: bytes, count: int = 3, data: bytes = b"hello") -> Stream:
    stream = Stream()
    pkram.prepare_save(stream, name)
    pkram.prepare_save_obj(stream)
    for index in range(count):
        pkram.save_page(stream, page(index, 0x4000_0000 + (len(pkram.nodes) << 24) + index * 4096))
    assert pkram.write(stream, data) == len(data)
    pkram.finish_save_obj(stream)
    pkram.finish_save(stream)
    return stream


def next_kernel(pkram: Pkram, first: int = 0x9000) -> Pkram:
    left = reboot(pkram)
    return boot(pkram.version, PageMemory(left.pages), left.pfn, first=first)


@pytest.mark.parametrize("version", PkramVersion)
def test_what_is_saved_is_loaded_after_a_kexec_and_then_gone(version: PkramVersion) -> None:
    before = kernel(version)
    saved(before, b"vm0", 1200, b"x" * 4000)
    left = reboot(before)
    found = read.read(PageMemory(left.pages), left.pfn, version)
    assert found.faults == ()
    after = boot(version, PageMemory(left.pages), left.pfn, first=0x9000)
    assert after.sysfs == before.sysfs == f"{left.pfn:x}\n"
    stream = Stream()
    after.prepare_load(stream, b"vm0")
    refused(errno.ENOENT, lambda: after.prepare_load(Stream(), b"vm0"))
    after.prepare_save(Stream(), b"vm0")
    after.prepare_load_obj(stream)
    pages = list(iter(lambda: after.load_page(stream), None))
    assert sorted(item.index for item in pages) == list(range(1200))
    in_order = [item.index for item in pages] == list(range(1200))
    assert in_order == (version is not V1)
    assert [after.read(stream, 3000), after.read(stream, 1096 if version is V1 else 3000)] == [
        b"x" * 3000,
        b"x" * 1000,
    ]
    after.finish_load_obj(stream)
    refused(errno.ENODATA, lambda: after.prepare_load_obj(stream))
    after.finish_load(stream)
    with pytest.raises(UsedAfterFree):
        after.finish_load(stream)


@pytest.mark.parametrize("version", PkramVersion)
def test_the_errnos_in_the_order_of_the_checks(version: PkramVersion) -> None:
    pkram = kernel(version)
    stream = Stream()
    bare = Pkram(version, Frames(0x1000), 0)
    refused(errno.ENODEV, lambda: bare.prepare_save(stream, b"x" * 300))
    refused(errno.ENODEV, lambda: bare.prepare_load(stream, b"x"))
    refused(errno.ENAMETOOLONG, lambda: pkram.prepare_save(stream, b"x" * 256))
    refused(errno.ENOENT, lambda: pkram.prepare_load(stream, b"x" * 256))
    pkram.prepare_save(stream, b"x" * 255)
    refused(errno.EEXIST, lambda: pkram.prepare_save(Stream(), b"x" * 255))
    refused(errno.EBUSY, lambda: pkram.prepare_load(Stream(), b"x" * 255))
    pkram.frames.left = 0
    refused(errno.ENOMEM, lambda: pkram.prepare_save(Stream(), b"x" * 255))
    refused(errno.ENOMEM, lambda: pkram.prepare_save_obj(stream))
    pkram.frames.left = 1
    pkram.prepare_save_obj(stream)
    refused(errno.ENOMEM, lambda: pkram.save_page(stream, page(0)))
    refused(errno.ENOMEM, lambda: pkram.write(stream, b"x"))
    if version is not V1:
        refused(errno.EINVAL, lambda: pkram.prepare_save_obj(stream, 4))


@pytest.mark.parametrize("version", PkramVersion)
def test_calls_out_of_order_stop_the_kernel(version: PkramVersion) -> None:
    pkram = kernel(version)
    stream = Stream()
    pkram.prepare_save(stream, b"a")
    with pytest.raises(NullDereference):
        pkram.save_page(stream, page(0))
    with pytest.raises(NullDereference):
        pkram.write(stream, b"x")
    for call in (pkram.load_page, pkram.prepare_load_obj, pkram.finish_load):
        with pytest.raises(KernelBug):
            call(stream)
    pkram.prepare_save_obj(stream)
    pkram.save_page(stream, page(0))
    with pytest.raises(KernelBug, match="tracking"):
        pkram.save_page(stream, page(0))
    pkram.finish_save(stream)
    for done in (pkram.finish_save, pkram.discard_save, pkram.prepare_save_obj):
        with pytest.raises(KernelBug):
            done(stream)
    pkram.prepare_save(stream, b"b")
    pkram.discard_save(stream)
    assert [node.name for node in pkram.nodes] == [b"a"]
    with pytest.raises(UsedAfterFree):
        pkram.finish_save(stream)


def test_bytes_of_v1_have_one_page_that_no_second_object_gets() -> None:
    pkram = kernel(V1)
    stream = Stream()
    pkram.prepare_save(stream, b"a")
    pkram.prepare_save_obj(stream)
    pkram.write(stream, b"x" * 4000)
    with pytest.raises(KernelBug):
        pkram.write(stream, b"y" * 97)
    pkram.finish_save_obj(stream)
    pkram.prepare_save_obj(stream)
    pkram.write(stream, b"y" * 96)
    second, first = pkram.nodes[0].objects
    assert (second.data_len, second.byte_pages) == (96, [])
    assert first.byte_pages[0][1][3999:] == b"x" + b"y" * 96


def test_later_bytes_that_were_copied_before_memory_ran_out_stay() -> None:
    pkram = kernel(V3)
    stream = Stream()
    pkram.prepare_save(stream, b"a")
    pkram.prepare_save_obj(stream, Data.BYTES)
    pkram.frames.left = 3
    refused(errno.ENOMEM, lambda: pkram.write(stream, b"x" * 9000))
    assert pkram.nodes[0].objects[0].data_len == 8192
    with pytest.raises(NullDereference):
        pkram.save_page(stream, page(0))


def test_an_access_that_was_not_declared_goes_to_the_object_before() -> None:
    pkram = kernel(V2)
    stream = Stream()
    pkram.prepare_save(stream, b"a")
    pkram.prepare_save_obj(stream, Data.BYTES)
    pkram.prepare_save_obj(stream, Data.PAGES)
    pkram.write(stream, b"stray")
    new, old = pkram.nodes[0].objects
    assert (new.data_len, old.data_len) == (0, 5)


@pytest.mark.parametrize("version", LATER)
def test_an_object_without_links_blocks_all_behind_it(version: PkramVersion) -> None:
    pkram = kernel(version)
    stream = Stream()
    pkram.prepare_save(stream, b"a")
    pkram.prepare_save_obj(stream)
    pkram.finish_save(stream)
    pkram.prepare_load(stream, b"a")
    for _ in range(2):
        refused(errno.EINVAL, lambda: pkram.prepare_load_obj(stream))
    pkram.finish_load(stream)
    assert pkram.frames.tracked == set()


def test_a_folio_that_somebody_holds_is_refused_by_v3() -> None:
    pkram = kernel(V3)
    saved(pkram, b"a", 1)
    stream = Stream()
    pkram.prepare_load(stream, b"a")
    pkram.prepare_load_obj(stream)
    refused(errno.EINVAL, lambda: pkram.load_page(stream))


@pytest.mark.parametrize("version", PkramVersion)
def test_a_node_that_nobody_loads_is_not_protected_a_second_time(version: PkramVersion) -> None:
    first = kernel(version)
    saved(first, b"old")
    second = next_kernel(first)
    assert not second.frames.tracked
    left = reboot(second)
    if version is V1:
        assert not any(left.pages[left.pfn << 12])
        return
    found = read.read(PageMemory(left.pages), left.pfn, version)
    assert [node.name for node in found.nodes] == [b"old"]
    assert any("no region" in fault.reason for fault in found.faults)


def test_the_list_flips_with_every_generation() -> None:
    first = kernel(V3)
    for name in (b"a", b"b", b"c"):
        saved(first, name)
    assert [node.name for node in first.nodes] == [b"c", b"b", b"a"]
    assert [node.name for node in next_kernel(first).nodes] == [b"a", b"b", b"c"]


def test_a_node_in_the_middle_of_saving_is_left_behind_with_its_pages() -> None:
    pkram = kernel(V3)
    saved(pkram, b"done")
    stream = Stream()
    pkram.prepare_save(stream, b"open")
    pkram.prepare_save_obj(stream)
    pkram.save_page(stream, page(99, 0x7000_0000))
    left = reboot(pkram)
    assert pkram.warnings == ["a node is still being saved"]
    found = read.read(PageMemory(left.pages), left.pfn, V3)
    assert [node.name for node in found.nodes] == [b"done"]
    assert not isinstance(found.regions, Unknown)
    assert any(item.start <= 0x7000_0000 < item.end for item in found.regions)


def test_savers_side_by_side_split_links_and_lose_nothing() -> None:
    pkram = kernel(V3)
    one, two = Stream(), Stream()
    pkram.prepare_save(one, b"one")
    pkram.prepare_save(two, b"two")
    for stream in (one, two):
        pkram.prepare_save_obj(stream)
    twin = Stream(one.node, one.object, one.object, one.object)
    for index in range(20):
        pkram.save_page(one, page(index, 0x4000_0000 + index * 4096))
        pkram.save_page(twin, page(1000 + index, 0x5000_0000 + index * 4096))
        pkram.save_page(two, page(index, 0x6000_0000 + index * 4096))
    pkram.finish_save(one)
    pkram.finish_save(two)
    after = next_kernel(pkram)
    assert {node.name: len(node.objects[0].links) for node in after.nodes} == {
        b"one": 40,
        b"two": 1,
    }
    assert sum(1 for _ in after.nodes[0].objects[0].pages()) in (20, 40)


def test_bans_move_pages_and_park_metadata() -> None:
    pkram = kernel(V2)
    pkram.load_image([MemoryRange(0x1001_000, 0x2800), MemoryRange(0x4000_0000, 4096)])
    stream = Stream()
    pkram.prepare_save(stream, b"a")
    assert pkram.frames.parked == [0x1001, 0x1002, 0x1003]
    pkram.prepare_save_obj(stream)
    pkram.frames.contents[0x40000] = b"m" * 4096
    pkram.save_page(stream, page(0, 0x4000_0000, order=1))
    moved = list(pkram.nodes[0].objects[0].pages())
    assert [(item.index, item.order, item.flags) for item in moved] == [(0, 0, 0), (1, 0, 0)]
    assert pkram.frames.contents[moved[0].address >> 12] == b"m" * 4096
    kept = moved[0].address
    refused(errno.EADDRNOTAVAIL, lambda: pkram.load_image([MemoryRange(kept, 4096)]))


@pytest.mark.parametrize("version", LATER)
def test_whatever_is_in_the_way_at_boot_loses_everything(version: PkramVersion) -> None:
    before = kernel(version)
    saved(before, b"a")
    left = reboot(before)
    memory = PageMemory(left.pages)
    busy = boot(version, memory, left.pfn, first=9, reserved=[MemoryRange(left.pfn << 12, 1)])
    assert (busy.nodes, busy.frames.log) == ([], [f"PKRAM: Reservation failed: {-errno.EBUSY}"])
    wrong = boot(version, memory, left.pfn + 1, first=0x9000)
    assert wrong.frames.log[0] == "PKRAM: invalid super block"
    assert boot(version, memory, 0, first=0x9000).nodes == []


@pytest.mark.parametrize("version", PkramVersion)
def test_a_super_block_of_zeros(version: PkramVersion) -> None:
    left = reboot(kernel(version))
    after = boot(version, PageMemory(left.pages), left.pfn, first=0x9000)
    if version is V1:
        assert (after.super_block, after.frames.log) == (left.pfn, [])
    else:
        assert (after.super_block, after.frames.log[-1]) == (
            0x9000,
            f"PKRAM: Reservation failed: {-errno.EINVAL}",
        )


def test_a_reserved_super_block_is_not_looked_at() -> None:
    there = [MemoryRange(0x100_000, 4096)]
    after = boot(V2, PageMemory({0x100_000: b"x" * 4096}), 0x100, first=0x9000, reserved=there)
    assert after.frames.log == [f"PKRAM: Reservation failed: {-errno.EBUSY}"]


def test_any_number_of_bytes_comes_back() -> None:
    before = kernel(V2)
    saved(before, b"a", 1, b"x" * ((16 << 20) + 1))
    after = next_kernel(before, 0x100000)
    stream = Stream()
    after.prepare_load(stream, b"a")
    after.prepare_load_obj(stream)
    assert after.read(stream, 10) == b"x" * 10


def test_writing_0_destroys_what_is_idle_alone() -> None:
    pkram = kernel(V2)
    saved(pkram, b"idle")
    pkram.prepare_save(Stream(), b"saving")
    for text in ("1", "", "x", "0x"):
        refused(errno.EINVAL, lambda text=text: pkram.write_sysfs(text))  # type: ignore[misc]
    pkram.write_sysfs("0x0\n")
    assert [node.name for node in pkram.nodes] == [b"saving"]


def test_a_half_loaded_link_is_lost_when_its_access_ends_well() -> None:
    kept = {}
    for good in (True, False):
        before = kernel(V2)
        saved(before, b"a", 5)
        stream = Stream()
        before.prepare_load(stream, b"a")
        before.prepare_load_obj(stream)
        before.load_page(stream)
        before.finish_access(stream, good=good)
        before.finish_load_obj(stream)
        before.finish_load(stream)
        kept[good] = len(before.frames.tracked)
    assert kept == {True: 5, False: 1}


def test_the_stubs_of_the_first_patch() -> None:
    plain = PkramStub(V1)
    refused(errno.ENOSYS, lambda: plain.call("prepare_save"))
    assert (plain.call("load_page"), plain.call("read")) == (None, b"")
    with pytest.raises(KernelBug):
        plain.call("finish_save")
    later = PkramStub(V3)
    refused(errno.EINVAL, lambda: later.call("write"))
    assert later.call("finish_load") is None
    assert len(later.warnings) == 1


@pytest.mark.parametrize("unread", [True, False])
def test_v1_puts_a_page_of_bytes_twice_that_nobody_read(unread: bool) -> None:
    before = kernel(V1)
    saved(before, b"n")
    after = next_kernel(before)
    stream = Stream()
    after.prepare_load(stream, b"n")
    after.prepare_load_obj(stream)
    assert stream.object is not None
    frame = stream.object.byte_pages[0][0]
    if not unread:
        after.read(stream, 5)
    after.finish_load_obj(stream)
    after.finish_load(stream)
    assert after.quirks == ([Quirk.PUT_TWICE] if unread else [])
    assert after.frames.references.get(frame, 1) == (-1 if unread else 1)


def test_v3_tracks_a_folio_as_the_slot_around_its_head() -> None:
    pkram = kernel(V3)
    stream = Stream()
    pkram.prepare_save(stream, b"n")
    pkram.prepare_save_obj(stream)
    pkram.save_page(stream, page(0, 0x4000_0000, 9))
    assert pkram.quirks == []
    pkram.save_page(stream, page(512, 0x5000_4000, 2))
    pkram.save_page(stream, page(1024, 0x6000_0000, 10))
    assert pkram.quirks == [Quirk.SLOT_OF_A_HEAD]
    with pytest.raises(KernelBug):
        pkram.save_page(stream, page(2048, 0x5000_8000, 2))
    kept = pkram.frames.preserved()
    slots = (0x4000_0000, 0x5000_0000, 0x6000_0000)
    assert [(at, at + (2 << 20)) for at in slots] == kept[-3:]


def test_the_page_table_of_v1_leads_the_next_kernel_to_all_of_it() -> None:
    before = kernel(V1)
    saved(before, b"n")
    left = reboot(before)
    found = read.read(PageMemory(left.pages), left.pfn, V1)
    assert not isinstance(found.regions, Unknown)
    assert found.faults == ()
    assert MemoryRange(0x4100_0000, 0x3000) in found.regions
    after = boot(V1, PageMemory(left.pages), left.pfn, first=left.pfn)
    assert after.frames.allocate() << 12 > max(left.pages)


@pytest.mark.parametrize("version", PkramVersion)
def test_copies_that_are_dropped_stay(version: PkramVersion) -> None:
    pkram = kernel(version)
    pkram.load_image([MemoryRange(0x4000_0000, 4096)])
    stream = Stream()
    pkram.prepare_save(stream, b"n")
    pkram.prepare_save_obj(stream)
    pkram.save_page(stream, page(0, 0x4000_0000))
    pkram.discard_save(stream)
    assert pkram.quirks == ([] if version is V1 else [Quirk.COPIES_LEAK])


@pytest.mark.parametrize("version", PkramVersion)
def test_without_memory_for_the_regions_nothing_is_handed_over(version: PkramVersion) -> None:
    pkram = kernel(version)
    saved(pkram, b"n")
    pkram.frames.left = 0
    left = reboot(pkram)
    assert left.pages == {left.pfn << 12: bytes(4096)}
    assert "memory is short" in pkram.warnings[-1]


def test_an_entry_has_seven_bits_of_flags_and_no_page_at_0() -> None:
    pkram = kernel(V1)
    stream = Stream()
    pkram.prepare_save(stream, b"n")
    pkram.prepare_save_obj(stream)
    with pytest.raises(ValueError, match="address 0"):
        pkram.save_page(stream, PreservedPage(0, 0, 0, 0))
    pkram.save_page(stream, page(1, flags=0x1F2))
    pkram.finish_save(stream)
    left = reboot(pkram)
    found = read.read(PageMemory(left.pages), left.pfn, V1, listed=True)
    content = found.nodes[0].objects[0].content
    assert content is not None
    assert [item.flags for item in content.pages] == [0x72]


@pytest.mark.parametrize("version", PkramVersion)
def test_a_link_without_entries_is_passed_over(version: PkramVersion) -> None:
    before = kernel(version)
    saved(before, b"n", 1)
    saved(before, b"m", 1)
    first, second = (node.objects[0].links[0].frame << 12 for node in before.nodes)
    left = reboot(before)
    pages = dict(left.pages)
    pages[first] = (second >> 12).to_bytes(8, "little").ljust(4096, b"\0")
    after = boot(version, PageMemory(pages), left.pfn, first=0x9000)
    reboot(after)
    stream = Stream()
    after.prepare_load(stream, b"m")
    after.prepare_load_obj(stream)
    loaded = after.load_page(stream)
    assert loaded is not None
    assert loaded.index == 0
    assert after.load_page(stream) is None


@pytest.mark.parametrize("version", PkramVersion)
def test_a_call_that_memory_was_short_for_leaves_nothing(version: PkramVersion) -> None:
    pkram = kernel(version)
    stream = Stream()
    pkram.prepare_save(stream, b"n")
    pkram.prepare_save_obj(stream)
    pkram.frames.left = 1
    for _ in range(2):
        refused(errno.EEXIST, lambda: pkram.prepare_save(Stream(), b"n"))
    pkram.load_image([MemoryRange(0x5000_0000, 4096)])
    refused(errno.ENOMEM, lambda: pkram.save_page(stream, page(0, 0x5000_0000)))
    pkram.frames.allocate()
    refused(errno.ENOMEM, lambda: pkram.save_page(stream, page(0, 0x4000_0000)))
    assert pkram.frames.copies == set()
    assert pkram.frames.references == {0x40000: 1}
    if version is V1:
        return
    pkram.frames.left = 1
    refused(errno.ENOMEM, lambda: pkram.write(stream, b"x"))
    pkram.frames.left = 1
    pkram.write(stream, b"x")
    assert len(pkram.nodes[0].objects[0].byte_links) == 1
