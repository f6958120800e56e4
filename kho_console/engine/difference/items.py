"""Things with names and facts, and what is different between two lists of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kho_console.model.difference import Change, Difference, Subject, Told
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A thing as it can be compared.

    Attributes:
        name: What it is known by; several may have the same.
        summary: It in one value, for where it came or went as a whole.
        facts: What is known of it.
        place: Its physical address; None for a thing without a place.
        partial: Whether it may have more facts than are seen.
    """

    name: bytes
    summary: Maybe[Told]
    facts: Mapping[str, Maybe[Told]]
    place: Maybe[int] | None = None
    partial: bool = False


def lists(
    subject: Subject, name: bytes, before: Maybe[Sequence[Item]], after: Maybe[Sequence[Item]]
) -> Iterator[Difference]:
    """What is different between two lists, which are called `name` where one is not known."""
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        yield from _values(subject, name, "", _whole(before), _whole(after))
    else:
        yield from items(subject, before, after)


def items(subject: Subject, before: Iterable[Item], after: Iterable[Item]) -> Iterator[Difference]:
    """What is different between two lists; things of one name pair off in their order."""
    was, now = _numbered(before), _numbered(after)
    for key, item in was.items():
        other = now.get(key)
        if other is None:
            yield Difference(subject, Change.GONE, item.name, "", item.summary, None)
        else:
            yield from _pair(subject, item, other)
    for key, item in now.items():
        if key not in was:
            yield Difference(subject, Change.ADDED, item.name, "", None, item.summary)


def _whole(found: Maybe[Sequence[Item]]) -> Maybe[Told]:
    """A list in one value: how many things it has, or the only one."""
    if isinstance(found, Unknown):
        return found
    return found[0].summary if len(found) == 1 else Told(len(found), "count")


def _pair(subject: Subject, before: Item, after: Item) -> Iterator[Difference]:
    if isinstance(before.place, int) and isinstance(after.place, int):
        places = (Told(before.place, "address"), Told(after.place, "address"))
        if before.place != after.place:
            yield Difference(subject, Change.MOVED, before.name, "", *places)
    partial = before.partial or after.partial
    for what in dict.fromkeys((*before.facts, *after.facts)):
        was, now = before.facts.get(what), after.facts.get(what)
        if was is not None and now is not None:
            yield from _values(subject, before.name, what, was, now)
        elif not partial:
            change = Change.ADDED if was is None else Change.GONE
            yield Difference(subject, change, before.name, what, was, now)


def _values(
    subject: Subject, name: bytes, what: str, before: Maybe[Told], after: Maybe[Told]
) -> Iterator[Difference]:
    if isinstance(before, Unknown) and isinstance(after, Unknown):
        same = before.cause is after.cause
    else:
        same = before == after
    if not same:
        yield Difference(subject, Change.CHANGED, name, what, before, after)


def _numbered(found: Iterable[Item]) -> dict[tuple[bytes, int], Item]:
    seen: dict[bytes, int] = defaultdict(int)
    numbered = {}
    for item in found:
        numbered[item.name, seen[item.name]] = item
        seen[item.name] += 1
    return numbered
