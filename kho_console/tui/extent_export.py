"""The lists of the preserved screen as files, piece by piece: a list may be millions long."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from kho_console import text
from kho_console.documents import contents as documents
from kho_console.documents.shape import Document
from kho_console.engine import extents
from kho_console.engine.extents import Rows, Share
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Extent
from kho_console.model.preserved import PreservedMap
from kho_console.tui.exports import streamed

_AT_ONCE = 1000


def of_extents(found: PreservedMap, rows: Rows, words: str) -> Mapping[str, Iterable[str]]:
    """Extents of a map that the filter `words` has left, as JSON and as CSV."""
    head, orders = documents.extents((), filtered=words), partial(extents.orders, found)
    lines = (
        (
            item.range.start,
            item.range.size,
            text.orders(orders(item.range)),
            text.owner(item.owner),
        )
        for item in rows
    )
    return {
        "json": streamed(head, "extents", _documents(rows, orders)),
        "csv": _csv(("address", "size", "orders", "owner"), lines),
    }


def of_shares(shares: Sequence[Share], words: str) -> Mapping[str, Iterable[str]]:
    """What each owner has of them, as JSON and as CSV."""
    found = documents.shares(
        ((item.owner, item.bytes, item.extents) for item in shares), filtered=words
    )
    lines = ((item.bytes, item.extents, text.owner(item.owner)) for item in shares)
    return {
        "json": streamed(found, "owners", found["owners"]),
        "csv": _csv(("bytes", "extents", "owner"), lines),
    }


def _documents(
    rows: Iterable[Extent], orders: Callable[[MemoryRange], Iterable[int]]
) -> Iterator[Document]:
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        yield from documents.extents(some, orders)["extents"]


def _csv(titles: Sequence[str], lines: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of CSV; the owner comes last and begins with its kind, so no cell is a formula."""
    place = io.StringIO()
    writer = csv.writer(place, lineterminator="\n")
    writer.writerow(titles)
    for line in lines:
        writer.writerow(line)
        yield place.getvalue()
        place.seek(0)
        place.truncate()
    yield place.getvalue()
