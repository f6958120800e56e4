import numpy as np

from kho_console.engine import extents
from kho_console.engine.extents import Share
from kho_console.engine.observe import observe
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.unknown import Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder

REST = Owner(OwnerKind.UNATTRIBUTED)
OOPS = Owner(OwnerKind.RESERVE_MEM, b"oops")


def ownership() -> Ownership:
    return Ownership(
        np.array([0x1000, 0x3000, 0x8000], np.uint64),
        np.array([0x2000, 0x4000, 0xA000], np.uint64),
        np.array([0, 1, 0], np.int32),
        (REST, OOPS),
    )


def test_all_rows_without_a_choice() -> None:
    rows = extents.select(ownership(), None)
    assert rows.kept is None
    assert len(rows) == 3
    assert rows.bytes == 0x4000
    assert rows[1].owner == OOPS


def test_chosen_rows_keep_their_order_and_sum() -> None:
    rows = extents.select(ownership(), np.array([True, False, True]))
    assert [item.range.start for item in (rows[0], rows[1])] == [0x1000, 0x8000]
    assert len(rows) == 2
    assert rows.bytes == 0x3000


def test_the_share_of_each_owner_the_largest_first() -> None:
    assert extents.shares(extents.select(ownership(), None)) == (
        Share(REST, 0x3000, 2),
        Share(OOPS, 0x1000, 1),
    )


def test_an_owner_that_stands_twice_has_one_share_and_one_without_bytes_none() -> None:
    found = Ownership(
        np.array([0x1000, 0x3000], np.uint64),
        np.array([0x2000, 0x5000], np.uint64),
        np.array([1, 2], np.int32),
        (REST, OOPS, OOPS),
    )
    assert extents.shares(extents.select(found, None)) == (Share(OOPS, 0x3000, 2),)


def test_the_shares_of_a_recorded_map() -> None:
    found = observe(FixtureSource(folder("linux-7.3.4/sessions"))).inventory.ownership
    assert not isinstance(found, Unknown)
    shares = extents.shares(extents.select(found, None))
    assert {item.owner: item.bytes for item in shares} == found.bytes_by_owner()
    assert sum(item.extents for item in shares) == len(found)


def test_the_first_row_of_an_owner() -> None:
    rows = extents.select(ownership(), None)
    assert extents.first_of(rows, OOPS) == 1
    assert extents.first_of(rows, Owner(OwnerKind.ROOT_TREE)) == 0
    rows = extents.select(ownership(), np.array([False, True, False]))
    assert extents.first_of(rows, OOPS) == 0


def test_the_row_at_an_address() -> None:
    rows = extents.select(ownership(), None)
    found = {at: rows.row_at(at) for at in (0, 0x1000, 0x1FFF, 0x2000, 0x3FFF, 0x9000, 0xA000)}
    assert found == {0: 0, 0x1000: 0, 0x1FFF: 0, 0x2000: 1, 0x3FFF: 1, 0x9000: 2, 0xA000: 2}
    assert rows.row_at((1 << 64) - 1) == 2
    assert extents.select(ownership(), np.zeros(3, bool)).row_at(0x1000) == 0


def test_rows_of_a_choice_are_found_without_taking_them_out() -> None:
    rows = extents.select(ownership(), np.array([True, False, True]))
    found = {at: rows.row_at(at) for at in (0, 0x1FFF, 0x2000, 0x3000, 0x8000, 0xA000)}
    assert found == {0: 0, 0x1FFF: 0, 0x2000: 1, 0x3000: 1, 0x8000: 1, 0xA000: 1}
    assert rows.within(MemoryRange(0x1800, 0x6800)) == range(0, 1)
    assert rows.within(MemoryRange(0x1800, 0x6801)) == range(0, 2)
    assert not rows.within(MemoryRange(0x2000, 0x6000))
    assert not rows.within(MemoryRange(0xA000, 0x1000))


def test_rows_joined_where_they_touch() -> None:
    found = Ownership(
        np.array([0x1000, 0x2000, 0x3000, 0x5000], np.uint64),
        np.array([0x2000, 0x3000, 0x4000, 0x6000], np.uint64),
        np.array([0, 1, 0, 0], np.int32),
        (REST, OOPS),
    )
    whole = extents.select(found, None).joined()
    assert list(whole) == [MemoryRange(0x1000, 0x3000), MemoryRange(0x5000, 0x1000)]
    without = extents.select(found, np.array([True, False, True, True])).joined()
    assert [item.start for item in without] == [0x1000, 0x3000, 0x5000]
    assert not len(extents.select(found, np.zeros(4, bool)).joined())


def test_what_a_few_rows_have() -> None:
    rows = extents.select(ownership(), np.array([True, True, False]))
    assert set(extents.shares(rows)) == {Share(REST, 0x1000, 1), Share(OOPS, 0x1000, 1)}


def test_orders_of_a_recorded_range() -> None:
    found = observe(FixtureSource(folder("linux-7.3.4/ready"))).inventory.preserved
    assert not isinstance(found, Unknown)
    assert extents.orders(found, MemoryRange(0x6E800000, 4 << 20)) == (10,)
    assert extents.orders(found, MemoryRange(0x7FCCD000, 1 << 20)) == tuple(range(8))
    assert extents.orders(found, MemoryRange(0, 4096)) == ()
