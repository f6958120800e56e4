"""Two streams of kstate, entry by entry and field by field."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from kho_console.model.kstate import DecodedEntry, FieldLine
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass


class Fate(StrEnum):
    """What became of an entry or a field."""

    ADDED = "added"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, eq=False)
class FieldDifference:
    """A field whose value differs.

    Attributes:
        path: Its name, below those of the structs around it.
        before: As the first stream has it; None where it has none.
        after: As the second one has it.
    """

    path: str
    before: FieldLine | None
    after: FieldLine | None


@dataclass(frozen=True, slots=True, eq=False)
class EntryDifference:
    """An entry that only one stream has, or whose content differs.

    Attributes:
        fate: What became of it.
        before: In the first stream.
        after: In the second one.
        fields: What differs in it; nothing where no description tells.
    """

    fate: Fate
    before: DecodedEntry | None
    after: DecodedEntry | None
    fields: tuple[FieldDifference, ...] = ()


Key = tuple[int | None, int, int, int]


def differences(
    first: Iterable[DecodedEntry], second: Iterable[DecodedEntry]
) -> Iterator[EntryDifference]:
    """What differs; entries belong together by kind, state id, instance, and which of the same.

    They come in the order of the first stream, and what only the second one has behind them.
    """
    old, new = _by_key(first), _by_key(second)
    for key in (*old, *(key for key in new if key not in old)):
        before, after = old.get(key), new.get(key)
        if before is None or after is None:
            yield EntryDifference(Fate.ADDED if before is None else Fate.GONE, before, after)
        elif _content(before) != _content(after):
            yield EntryDifference(Fate.CHANGED, before, after, tuple(_fields(before, after)))


def _by_key(entries: Iterable[DecodedEntry]) -> Mapping[Key, DecodedEntry]:
    found: dict[Key, DecodedEntry] = {}
    alike: Counter[tuple[int | None, int, int]] = Counter()
    for item in entries:
        same = (item.entry.section, item.entry.state_id, item.entry.instance_id)
        found[*same, alike[same]] = item
        alike[same] += 1
    return found


def _content(item: DecodedEntry) -> tuple[int, int, object]:
    known = None if isinstance(item.content, Unknown) else item.content
    return item.entry.version_id, item.entry.size, known


def _fields(before: DecodedEntry, after: DecodedEntry) -> Iterator[FieldDifference]:
    old, new = _paths(before.lines), _paths(after.lines)
    for path in (*old, *(path for path in new if path not in old)):
        left, right = old.get(path), new.get(path)
        if left is None or right is None or left.value != right.value:
            yield FieldDifference(path, left, right)


def _paths(lines: Iterable[FieldLine]) -> dict[str, FieldLine]:
    """Lines that have a value, by the names that lead to them."""
    found: dict[str, FieldLine] = {}
    names: list[str] = []
    for line in lines:
        names[line.depth :] = [line.label]
        if line.value is not None:
            found[".".join(names)] = line
    return found
