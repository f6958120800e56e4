"""The filter of preserved extents: words that must all hold, evaluated over arrays.

`owner:memfd size:>64k order:0-3 address:0x5b5000 node:0 -reserve_mem`: a word without a key is
looked for in the owner's name, `-` or `!` before a word turns it around, and an extent fits a word
where any of its bytes or blocks does. `4k-2m` has both its ends, but `address:A-B` ends before B.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Protocol, TypeAlias

from kho_console.abi import runs
from kho_console.engine import extents
from kho_console.engine.extents import Rows
from kho_console.model.memory import Node
from kho_console.model.owner import Owner, Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask: TypeAlias = NDArray[np.bool_]

SYNTAX = "owner:memfd size:>64k order:0-3 address:0x1000-0x2000 node:0"
"""One word of each key, as a hint."""

_KEYS = ("owner", "size", "order", "address", "node")
_EXPECTED = f"{', '.join(f'{key}:' for key in _KEYS[:-1])} or {_KEYS[-1]}:"
_LAST = (1 << 64) - 1
_UNITS = "kmgtpe"
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_COMPARED = re.compile(r"(>=|<=|>|<|=)(.*)", re.DOTALL)
_SIZE = re.compile(rf"([0-9]{{1,20}})(?:\.([0-9]{{1,9}}))?(?:([{_UNITS}])(?:i?b)?|b)?")
_ADDRESS = re.compile(r"(?:0x)?([0-9a-f_]{1,24})")
_NUMBER = re.compile(r"[0-9]{1,9}")


class FilterError(ValueError):
    """A filter that cannot be understood.

    Attributes:
        position: The column of what is wrong, from 1.
        expected: What should stand there.
    """

    def __init__(self, position: int, expected: str) -> None:
        super().__init__(f"column {position}: expected {expected}")
        self.position = position
        self.expected = expected


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What a filter looks at.

    Attributes:
        ownership: The extents.
        preserved: The map that they come from, for the orders of their blocks.
        nodes: The NUMA nodes, where they are known.
        name: What a face calls an owner.
    """

    ownership: Ownership
    preserved: PreservedMap
    nodes: Maybe[tuple[Node, ...]]
    name: Callable[[Owner], str]


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers from `low` to `high`, both among them; none where `low` is the larger one."""

    low: int
    high: int

    def holds(self, number: int) -> bool:
        """Whether a number lies between them."""
        return self.low <= number <= self.high


class Term(Protocol):
    """One word of a filter."""

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        """Which extents it fits."""
        ...


@dataclass(frozen=True, slots=True)
class Filter:
    """All words of a filter; without any it lets everything through."""

    terms: tuple[Term, ...] = ()

    def rows(self, searched: Searched) -> Maybe[Rows]:
        """The extents that fit all words; unknown where a word asks for what is not known."""
        kept: Mask | None = None
        for term in self.terms:
            fits = term.mask(searched)
            if isinstance(fits, Unknown):
                return fits
            kept = fits if kept is None else kept & fits
        return extents.select(searched.ownership, kept)


@dataclass(frozen=True, slots=True)
class _Owner:
    word: str

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        import numpy as np

        owners = searched.ownership.owners
        fits = np.array([self.word in searched.name(owner).lower() for owner in owners], bool)
        found: Mask = fits[searched.ownership.owner_of]
        return found


@dataclass(frozen=True, slots=True)
class _Size:
    interval: Interval

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        import numpy as np

        low, high = self.interval.low, self.interval.high
        if low > high:
            return np.zeros(len(searched.ownership), bool)
        sizes = searched.ownership.ends - searched.ownership.starts
        return (sizes >= np.uint64(low)) & (sizes <= np.uint64(high))


@dataclass(frozen=True, slots=True)
class _Address:
    interval: Interval

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        import numpy as np

        low, high = self.interval.low, self.interval.high
        found = searched.ownership
        if low > high:
            return np.zeros(len(found), bool)
        return (found.ends > np.uint64(low)) & (found.starts <= np.uint64(high))


@dataclass(frozen=True, slots=True)
class _Order:
    interval: Interval

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        import numpy as np

        kept: Mask = np.zeros(len(searched.ownership), bool)
        for order, blocks in searched.preserved.by_order.items():
            if self.interval.holds(order):
                kept |= extents.touching(searched.ownership, blocks)
        return kept


@dataclass(frozen=True, slots=True)
class _Node:
    interval: Interval

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        if isinstance(searched.nodes, Unknown):
            return searched.nodes
        if not searched.nodes:
            return Unknown(Cause.ABSENT, "no memory block names its node")
        wanted = (
            (item.start, item.end)
            for node in searched.nodes
            if self.interval.holds(node.number)
            for item in node.ranges
            if item.size
        )
        return extents.touching(searched.ownership, runs.of_ranges(wanted))


@dataclass(frozen=True, slots=True)
class _Not:
    term: Term

    def mask(self, searched: Searched) -> "Maybe[Mask]":
        found = self.term.mask(searched)
        return found if isinstance(found, Unknown) else ~found


def parsed(words: str) -> Filter:
    """The filter that somebody typed.

    Raises:
        FilterError: It cannot be understood.
    """
    if words.count('"') % 2:
        raise FilterError(words.rindex('"') + 1, "a second quote that closes this one")
    return Filter(tuple(_term(found[0], found.start() + 1) for found in _WORD.finditer(words)))


def _term(word: str, position: int) -> Term:
    if word[0] in "-!":
        if len(word) == 1:
            raise FilterError(position + 1, f"a word behind the {word}")
        return _Not(_positive(word[1:], position + 1))
    return _positive(word, position)


def _positive(word: str, position: int) -> Term:
    key, colon, value = word.partition(":")
    if not colon or '"' in key:
        return _Owner(_unquoted(word))
    behind = position + len(key) + 1
    match key.lower():
        case "owner":
            if not _unquoted(value):
                raise FilterError(behind, "a part of an owner's name, such as memfd")
            return _Owner(_unquoted(value))
        case "size":
            return _Size(_interval(value, behind, _size))
        case "order":
            return _Order(_interval(value, behind, _order))
        case "address":
            return _Address(_interval(value, behind, _address, end_excluded=True))
        case "node":
            return _Node(_interval(value, behind, _node))
    nearest = get_close_matches(key.lower(), _KEYS, n=1)
    more = f"nearest {nearest[0]}:" if nearest else 'or quotes: "a:b"'
    raise FilterError(position, f"{_EXPECTED}, {more}")


def _unquoted(word: str) -> str:
    return word.replace('"', "").lower()


def _interval(
    value: str, position: int, read: Callable[[str, int], int], *, end_excluded: bool = False
) -> Interval:
    """`4k`, `>4k`, `>=4k`, `<4k`, `<=4k`, `=4k`, `4k-2m`."""
    if compared := _COMPARED.fullmatch(value):
        number = read(compared[2], position + len(compared[1]))
        return {
            ">": Interval(number + 1, _LAST),
            ">=": Interval(number, _LAST),
            "<": Interval(0, number - 1),
            "<=": Interval(0, number),
            "=": Interval(number, number),
        }[compared[1]]
    first, dash, last = value.partition("-")
    low = read(first, position)
    if not dash:
        return Interval(low, low)
    behind = position + len(first) + 1
    high = read(last, behind) - end_excluded
    if high < low:
        raise FilterError(behind, f"an end {'behind' if end_excluded else 'not below'} {first}")
    return Interval(low, high)


def _size(words: str, position: int) -> int:
    found = _SIZE.fullmatch(words.lower())
    if found is None:
        raise FilterError(position, "a size, such as 64k, 1.5m or 2GiB")
    whole, fraction, unit = found[1], found[2] or "", found[3]
    factor = 1 << 10 * (_UNITS.index(unit) + 1) if unit else 1
    scale = int("1" + "0" * len(fraction))
    return min(int(whole + fraction) * factor // scale, _LAST)


def _address(words: str, position: int) -> int:
    found = _ADDRESS.fullmatch(words.lower())
    digits = found[1].replace("_", "") if found else ""
    if not digits or len(digits) > 16:
        raise FilterError(position, "an address in hexadecimal, such as 0x6741_2000")
    return int(digits, 16)


def _order(words: str, position: int) -> int:
    return _number(words, position, "an order, such as 0 or 9")


def _node(words: str, position: int) -> int:
    return _number(words, position, "the number of a node, such as 0")


def _number(words: str, position: int, expected: str) -> int:
    if _NUMBER.fullmatch(words) is None:
        raise FilterError(position, expected)
    return int(words)
