"""Lines of the preserved screen's two lists: the extents, and what each owner has."""

from collections.abc import Sequence

from kho_console import text
from kho_console.engine import extents, strip
from kho_console.engine.arrived import Fates
from kho_console.engine.extents import Rows, Share
from kho_console.model.preserved import PreservedMap
from kho_console.tui.rows import Row, column, row

NARROW = 60
"""Columns below which sizes are short, so that an owner still has room."""

_WIDE = 100
"""Columns from which on there is room for the number of pages and the end."""

_ORDERS = 5


class ExtentRows:
    """A line source over extents; of what came in, each with what became of it."""

    def __init__(
        self, found: PreservedMap, rows: Rows, width: int, fates: Fates | None = None
    ) -> None:
        self._found = found
        self._extents = rows
        self._width = width
        self._fates = fates or Fates()

    def __len__(self) -> int:
        return len(self._extents)

    @property
    def titles(self) -> str:
        """What stands above the columns."""
        if self._width < NARROW:
            return f" {'address':<16}{'size':>7} {'order':>5}"
        more = f"{'to, excluded':<20}{'pages':>10}  " if self._width >= _WIDE else ""
        return f"   {'address':<17}{'size':>11}  {'order':>5}  {more}owner"

    def exactly(self, index: int) -> Row:
        """An extent to the byte, with all its orders."""
        place = self._extents[index].range
        pages = text.count(place.size // self._found.page_size, "page")
        orders = _orders(self._found, self._extents, index)
        words = f"  {place.size:,} bytes, {pages}, order {orders}"
        return row((" extent to ", "dim"), (text.address(place.end), "address"), words)

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        item = self._extents[index]
        place = item.range
        found = _orders(self._found, self._extents, index)
        letter = strip.OWNERS[item.owner.kind]
        sign = (letter, f"letter-{letter}")
        met = ", ".join(self._fates.within(place))
        owner = f"{met}: {text.owner(item.owner)}" if met else text.owner(item.owner)
        if self._width < NARROW:
            return row(
                (f"{text.address(place.start):<16}", "address"),
                f"{text.short_size(place.size):>7} {_short(found):>5} ",
                sign,
                f" {column(owner, max(self._width - 33, 6))}",
            )
        more, used = row(), 39
        if self._width >= _WIDE:
            pages = f"{place.size // self._found.page_size:>10,}  "
            more, used = row((f"{text.address(place.end):<20}", "address"), pages), 71
        return row(
            (f" {text.address(place.start):<17}", "address"),
            f"{text.size(place.size):>11}  {_short(found):>5}  ",
            *more,
            sign,
            f" {column(owner, max(self._width - used - 1, 8))}",
        )


class ShareRows:
    """A line source over what each owner has."""

    def __init__(self, shares: Sequence[Share], width: int) -> None:
        self._shares = shares
        self._width = width

    def __len__(self) -> int:
        return len(self._shares)

    @property
    def titles(self) -> str:
        """What stands above the columns."""
        if self._width < NARROW:
            return f" {'size':>8} {'extents':>9}"
        return f"  {'size':>10}  {'bytes':>15}  {'extents':>8}  owner"

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        share = self._shares[index]
        letter = strip.OWNERS[share.owner.kind]
        sign, owner = (letter, f"letter-{letter}"), text.owner(share.owner)
        if self._width < NARROW:
            sizes, used = f"{text.short_size(share.bytes):>8} {share.extents:>9,} ", 22
        else:
            sizes = f" {text.size(share.bytes):>10}  {share.bytes:>15,}  {share.extents:>8,}  "
            used = 43
        return row(sizes, sign, f" {column(owner, max(self._width - used, 8))}")


def _orders(found: PreservedMap, rows: Rows, index: int) -> str:
    return text.orders(extents.orders(found, rows[index].range))


def _short(orders: str) -> str:
    """Orders in a column: the first and the last one where there is no room for all."""
    if len(orders) <= _ORDERS:
        return orders
    numbers = orders.replace(",", "-").split("-")
    return f"{numbers[0]}..{numbers[-1]}"
