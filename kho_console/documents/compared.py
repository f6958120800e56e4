"""Two moments, and what is different between them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from kho_console import text, text_over_time
from kho_console.documents.machine import identity
from kho_console.documents.shape import Document, document
from kho_console.model.difference import Change, Difference, Told
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

Ranges = Iterable[tuple[int, int]]


def compared(
    before: Snapshot,
    after: Snapshot,
    found: Sequence[Difference],
    ranges: tuple[Ranges, Ranges] | None = None,
) -> Document:
    """Two moments; `ranges` are those preserved in the first or the second one only."""
    counted = Counter(item.change for item in found)
    lists = (
        {} if ranges is None else dict(zip(("gone", "added"), map(_ranges, ranges), strict=True))
    )
    return document(
        before=_moment(before),
        after=_moment(after),
        same=not found,
        counts={change.value: counted[change] for change in Change},
        differences=[_difference(item) for item in found],
        **({} if ranges is None else {"ranges": lists}),
    )


def _moment(seen: Snapshot) -> Document:
    return {
        **identity(seen.source),
        "host": text.escaped(seen.machine.hostname),
        "release": text.escaped(seen.machine.release),
    }


def _difference(found: Difference) -> Document:
    whole = Unknown(Cause.ABSENT, "the thing as a whole")
    return {
        "subject": found.subject,
        "change": found.change,
        "name": text.escaped(found.name),
        "what": text.escaped(found.what) if found.what else whole,
        "before": _value(found.before),
        "after": _value(found.after),
        "text": f"{text_over_time.fact(found.before)} -> {text_over_time.fact(found.after)}",
    }


def _value(found: Maybe[Told] | None) -> Maybe[int | str]:
    if found is None:
        return Unknown(Cause.ABSENT, "nothing is there")
    if isinstance(found, Unknown):
        return found
    return found.value if isinstance(found.value, int) else text_over_time.fact(found)


def _ranges(found: Ranges) -> list[Document]:
    return [{"address": start, "size": end - start} for start, end in found]
