"""Preserved memory: how much, where on the machine, and whose."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from textual.app import App
from textual.geometry import Size
from textual.widget import Widget

from kho_console import text
from kho_console.engine import extents
from kho_console.engine.extents import Rows, Share
from kho_console.engine.filter import SYNTAX, Filter, FilterError, Searched, parsed
from kho_console.engine.observer import View
from kho_console.engine.paths import IN
from kho_console.engine.preserved_view import PreservedView
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Inventory, Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.tui import commands, extent_export
from kho_console.tui.exports import write_soon
from kho_console.tui.extent_rows import ExtentRows, ShareRows
from kho_console.tui.rows import FixedRows, Row, clipped, row, rule, spread, wrapped
from kho_console.tui.section import Section
from kho_console.tui.shown_side import ShownSide
from kho_console.tui.under_mark import under_mark
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.prompt import Prompt
from kho_console.tui.widgets.strip_map import StripPanel

_LOW = 20
"""Lines below which everything but the list takes as few of them as it can."""


class Preserved(Section):
    """See the module."""

    subject = "preserved"
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all extents."""
        super().__init__()
        self._words = ""
        self._filter = Filter()
        self._by_owner = False
        self._side = ShownSide()
        self._rows: Maybe[Rows] | None = None
        self._chosen: tuple[Inventory, Filter, bool] | None = None
        self._shares: Sequence[Share] = ()
        self._drawn: tuple[Inventory, Filter, bool, bool, Size] | None = None
        self._totals: tuple[PreservedMap, str] | None = None
        self._looked: MemoryRange | None = None
        self._marked: int | None = None
        self._led_by: int | None = None

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

    @property
    def _known(self) -> Rows | None:
        """The rows, where there are any to know."""
        return self._rows if isinstance(self._rows, Rows) else None

    @property
    def _low(self) -> bool:
        return self.size.height < _LOW

    def show(self, view: View) -> None:
        """See `Section.show`."""
        snapshot, most = view.snapshot, 1 if self._low else min(8, self.size.height // 6)
        self._strip.show_map(
            self._side.strip(view), snapshot.machine.page_size, self.size.width, most
        )
        drawn = (snapshot.inventory, self._filter, self._by_owner, self._side.incoming, self.size)
        if self._drawn == drawn:
            return
        self._drawn = drawn
        side, chosen = self._side.of(view), (snapshot.inventory, self._filter, self._side.incoming)
        if self._chosen != chosen:
            self._chosen = chosen
            self._rows = _rows(side, snapshot, self._filter)
        found = side.preserved
        if isinstance(found, Unknown):
            self._none(view, text.why(found))
        elif isinstance(self._rows, Unknown):
            self._none(view, text.why(self._rows))
        elif self._rows is not None:
            self._list(view, found, self._rows)

    def arrive(self, wanted: str) -> None:
        """Show what came in, where `in` leads here."""
        if (wanted == IN) is not self._side.incoming:
            self.action_came_in()

    def on_lines_moved(self) -> None:
        """Mark the chosen extent on the strip, unless the mark has led to it."""
        if self._marked != self.lines().cursor:
            self._mark()
        self._marked = None
        self._place()

    def on_strip_panel_marked(self) -> None:
        """Say what is under the mark that the mouse has put."""
        self._foot()

    def close_something(self) -> bool:
        """Show the owners that led here, or the extents; drop the filter; show what goes out."""
        if self._by_owner or self._led_by is not None:
            led_by = self._led_by or 0
            self.action_owners()
            self.lines().go(led_by)
            return True
        had = bool(self._words)
        if had:
            self._filter_by("")
        elif self._side.incoming:
            self.action_came_in()
            return True
        return had

    def action_came_in(self) -> None:
        """Show what came in, or again what goes out."""
        self._side.incoming = not self._side.incoming
        self._by_owner, self._led_by = False, None
        self.lines().go(0)
        self.draw()
        self._mark()

    def action_owners(self) -> None:
        """Show what each owner has, or the extents again."""
        self._by_owner, self._led_by = not self._by_owner, None
        self.lines().go(0)
        self.draw()

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(Prompt).ask("filter", self._words, self._filter_by, hint=SYNTAX)

    def action_go(self) -> None:
        """Ask for an address."""
        self.query_one(Prompt).ask("go to address", "", self.go_to, hint="0x6741_2000")

    def go_to(self, words: str) -> bool:
        """Go to the extent at the address that was typed, or the next one behind it.

        Returns:
            Whether it was an address.
        """
        try:
            address = text.address_of(words)
        except ValueError as error:
            self.say(f"x {error}")
            return False
        self.say("")
        if not self._known:
            self.say("there is no list to go to an address in")
            return True
        if self._by_owner:
            self.action_owners()
        found = self._known.row_at(address)
        self._go(found, address)
        held = self._known[found].range
        if not held.start <= address < held.end:
            self.say(
                f"{text.address(address)} is not in the list; this is the {_beside(held, address)}"
            )
        return True

    def action_zoom(self, step: int) -> None:
        """Show the strip larger or smaller around its mark."""
        self._strip.zoom(step)
        self._foot()

    def action_cell(self, step: int) -> None:
        """Move the mark of the strip."""
        self._strip.move_mark(step)
        self._foot()

    def action_node(self, step: int) -> None:
        """Move the mark to another line of the strip."""
        self._strip.move_line(step)
        self._foot()

    def action_look(self) -> None:
        """Go to the first extent of the owner, or of the cell under the mark, and tell of it."""
        if self._by_owner:
            self._look_at_owner()
            return
        mark, cell = self._strip.mark, self._strip.cell
        if mark is None or cell is None:
            return
        self._looked = cell
        if self._known and (held := self._known.within(cell)):
            self._go(held.start, mark)
        self._foot()

    def action_export(self) -> None:
        """Write what the list shows."""
        contents = self.exported()
        if contents is None:
            self.say("x there is no list to export")
            return
        self.say("writing ..")
        write_soon(cast(App[int], self.app), self.subject, contents)

    def exported(self) -> Mapping[str, Iterable[str]] | None:
        """See `Exporter.exported`."""
        if self._known is None or self.view is None:
            return None
        if self._by_owner:
            return extent_export.of_shares(self._shares, self._words)
        found = self._side.of(self.view).preserved
        if isinstance(found, Unknown):
            return None
        return extent_export.of_extents(found, self._known, self._words)

    def _go(self, found: int, address: int) -> None:
        """Go to a row, and put the mark at an address of or near it."""
        if found != self.lines().cursor:
            self._marked = found
        self.lines().go(found)
        self._strip.put_mark(address)
        self._foot()

    def _look_at_owner(self) -> None:
        """Leave the owners for the first extent of the chosen one."""
        if not self._shares or self._known is None:
            return
        chosen = self.lines().cursor
        first = extents.first_of(self._known, self._shares[chosen].owner)
        self.action_owners()
        self._led_by = chosen
        self.lines().go(first)

    def _filter_by(self, words: str) -> bool:
        """Take a filter, and say why where it cannot be had: the old one stays then."""
        try:
            chosen = parsed(words)
        except FilterError as error:
            self.say(f"x {error}")
            return False
        if self.view is not None and isinstance(self._rows, Rows):
            rows = _rows(self._side.of(self.view), self.view.snapshot, chosen)
            if isinstance(rows, Unknown):
                self.say(f"x {text.why(rows)}")
                return False
            self._rows = rows
            self._chosen = (self.view.snapshot.inventory, chosen, self._side.incoming)
        self._words, self._filter, self._led_by = words.strip(), chosen, None
        self.say("")
        self.lines().go(0)
        self.draw()
        self._mark()
        return True

    def _list(self, view: View, found: PreservedMap, rows: Rows) -> None:
        """Draw the totals and the list."""
        width = self.size.width
        if self._totals is None or self._totals[0] is not found:
            self._totals = (found, _totals(found, rows))
        label = row((f" {self._side.title}  ", "strong")) if self._side.incoming else row(" ")
        words = self._side.words(view, self._totals[1])
        head = wrapped(words, width, label, most=1 if self._low else 99)
        self.query_one("#head", Panel).show([*head, rule(width)])
        if self._by_owner:
            self._shares = extents.shares(rows)
            self.lines().show(ShareRows(self._shares, width))
        else:
            self.lines().show(ExtentRows(found, rows, width, self._side.fates(view)))
        if self._strip.mark is None:
            self._mark()
        self._place()

    def _none(self, view: View, words: str) -> None:
        """Say why there is no list."""
        width = self.size.width
        self._shares = ()
        label = row((f" {self._side.title}  ", "strong"))
        said = wrapped(self._side.words(view, words), width, label)
        self.query_one("#head", Panel).show([*said, rule(width)])
        self.query_one("#columns", Panel).show([rule(width)])
        self.lines().show(FixedRows([]))
        self._foot()

    def _mark(self) -> None:
        """Put the mark of the strip on the chosen extent."""
        if self._known and not self._by_owner:
            self._strip.put_mark(self._known[self.lines().cursor].range.start)

    def _place(self) -> None:
        """Draw where in the list the cursor stands."""
        source, width, at = self.lines().source, self.size.width, self.lines().cursor
        if isinstance(source, ExtentRows | ShareRows):
            place = f"{at + 1 if len(source) else 0:,} of {len(source):,} "
            head = spread(row((source.titles, "dim")), row((place, "dim")), width)
            self.query_one("#columns", Panel).show([head] if self._low else [rule(width), head])
        self._foot()

    def _foot(self) -> None:
        """What the chosen extent is, what is under the mark, what the filter leaves."""
        rows: list[Row] = []
        width = self.size.width
        source = self.lines().source
        if isinstance(source, ExtentRows) and len(source) and not self._low:
            rows.append(source.exactly(self.lines().cursor))
        cell = self._strip.cell
        if cell is not None and self.view is not None:
            whole = cell == self._looked
            rows += under_mark(cell, self._side.strip(self.view), self._known, width, whole=whole)
        if self._words and self._known is not None:
            left = text.kept(len(self._known), len(self._known.ownership), self._known.bytes)
            filtered = row((f" filter: {text.escaped(self._words)}", "warning"))
            rows.append(spread(filtered, row((f"{left} ", "strong")), width))
        self.query_one("#foot", Panel).show([clipped(found, width) for found in rows])


def _rows(side: PreservedView, snapshot: Snapshot, chosen: Filter) -> Maybe[Rows]:
    found, ownership = side.preserved, side.ownership
    if isinstance(found, Unknown):
        return found
    if isinstance(ownership, Unknown):
        return ownership
    return chosen.rows(Searched(ownership, found, snapshot.memory.nodes, text.owner))


def _totals(found: PreservedMap, rows: Rows) -> str:
    """How much there is: it is summed up over the whole map, so not for every drawing."""
    blocks = sum(found.blocks_by_order.values())
    search = "" if rows.ownership.complete else " · owners searched in part"
    return (
        f"{text.exact(found.bytes)} · {text.count(blocks, _unit(found))} · "
        f"{text.count(len(found.ranges), 'range')} · "
        f"map {text.size(found.structure.bytes)}{search}"
    )


def _unit(found: PreservedMap) -> str:
    """Records of 2024 are ranges of any length, which have no orders: they are told in pages."""
    return "page" if found.format is MapFormat.MEM_ARRAYS else "block"


def _beside(held: MemoryRange, address: int) -> str:
    return "next one" if held.start > address else "last one"
