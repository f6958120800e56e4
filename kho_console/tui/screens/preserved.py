"""Preserved memory: how much, where on the machine, and whose."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from kho_console import text
from kho_console.engine import extents, strip
from kho_console.engine.extents import Rows, Share
from kho_console.engine.observer import View
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Inventory
from kho_console.model.unknown import Unknown
from kho_console.tui import commands
from kho_console.tui.rows import FixedRows, Row, column, row, rule, spread, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.prompt import Prompt
from kho_console.tui.widgets.strip_map import StripPanel

_OWNER_AT = 39
_SHARE_AT = 42


class ExtentRows:
    """A line source over extents."""

    def __init__(self, found: PreservedMap, rows: Rows, width: int) -> None:
        self._found = found
        self._extents = rows
        self._width = width

    def __len__(self) -> int:
        return len(self._extents)

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        item = self._extents[index]
        orders = extents.orders(self._found, item.range)
        letter = strip.OWNERS[item.owner.kind]
        return row(
            (f" {text.address(item.range.start):<17}", "address"),
            f"{text.size(item.range.size):>11}  {_orders(orders):>5}  ",
            (letter, f"letter-{letter}"),
            f" {column(text.owner(item.owner), max(self._width - _OWNER_AT - 1, 8))}",
        )


class ShareRows:
    """A line source over what each owner has."""

    def __init__(self, shares: Sequence[Share], width: int) -> None:
        self._shares = shares
        self._width = width

    def __len__(self) -> int:
        return len(self._shares)

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        share = self._shares[index]
        letter = strip.OWNERS[share.owner.kind]
        return row(
            f" {text.size(share.bytes):>10}  {share.bytes:>15,}  {share.extents:>8,}  ",
            (letter, f"letter-{letter}"),
            f" {column(text.owner(share.owner), max(self._width - _SHARE_AT - 1, 8))}",
        )


class Preserved(Section):
    """See the module."""

    subject = "preserved"
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all extents."""
        super().__init__()
        self._filter = ""
        self._by_owner = False
        self._rows: Rows | None = None
        self._shares: Sequence[Share] = ()
        self._drawn: tuple[Inventory, str, bool, int] | None = None

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield StripPanel(id="strip")
        yield Panel(id="columns")
        yield Lines("list")
        yield Panel(id="foot")

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    @property
    def _strip(self) -> StripPanel:
        return self.query_one(StripPanel)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, inventory = self.size.width, view.snapshot.inventory
        most = max(1, min(8, self.size.height // 6))
        self._strip.show_map(view.strip, view.snapshot.machine.page_size, width, most)
        if self._drawn == (inventory, self._filter, self._by_owner, width):
            return
        self._drawn = (inventory, self._filter, self._by_owner, width)
        found, ownership = inventory.preserved, inventory.ownership
        if isinstance(found, Unknown):
            self._none(text.why(found))
        elif isinstance(ownership, Unknown):
            self._none(text.why(ownership))
        else:
            head = [*_totals(found, ownership, width), rule(width)]
            self.query_one("#head", Panel).show(head)
            wanted = extents.named(self._filter, text.owner)
            self._rows = extents.select(ownership, wanted)
            self._shares = [item for item in extents.shares(ownership) if wanted(item.owner)]
            self.lines().show(
                ShareRows(self._shares, width)
                if self._by_owner
                else ExtentRows(found, self._rows, width)
            )
            self._place()

    def on_lines_moved(self) -> None:
        """Mark the chosen extent on the strip."""
        self._place()

    def close_something(self) -> bool:
        """Show the extents again, then take the filter away."""
        if self._by_owner:
            self.action_owners()
            return True
        had, self._filter = bool(self._filter), ""
        self.draw()
        return had

    def action_owners(self) -> None:
        """Show what each owner has, or the extents again."""
        self._by_owner = not self._by_owner
        self.lines().go(0)
        self.draw()

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(Prompt).ask("filter (owner:WORD)", self._filter, self._filter_by)

    def action_go(self) -> None:
        """Ask for an address."""
        self.query_one(Prompt).ask("go to address", "", self.go_to)

    def go_to(self, words: str) -> None:
        """Go to the extent at the address that was typed, or the next one behind it."""
        try:
            address = text.address_of(words)
        except ValueError as error:
            self.say(str(error))
            return
        if self._rows is None or not len(self._rows):
            self.say("there is no list to go to an address in")
            return
        if self._by_owner:
            self.action_owners()
        found = self._rows.row_at(address)
        self.lines().go(found)
        self._strip.put_mark(address)
        self._say_unless_held(address, found)

    def action_zoom(self, step: int) -> None:
        """Show the strip larger or smaller around its mark."""
        self._strip.zoom(step)

    def action_cell(self, step: int) -> None:
        """Move the mark of the strip."""
        self._strip.move_mark(step)
        self._foot()

    def action_look(self) -> None:
        """Go to the first extent of the owner, or of the cell under the strip's mark."""
        if self._by_owner:
            self._look_at_owner()
            return
        cell = self._strip.cell
        if cell is None or self.view is None:
            return
        mark = self._strip.mark
        if self._rows is not None and len(self._rows):
            found = self._rows.row_at(cell.start)
            if self._rows[found].range.overlaps(cell):
                self.lines().go(found)
                if mark is not None:
                    self._strip.put_mark(mark)
                return
        self._foot()

    def _look_at_owner(self) -> None:
        """Leave the owners for the first extent of the chosen one."""
        if not self._shares or self._rows is None:
            return
        owner = self._shares[self.lines().cursor].owner
        first = extents.first_of(self._rows, owner)
        self.action_owners()
        self.lines().go(first)

    def _filter_by(self, words: str) -> None:
        self._filter = words.strip()
        self.lines().go(0)
        self.draw()

    def _say_unless_held(self, address: int, found: int) -> None:
        if self._rows is None:
            return
        held = self._rows[found].range
        if not held.start <= address < held.end:
            self.say(f"{text.address(address)} is not in the list; this is the next one")

    def _none(self, words: str) -> None:
        """Say why there is no list."""
        width = self.size.width
        self._rows, self._shares = None, ()
        label = row((" PRESERVED  ", "strong"))
        self.query_one("#head", Panel).show([*wrapped(words, width, label), rule(width)])
        self.query_one("#columns", Panel).show([rule(width)])
        self.lines().show(FixedRows([]))
        self._foot()

    def _place(self) -> None:
        """Draw where in the list the cursor stands, and mark it on the strip."""
        if self._rows is None:
            return
        width, at = self.size.width, self.lines().cursor
        count = len(self._shares if self._by_owner else self._rows)
        titles = f"   {'address':<17}{'size':>11}  {'order':>5}  owner"
        if self._by_owner:
            titles = f"  {'size':>10}  {'bytes':>15}  {'extents':>8}  owner"
        place = f"{at + 1 if count else 0:,} of {count:,} "
        head = spread(row((titles, "dim")), row((place, "dim")), width)
        self.query_one("#columns", Panel).show([rule(width), head])
        if count and not self._by_owner:
            self._strip.put_mark(self._rows[at].range.start)
        self._foot()

    def _foot(self) -> None:
        """What is under the mark, and what the filter leaves."""
        cell, found = self._strip.cell, row()
        if cell is not None and self.view is not None:
            here = strip.letters(cell, self.view.strip.layers(by_owner=True)) or strip.HOLE
            place = f"{text.address(cell.start)} {text.size(cell.size)}"
            found = row((" mark ", "dim"), (place, "address"), (f" holds {here}", "dim"))
        chosen = row()
        if self._filter and self._rows is not None:
            total = text.size(self._rows.bytes)
            left = f"{text.count(len(self._rows), 'extent')}, {total}"
            chosen = row((f"filter {text.escaped(self._filter)}: {left} ", "warning"))
        self.query_one("#foot", Panel).show([spread(found, chosen, self.size.width)])


def _totals(found: PreservedMap, ownership: Ownership, width: int) -> list[Row]:
    blocks = sum(found.blocks_by_order.values())
    search = "" if ownership.complete else " · owners searched in part"
    words = (
        f"{text.exact(found.bytes)} · {text.count(blocks, 'block')} · "
        f"{text.count(len(found.ranges), 'range')} · "
        f"map {text.size(found.structure.bytes)}{search}"
    )
    return wrapped(words, width, row(" "))


def _orders(orders: tuple[int, ...]) -> str:
    if not orders:
        return "?"
    return f"{orders[0]}" if len(orders) == 1 else f"{orders[0]}-{orders[-1]}"
