"""Values against what the standard library makes of the same source."""

import copy
import dataclasses
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Quick:
    first: int
    second: str = "two"
    third: tuple[int, ...] = dataclasses.field(default_factory=tuple)


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    first: int
    second: str = "two"
    third: tuple[int, ...] = dataclasses.field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Single:
    only: int


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    only: int


@dataclass(frozen=True, slots=True, order=True)
class Ordered:
    only: int


@dataclass(frozen=True, slots=True, order=True)
class OrderedPair:
    first: int
    second: bytes


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class PlainPair:
    first: int
    second: bytes


@dataclass
class Changing:
    only: int


CALLS: list[Callable[[Any], Any]] = [
    lambda made: made(1),
    lambda made: made(1, "b", (3,)),
    lambda made: made(third=(3,), first=1),
    lambda made: made(1, third=(3,)),
    lambda made: dataclasses.replace(made(1), second="c"),
    lambda made: copy.deepcopy(made(1, third=(1, 2))),
]


@pytest.mark.parametrize("call", CALLS)
def test_they_hold_say_and_compare_the_same(call: Callable[[Any], Any]) -> None:
    quick, plain = call(Quick), call(Plain)
    assert dataclasses.asdict(quick) == dataclasses.asdict(plain)
    assert repr(quick) == repr(plain).replace("Plain", "Quick")
    assert [quick == other(Quick) for other in CALLS] == [plain == other(Plain) for other in CALLS]
    assert hash(quick) == hash(call(Quick))
    assert quick != plain


@pytest.mark.parametrize(
    "call",
    [
        lambda made: made(),
        lambda made: made(1, "b", (), 4),
        lambda made: made(1, first=2),
        lambda made: made(1, fourth=4),
        lambda made: setattr(made(1), "first", 2),
        lambda made: delattr(made(1), "first"),
    ],
)
def test_they_refuse_the_same(call: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, dataclasses.FrozenInstanceError)) as quick:
        call(Quick)
    with pytest.raises((TypeError, dataclasses.FrozenInstanceError)) as plain:
        call(Plain)
    assert quick.type is plain.type


def test_they_have_no_room_for_more() -> None:
    assert not hasattr(Quick(1), "__dict__")


def test_they_are_taken_apart_by_their_fields() -> None:
    match Quick(1, "b"):
        case Quick(first, second):
            assert (first, second) == (1, "b")


def test_they_travel_between_processes() -> None:
    assert pickle.loads(pickle.dumps(Quick(1, "b", (3,)))) == Quick(1, "b", (3,))


def test_one_field_is_compared_as_itself() -> None:
    assert Single(1) == Single(1) != Single(2)
    assert len({Single(1), Single(1), Single(2)}) == 2


def test_without_equality_each_is_its_own() -> None:
    assert Apart(1) != Apart(1)
    assert len({Apart(1), Apart(1)}) == 2


def test_all_others_are_left_to_the_standard_library() -> None:
    assert Ordered(1) < Ordered(2)
    changing = Changing(1)
    changing.only = 2
    assert changing == Changing(2)


def test_they_are_ordered_the_same() -> None:
    pairs = [(first, second) for first in (-1, 2) for second in (b"", b"a")]
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for one in pairs:
            for two in pairs:
                quick = compare(OrderedPair(*one), OrderedPair(*two))
                assert quick == compare(PlainPair(*one), PlainPair(*two))
    with pytest.raises(TypeError):
        sorted([OrderedPair(1, b""), Ordered(1)])  # type: ignore[type-var]
