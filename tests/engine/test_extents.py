import numpy as np
import pytest

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
    rows = extents.select(ownership(), lambda _: True)
    assert rows.kept is None
    assert len(rows) == 3
    assert rows.bytes == 0x4000
    assert rows[1].owner == OOPS


def test_chosen_rows_keep_their_order_and_sum() -> None:
    rows = extents.select(ownership(), lambda owner: owner == REST)
    assert [item.range.start for item in (rows[0], rows[1])] == [0x1000, 0x8000]
    assert len(rows) == 2
    assert rows.bytes == 0x3000


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("", True),
        ("memfd", True),
        ("owner:memfd", True),
        ("MEMFD web", True),
        ("owner:memfd owner:db", False),
        ("root", False),
    ],
)
def test_all_words_of_a_filter_must_be_there(words: str, matches: bool) -> None:
    owner = Owner(OwnerKind.MEMFD, b"0x1000", b"vm-web", 4096)
    assert extents.named(words, lambda item: f"{item.kind} of vm-Web")(owner) is matches


def test_the_share_of_each_owner_the_largest_first() -> None:
    assert extents.shares(ownership()) == (Share(REST, 0x3000, 2), Share(OOPS, 0x1000, 1))


def test_an_owner_that_stands_twice_has_one_share_and_one_without_bytes_none() -> None:
    found = Ownership(
        np.array([0x1000, 0x3000], np.uint64),
        np.array([0x2000, 0x5000], np.uint64),
        np.array([1, 2], np.int32),
        (REST, OOPS, OOPS),
    )
    assert extents.shares(found) == (Share(OOPS, 0x3000, 2),)


def test_the_shares_of_a_recorded_map() -> None:
    found = observe(FixtureSource(folder("linux-7.3.4/sessions"))).inventory.ownership
    assert not isinstance(found, Unknown)
    shares = extents.shares(found)
    assert {item.owner: item.bytes for item in shares} == found.bytes_by_owner()
    assert sum(item.extents for item in shares) == len(found)


def test_the_first_row_of_an_owner() -> None:
    rows = extents.select(ownership(), lambda _: True)
    assert extents.first_of(rows, OOPS) == 1
    assert extents.first_of(rows, Owner(OwnerKind.ROOT_TREE)) == 0
    rows = extents.select(ownership(), lambda owner: owner == OOPS)
    assert extents.first_of(rows, OOPS) == 0


def test_each_owner_is_asked_for_once() -> None:
    asked: list[Owner] = []

    def wanted(owner: Owner) -> bool:
        asked.append(owner)
        return True

    extents.select(ownership(), wanted)
    assert asked == [REST, OOPS]


def test_the_row_at_an_address() -> None:
    rows = extents.select(ownership(), lambda _: True)
    found = {at: rows.row_at(at) for at in (0, 0x1000, 0x1FFF, 0x2000, 0x3FFF, 0x9000, 0xA000)}
    assert found == {0: 0, 0x1000: 0, 0x1FFF: 0, 0x2000: 1, 0x3FFF: 1, 0x9000: 2, 0xA000: 2}
    assert rows.row_at((1 << 64) - 1) == 2
    assert extents.select(ownership(), lambda _: False).row_at(0x1000) == 0


def test_orders_of_a_recorded_range() -> None:
    found = observe(FixtureSource(folder("linux-7.3.4/ready"))).inventory.preserved
    assert not isinstance(found, Unknown)
    assert extents.orders(found, MemoryRange(0x6E800000, 4 << 20)) == (10,)
    assert extents.orders(found, MemoryRange(0x7FCCD000, 1 << 20)) == tuple(range(8))
    assert extents.orders(found, MemoryRange(0, 4096)) == ()
