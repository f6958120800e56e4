"""What carrying a workload takes and gives back, as the twins of PKRAM and kstate have it."""

import pytest

from kho_console.engine.mechanisms import kstate, pkram
from kho_console.engine.mechanisms.placing import MARK, PAGE, Placed, place
from kho_console.model.kstate import KstateVersion
from kho_console.model.pkram import PkramVersion
from kho_console.model.unknown import Unknown
from kho_console.model.workload import (
    Cost,
    Crossed,
    Crossing,
    Workload,
    WorkloadObject,
    WorkloadRange,
    WorkloadRecords,
)


def placed(pages: int = 2, count: int = 3, *, order: int = 0) -> Placed:
    file = WorkloadObject("file", pages * PAGE << order, order)
    records = WorkloadRecords("devices", count, 32)
    workload = Workload("w", "", (WorkloadRange("range", PAGE),), (file,), (records,))
    return place(workload, scattered=False)


def state(version: KstateVersion, carried: Placed) -> tuple[Cost, kstate.Left]:
    cost, left, _ = kstate.run(version, carried)
    assert not isinstance(cost, Unknown) and not isinstance(left, Unknown)
    return cost, left


def pages(version: PkramVersion, carried: Placed) -> pkram.Left:
    _, left = pkram.run(version, carried)
    assert not isinstance(left, Unknown)
    return left


def test_the_segment_of_v1_is_written_once_and_that_of_v2_is_a_copy_of_a_buffer() -> None:
    for version, copies, size in ((KstateVersion.V1, 1, 8 << 20), (KstateVersion.V2, 2, PAGE)):
        carried = placed()
        cost, left = state(version, carried)
        place_ = left.handed.place
        assert (cost.copies, place_.size) == (copies, size)
        assert cost.reserved_pages == (carried.bytes + size) // PAGE
        assert not any(place_.overlaps(item) for item in carried.memory)
        stream = left.memory.read(place_.start, size)
        assert stream.count(MARK) == 1
        assert not any(stream[left.handed.used :])
        assert b"0x0%x" % place_.start in left.handed.words


def test_the_folio_of_v3_grows_and_is_copied_as_it_does() -> None:
    cost, left = state(KstateVersion.V3, placed())
    assert (cost.copies, left.handed.place.size) == (1, PAGE)
    # Records come first in the stream: the list of pages behind them makes the folio grow.
    cost, left = state(KstateVersion.V3, placed(pages=800))
    assert (cost.copies, left.handed.place.size) == (2, 2 * PAGE)
    assert 4096 < left.handed.used <= 8192
    out = int.from_bytes(left.memory.read(left.handed.out, 8), "little")
    assert out == left.handed.place.start
    # Each record is a piece of its own, and the room doubles once the folio is full.
    cost, left = state(KstateVersion.V3, placed(count=400))
    assert (cost.copies, left.handed.place.size) == (1, 8 * PAGE)
    assert left.handed.used < 6 * PAGE


def test_every_record_is_held_against_what_was_saved() -> None:
    _, left = state(KstateVersion.V3, placed())
    assert kstate.changed(left).result is Crossing.TAKEN
    stream = left.memory.read(left.handed.place.start, left.handed.place.size)
    at = left.handed.place.start + stream.index(b"record 00000001")
    left.memory.write(at, b"R")
    found = kstate.changed(left)
    assert found.result is Crossing.MISREAD
    assert found.reason == "1 of 5 objects come back otherwise"
    left.memory.write(left.handed.out, bytes(8))
    left.memory.write(0, bytes(left.handed.place.size))
    assert kstate.changed(left).result is Crossing.LOST


@pytest.mark.parametrize("version", [KstateVersion.V1, KstateVersion.V2])
def test_every_preserved_page_is_held_against_the_list(version: KstateVersion) -> None:
    carried = placed()
    _, left = state(version, carried)
    stream = left.memory.read(left.handed.place.start, left.handed.used)
    at = stream.rindex(carried.memory[0].start.to_bytes(8, "little"))
    left.memory.write(left.handed.place.start + at, (0x5000).to_bytes(8, "little"))
    assert kstate.changed(left) == Crossed(
        "one field more", Crossing.MISREAD, "2 of 3 pages are reserved"
    )


def test_folios_of_pkram_v3_come_back_to_v2_as_their_first_page_alone() -> None:
    carried = placed(order=9)
    found = pkram.crossed(pages(PkramVersion.V3, carried), PkramVersion.V2, carried)
    assert found.result is Crossing.MISREAD
    assert found.reason == "2 of 2 folios come back as their first page alone"
    back = pkram.crossed(pages(PkramVersion.V2, carried), PkramVersion.V3, carried)
    assert back.result is Crossing.TAKEN


@pytest.mark.parametrize("version", PkramVersion)
def test_records_of_pkram_are_held_against_what_was_saved(version: PkramVersion) -> None:
    carried = placed(count=300)
    left = pages(version, carried)
    assert pkram.crossed(left, version, carried).result is Crossing.TAKEN
    at = next(at for at, page in left.linked.pages.items() if b"record 00000299" in page)
    damaged = left.linked.pages[at].replace(b"record 00000299", b"record 00000298")
    left.linked.pages[at] = damaged
    found = pkram.crossed(left, version, carried)
    assert (found.result, found.reason) == (
        Crossing.MISREAD,
        "the records come back otherwise",
    )
