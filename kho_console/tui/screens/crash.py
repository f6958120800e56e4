"""What a dump taken now would contain, and what CPUs and memory did to it."""

from collections.abc import Iterable
from functools import partial

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.event import Event
from kho_console.model.finding import About
from kho_console.tui import commands, crash_rows, happening_rows
from kho_console.tui.acting import Acting
from kho_console.tui.filtered import Filtered
from kho_console.tui.happening_rows import Entry, Key, Timeline
from kho_console.tui.rows import FixedRows, Row, row, rule, wrapped
from kho_console.tui.signs import SEVERITIES
from kho_console.tui.widgets.painted import Panel

_TITLES_FROM = 20
"""Lines below which the columns have no titles."""


class Crash(Acting, Filtered):
    """See the module."""

    subject = "crash"
    detail_height = 5
    crash = True
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start without a timeline, all of it folded."""
        super().__init__()
        self._unfolded: set[Key] = set()
        self._timeline: Timeline | None = None
        self._chosen: tuple[Key, Event | None] | None = None

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield from super().body()
        yield Panel(id="flow")

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, height = self.size
        found = happening_rows.entries(view)
        kept = self.kept(found, lambda item: item.words) if self._words else found
        below = [*self.filter_rows(len(kept), len(found))]
        if kept and height >= _TITLES_FROM and not self._all_details:
            below.append(happening_rows.titles(width))
        answered = crash_rows.head(view, width, height)
        self.query_one("#head", Panel).show([*answered, rule(width), *filter(None, below)])
        moment = partial(text.moment, view.snapshot.machine.boot_time)
        self._timeline = Timeline(kept, self._unfolded, moment, width) if kept else None
        self.lines().show(self._timeline or FixedRows([_nothing(view, bool(found))]))
        self._stay()
        self.query_one("#flow", Panel).show([crash_rows.flow(view, width)])
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`; all details are those of the image, too."""
        width, chosen = self.size.width, self._line()
        moment = partial(text.moment, view.snapshot.machine.boot_time)
        rows = happening_rows.detail(*chosen, moment, width) if chosen else []
        if chosen and not self._all_details:
            return rows
        return [*rows, *_advice(view, width), *crash_rows.whole(view, width)]

    def device(self) -> str:
        """See `Acting.device`."""
        chosen = self._line()
        return happening_rows.device(*chosen) if chosen else ""

    def on_lines_moved(self) -> None:
        """Keep what was chosen: the list grows at its top."""
        chosen = self._line()
        at_top = self.lines().cursor == 0
        self._chosen = None if chosen is None or at_top else (chosen[0].key, chosen[1])
        super().on_lines_moved()

    def action_unfold(self) -> None:
        """Show the events of the chosen line, or hide them."""
        chosen = self._line()
        if chosen is None or not chosen[0].events:
            self.say("there is nothing to unfold on this line")
            return
        self._unfolded ^= {chosen[0].key}
        self._chosen = (chosen[0].key, None)
        self.draw()

    def action_fold(self) -> None:
        """Hide the events of the chosen line."""
        chosen = self._line()
        if chosen is not None and chosen[0].key in self._unfolded:
            self.action_unfold()

    def _line(self) -> tuple[Entry, Event | None] | None:
        timeline = self._timeline
        return (
            None if timeline is None else timeline.at(min(self.lines().cursor, len(timeline) - 1))
        )

    def _stay(self) -> None:
        """Go where the chosen line is by now; who looks at the latest one goes on doing so."""
        if self._timeline is not None and self._chosen is not None:
            line = self._timeline.line_of(*self._chosen)
            if line is not None:
                self.lines().go(line)


def _advice(view: View, width: int) -> list[Row]:
    """The findings about the crash image, and what to do about them."""
    rows: list[Row] = []
    for item in view.findings:
        if item.about is About.CRASH:
            mark, look = SEVERITIES[item.severity]
            rows += wrapped(item.text, width, row((f" {mark} ", look)))
            rows += wrapped(item.remedy, width, row(("   do: ", "strong"))) if item.remedy else []
    return rows


def _nothing(view: View, filtered: bool) -> Row:
    return row(("no line has these words" if filtered else crash_rows.nothing(view), "dim"))
