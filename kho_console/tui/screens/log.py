"""What the kernel, its events and this console have said, the latest last."""

from collections.abc import Iterator

from kho_console import text
from kho_console.config import log
from kho_console.engine.observer import View
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.tui import commands
from kho_console.tui.console import settings_of
from kho_console.tui.filtered import Filtered
from kho_console.tui.listed import labelled
from kho_console.tui.rows import FixedRows, Row, column, row

_WHEN = 10
_LOOKS = {"kernel": "", "event": "info", "console": "dim"}


@dataclass(frozen=True, slots=True)
class _Said:
    """A line: when, by whom, what."""

    when: str
    who: str
    words: str


class Log(Filtered):
    """See the module."""

    subject = "log"
    detail_height = 5
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all lines, the latest one chosen."""
        super().__init__()
        self._shown: list[_Said] = []
        self._all = 0

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, lines = self.size.width, self.lines()
        at_end = not self._shown or lines.cursor == len(self._shown) - 1
        said = [*_machine(view), *(_own(line) for line in log.recent())]
        self._shown, self._all = self.kept(said, lambda item: f"{item.who} {item.words}"), len(said)
        self.head("LOG", self._answer(view), *self.filter_rows(len(self._shown), self._all))
        lines.show(FixedRows([_line(item, width) for item in self._shown]))
        if at_end:
            lines.go(len(self._shown) - 1)
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not self._shown:
            return []
        item = self._shown[self.lines().cursor]
        return labelled(item.who, f"{item.when} {item.words}".strip(), self.size.width)

    def _answer(self, view: View) -> str:
        found = text.explained(view.log, lambda lines: text.count(len(lines), "line"))
        file = settings_of(self.app).log
        where = "--log FILE keeps them" if file is None else text.escaped(str(file))
        own = text.count(len(log.recent()), "line")
        events = text.count(view.events_seen, "event")
        return f"kernel: {found} · {events} · this console: {own}, {where}"


def _machine(view: View) -> Iterator[_Said]:
    """Kernel lines and events in the order of their seconds since boot."""
    boot = view.snapshot.machine.boot_time
    kernel = () if isinstance(view.log, Unknown) else view.log
    timed = [(line.seconds, "kernel", text.escaped(line.text)) for line in kernel]
    timed += [(item.monotonic, "event", text.event(item)) for item in view.events]
    # Lines without a stamp belong to the line before them.
    last, ordered = 0.0, []
    for seconds, who, words in timed:
        last = last if seconds is None else seconds
        ordered.append((last, _Said(text.moment(boot, last), who, words)))
    return (said for _, said in sorted(ordered, key=lambda item: item[0]))


def _own(line: str) -> _Said:
    """A line of the console: it begins with its time of day."""
    when, _, words = line.partition(" ")
    return _Said(when, "console", words) if ":" in when else _Said("", "console", line)


def _line(item: _Said, width: int) -> Row:
    head = f"{column(item.when, _WHEN)} {item.who:<8}"
    rest = column(item.words, max(width - len(head) - 3, 8))
    return row((head, "dim"), (rest, _LOOKS[item.who]))
