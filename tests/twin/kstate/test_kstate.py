"""State over a simulated kexec, as each series does it, with its defects, and strictly."""

import errno
import struct
from typing import Any

import pytest

from kho_console.abi.error import FormatError
from kho_console.abi.kstate.description import KS, Description, Field, Registry, base_type
from kho_console.abi.kstate.v3 import reserve_mem_instance
from kho_console.model.kstate import KstateVersion
from kho_console.model.memory import MemoryRange
from kho_console.twin.kstate import Defect, KernelFault, Kstate, KstateV3
from kho_console.twin.refused import Refused
from tests.abi.kstate.streams import V1, V2, V3, shipped

EARLIER = (KstateVersion.V1, KstateVersion.V2)
WORDS = Field("words", KS.BASE_TYPE, base_type("u32"), count="cpus")

NOTHING = struct.pack("<4iI", 1, 0, 1, 4, 0)
"""A list of no pages, of v1 and v2."""


def registry(version: KstateVersion, *fields: Field, version_id: int = 0, **more: Any) -> Registry:
    """A series with one description, of id 20."""
    return Registry(version, [Description("own", 20, version_id, fields, **more)])


def value(number: int) -> dict[str, Any]:
    return {"words": [number] * 2}


def test_the_streams_of_the_posted_tests() -> None:
    first = Kstate(shipped(KstateVersion.V1))
    first.preserve_page(0x1000_0000)
    first.register(2, {"i": 10, "s": b"abcdefghk", "l": 20, "page": 0xFFFFEA0000400000})
    assert first.save() == V1
    second = Kstate(shipped(KstateVersion.V2))
    page: dict[str, Any] = {"page": 0x400000, "page_struct": {"_mapcount": -1, "_refcount": 1}}
    second.register(3, {"i": 10, "s": b"abcdefghk", "l": 20, **page})
    saved = second.save()
    assert (saved[: len(V2) - 4], len(saved)) == (V2[:-4], 4096)
    third = KstateV3(shipped(KstateVersion.V3))
    third.register(2, {"fdt": 0x2000_0000, "len": 4096}, 1)
    test = third.register(3, {"s": b"abcdefghk", "l": 20, "folio": 0x1000_0000}, 123)
    test.subsections[4] = {"i": 10}
    assert third.save() == V3


@pytest.mark.parametrize("version", EARLIER)
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_saved_comes_back_at_registration(version: KstateVersion, strict: bool) -> None:
    own = registry(version, WORDS)
    before = Kstate(own, counts={"cpus": 2})
    for number in (1, 2):
        before.register(20, value(number))
    before.preserve_page(0x5000, 1)
    after = Kstate(own, before.save(), {"cpus": 2}, strict=strict)
    found: list[dict[str, Any]] = [{}, {}, {}]
    for item in found:
        after.register(20, item)
    assert found == [value(1), value(2), {}]
    assert after.reserved == [(1, 0x5000)]
    assert after.restorer.defects == []


def test_an_order_is_a_truth_value_but_strictly() -> None:
    before = Kstate(registry(KstateVersion.V2))
    before.preserve_page(0x8000, 3)
    after = Kstate(registry(KstateVersion.V2), before.save())
    assert (after.reserved, after.restorer.defects) == ([(1, 0x8000)], [Defect.BYTE_IS_BOOL])
    strict = Kstate(registry(KstateVersion.V2), before.save(), strict=True)
    assert (strict.reserved, strict.restorer.defects) == ([(3, 0x8000)], [])


@pytest.mark.parametrize("version", EARLIER)
def test_the_second_generation_breaks(version: KstateVersion) -> None:
    first = Kstate(registry(version))
    first.preserve_page(0x5000)
    second = Kstate(registry(version), first.save())
    assert (second.nr_pages, second.pages) == (1, [])
    left = second.save()
    assert second.restorer.defects == [Defect.STALE_COUNT]
    with pytest.raises(KernelFault) as caught:
        Kstate(registry(version), left[:24])
    assert caught.value.defect is Defect.READS_ON
    with pytest.raises(FormatError):
        Kstate(registry(version), left, strict=True)


def test_a_machine_that_counts_otherwise_takes_what_is_behind() -> None:
    own = registry(KstateVersion.V2, WORDS)
    before = Kstate(own, counts={"cpus": 2})
    before.register(20, value(7))
    after = Kstate(own, before.save(), {"cpus": 3})
    found: dict[str, Any] = {}
    after.register(20, found)
    assert found == {"words": [7, 7, 1]}
    assert after.restorer.defects == [Defect.READS_ON, Defect.COUNTED_AGAIN]
    fewer = Kstate(own, before.save(), {"cpus": 1})
    fewer.register(20, found)
    assert (found, fewer.restorer.defects) == (
        {"words": [7]},
        [Defect.NOT_CONSUMED, Defect.COUNTED_AGAIN],
    )
    with pytest.raises(FormatError):
        Kstate(own, before.save(), {"cpus": 3}, strict=True).register(20, {})


@pytest.mark.parametrize("version", EARLIER)
def test_another_version_is_warned_of_and_read_all_the_same(version: KstateVersion) -> None:
    field = Field("n", KS.BASE_TYPE, base_type("u32"))
    before = Kstate(registry(version, field, version_id=1))
    before.register(20, {"n": 5})
    newer = registry(version, field, Field("m", KS.BASE_TYPE, base_type("u32")), version_id=2)
    after = Kstate(newer, before.save())
    found: dict[str, Any] = {}
    after.register(20, found)
    assert found == {"n": 5, "m": 1}
    assert after.restorer.warnings == ["own: version 1, described is 2"]
    with pytest.raises(FormatError, match="version 1"):
        Kstate(newer, before.save(), strict=True).register(20, {})


def test_each_kind_is_warned_of_once() -> None:
    inner = struct.pack("<6i", 2, 9, 5, 8, -1, 1)
    data = struct.pack("<i10sQQ", 10, b"abc", 20, 0x400000) + inner
    one = struct.pack("<4i", 3, 7, 1, len(data)) + data
    kernel = Kstate(shipped(KstateVersion.V2), one + one + b"\xff" * 4)
    kernel.register(3, {})
    first, second = kernel.restorer.warnings
    assert "version 7" in first
    assert "nested instance 5" in second


def test_of_entries_that_are_there_twice_the_last_wins_and_in_v3_the_first() -> None:
    field = Field("n", KS.BASE_TYPE, base_type("u32"))
    before = Kstate(registry(KstateVersion.V1, field))
    for number in (1, 2):
        before.register(20, {"n": number}).instance_id = 1
    found: dict[str, Any] = {}
    Kstate(registry(KstateVersion.V1, field), before.save()).register(20, found)
    assert found == {"n": 1}
    later = KstateV3(registry(KstateVersion.V3, field))
    for number in (1, 2):
        later.register(20, {"n": number}, 1)
    after = KstateV3(registry(KstateVersion.V3, field), later.save())
    after.restore(after.register(20, found, 1))
    assert found == {"n": 2}


def test_fields_that_come_and_go_in_v3() -> None:
    old = Field("old", KS.BASE_TYPE, base_type("u16"))
    kept = Field("kept", KS.BASE_TYPE, base_type("u32"))
    before = KstateV3(registry(KstateVersion.V3, old, kept, version_id=1))
    before.register(20, {"old": 1, "kept": 2}, 1)
    gone = Field("old", KS.BASE_TYPE | KS.DEPRECATED, base_type("u16"), version_id=1)
    new = Field("new", KS.BASE_TYPE, base_type("u64"), version_id=2)
    now = registry(KstateVersion.V3, gone, kept, new, version_id=2, min_version_id=1)
    for strict in (False, True):
        after = KstateV3(now, before.save(), strict=strict)
        found: dict[str, Any] = {"new": 9}
        after.restore(after.register(20, found, 1))
        assert found == {"kept": 2, "new": 9}
    again = KstateV3(now)
    again.register(20, found, 1)
    assert len(again.save()) == 4 + 20 + 12 + 4


def test_what_v3_does_not_find() -> None:
    own = shipped(KstateVersion.V3)
    for stream in (None, b"", bytes(64), V3[:8] + bytes(4) + V3[12:], V3):
        kernel = KstateV3(own, stream)
        with pytest.raises(Refused) as caught:
            kernel.restore(kernel.register(2, {}, 7))
        assert caught.value.errno == errno.ENOENT
    empty = KstateV3(own, KstateV3(own).save() + bytes(8))
    empty.register_restore(2, {})
    assert empty.restorer.defects == [Defect.STALE_ID]


def test_an_unknown_subsection_is_passed_over() -> None:
    own = shipped(KstateVersion.V3)
    without = Registry(KstateVersion.V3, [item for item in own if item.id not in (3, 4)])
    after = KstateV3(without, V3)
    assert after.register_restore(2, {}).value == {"fdt": 0x2000_0000, "len": 4096}


def test_a_stream_of_v3_that_outgrows_its_page() -> None:
    kernel = KstateV3(shipped(KstateVersion.V3))
    for number in range(200):
        kernel.register(2, {"fdt": number, "len": 1}, number)
    with pytest.raises(KernelFault) as caught:
        kernel.save()
    assert caught.value.defect is Defect.FOLIO_LOST
    assert len(kernel.save(fixed=True)) == 4 + 200 * 36 + 4


def test_defects_that_stop_the_kernel() -> None:
    end = Field("end", KS.END | KS.BASE_TYPE)
    kernel = Kstate(registry(KstateVersion.V1, end))
    kernel.register(20, {})
    with pytest.raises(KernelFault) as caught:
        kernel.save()
    assert caught.value.defect is Defect.END_IS_COMPARED
    later = KstateV3(shipped(KstateVersion.V3))
    folio = later.register(2, {}, 1)
    later.unregister(folio)
    assert later.states == []
    with pytest.raises(KernelFault) as caught:
        later.unregister(folio)
    assert caught.value.defect is Defect.UNKNOWN_FREED
    with pytest.raises(KernelFault) as caught:
        Kstate(registry(KstateVersion.V1), bytes(4096))
    assert caught.value.defect is Defect.ENDLESS_ZEROS
    large = Field("large", KS.BASE_TYPE, base_type("bytes[1048576]"), count="many")
    kernel = Kstate(registry(KstateVersion.V1, large))
    kernel.register(20, {"large": [bytes(1 << 20)] * 8})
    with pytest.raises(KernelFault) as caught:
        kernel.save()
    assert caught.value.defect is Defect.NO_BOUNDS


def test_a_page_that_is_preserved_twice_is_saved_twice() -> None:
    kernel = Kstate(registry(KstateVersion.V2))
    kernel.preserve_page(0x5000)
    kernel.preserve_page(0x5000)
    after = Kstate(registry(KstateVersion.V2), kernel.save())
    assert after.reserved == [(0, 0x5000)] * 2
    assert kernel.restorer.defects == [Defect.PAGE_TWICE]


def test_the_words_for_the_next_kernel() -> None:
    first, second = Kstate(registry(KstateVersion.V1)), Kstate(registry(KstateVersion.V2))
    assert first.command_line(b"quiet", 0x1000, 0) == b"migrate_stream=0x01000 quiet"
    assert second.command_line(b"quiet", 0x1000, 8192) == b"kstate_stream=0x01000@8192 quiet"
    crash = second.command_line(b"quiet", 0x1000, 8192, crash=b"elfcorehdr=0x5000 ")
    assert crash == b"kstate_stream=0x01000@8192 quiet"
    assert second.restorer.defects == [Defect.PREFIX_LOST]


def test_the_instance_of_a_reserved_region() -> None:
    assert reserve_mem_instance(b"oops") == 0x5F087B66
    before = KstateV3(shipped(KstateVersion.V3))
    region: dict[str, Any] = {"name": b"oops", "start": 0x5000, "size": 4096}
    before.reserve_mem(b"oops", region)
    after = KstateV3(shipped(KstateVersion.V3), before.save())
    with pytest.raises(Refused):
        after.restore(after.reserve_mem(b"oops", {}, b"garbage"))
    assert after.restorer.defects == [Defect.NAME_UNPADDED]
    found = after.reserve_mem(b"oops", {})
    after.restore(found)
    assert found.value == region


@pytest.mark.parametrize(
    ("version", "stream", "defect"),
    [
        (KstateVersion.V1, NOTHING + bytes(160), Defect.ENDLESS_ZEROS),
        (KstateVersion.V2, NOTHING + bytes(160), Defect.ENDLESS_ZEROS),
        (KstateVersion.V2, NOTHING, Defect.READS_ON),
        (KstateVersion.V2, NOTHING + struct.pack("<4i", 9, 0, 1, 64), Defect.READS_ON),
        (KstateVersion.V1, NOTHING + struct.pack("<4i", 9, 0, 1, -16), Defect.LED_BACK),
        (KstateVersion.V1, struct.pack("<4i", 9, 0, 1, -64), Defect.READS_ON),
    ],
)
def test_a_walk_that_leads_nowhere(version: KstateVersion, stream: bytes, defect: Defect) -> None:
    with pytest.raises(KernelFault) as caught:
        Kstate(registry(version), stream)
    assert caught.value.defect is defect
    with pytest.raises(FormatError):
        Kstate(registry(version), stream, strict=True)


def test_v1_walks_over_zeros_to_what_is_behind() -> None:
    before = Kstate(registry(KstateVersion.V1))
    before.preserve_page(0x5000)
    assert Kstate(registry(KstateVersion.V1), bytes(64) + before.save()).reserved == [(0, 0x5000)]


@pytest.mark.parametrize("version", [KstateVersion.V2, KstateVersion.DEV])
def test_a_first_id_of_zero_is_warned_of_and_given_up(version: KstateVersion) -> None:
    before = Kstate(registry(version))
    before.preserve_page(0x5000)
    saved = before.save()
    zero = struct.pack("<5i", 2, 0, 0, 1, 0)[0 if version.has_sections else 4 :]
    kernel = Kstate(registry(version), zero + saved)
    kernel.register(20, {})
    assert kernel.reserved == []
    assert kernel.restorer.warnings == [f"at 0x{len(zero) - 16:x}: state id 0, it gives up"]
    # A later one is walked over.
    other = struct.pack("<5i", 2, 9, 0, 1, 0)[-len(zero) :]
    assert Kstate(registry(version), other + zero + saved).reserved == [(0, 0x5000)]
    for stream in (zero + saved, other + zero + saved):
        with pytest.raises(FormatError, match="state id 0"):
            Kstate(registry(version), stream, strict=True)


def test_a_first_id_of_zero_in_v3() -> None:
    stream = V3[:8] + bytes(4) + V3[12:]
    kernel = KstateV3(shipped(KstateVersion.V3), stream)
    kernel.register_restore(2, {})
    kernel.register_restore(2, {})
    assert kernel.restorer.warnings == ["at 0x4: state id 0, it gives up"]
    with pytest.raises(FormatError, match="state id 0"):
        KstateV3(shipped(KstateVersion.V3), stream, strict=True).register_restore(2, {})


def test_of_a_subsection_that_is_there_twice_the_first_wins() -> None:
    section, subsection, rest = V3[:50], V3[50:74], V3[74:]
    other = subsection[:-4] + (11).to_bytes(4, "little")
    kernel = KstateV3(shipped(KstateVersion.V3), section + subsection + other + rest)
    state = kernel.register(3, {}, 123)
    kernel.restore(state)
    assert state.subsections == {4: {"i": 10}}


def test_v2_keeps_an_image_off_other_memory_than_it_means() -> None:
    kernel = Kstate(registry(KstateVersion.V2))
    kernel.preserve_page(0x5000_0000)
    kernel.preserve_page(0x6000_0000, 2)
    assert not kernel.keeps_off(MemoryRange(0x5000_0000, 4096))
    assert not kernel.keeps_off(MemoryRange(0x6000_0000, 4096))
    assert kernel.keeps_off(MemoryRange(0x61000, 4096))
    assert kernel.restorer.defects == [Defect.UNPROTECTED]


def test_v2_that_fails_to_save_leaks_its_buffer() -> None:
    kernel = Kstate(registry(KstateVersion.V2, WORDS))
    kernel.register(20, {})
    for _ in range(2):
        with pytest.raises(ValueError, match="has no words"):
            kernel.save()
    assert (kernel.leaked, kernel.restorer.defects) == (2, [Defect.BUFFER_LEAKED])


def test_v3_grows_by_one_order_however_much_is_written() -> None:
    large = Field("large", KS.BASE_TYPE, base_type("bytes[9000]"))
    kernel = KstateV3(registry(KstateVersion.V3, large))
    kernel.register(20, {"large": bytes(9000)}, 1)
    with pytest.raises(KernelFault) as caught:
        kernel.save(fixed=True)
    assert caught.value.defect is Defect.ONE_ORDER
    small = Field("small", KS.BASE_TYPE, base_type("bytes[900]"), count="many")
    kernel = KstateV3(registry(KstateVersion.V3, small))
    kernel.register(20, {"small": [bytes(900)] * 10}, 1)
    assert len(kernel.save(fixed=True)) == 4 + 20 + 9000 + 4
