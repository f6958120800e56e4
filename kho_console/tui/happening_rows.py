"""The timeline of the Crash screen: what happened to CPUs and memory, the latest first."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from kho_console import text, text_crash
from kho_console.engine.log_lines import LogLine
from kho_console.engine.observer import View
from kho_console.model.event import Event
from kho_console.model.happening import Effect, Gap, Happening
from kho_console.model.unknown import Maybe, Unknown
from kho_console.tui.crash_rows import standing
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Row, clipped, column, row

OPEN, FOLDED = "▾", "▸"
"""Before a line that unfolds."""

ARROW = "→"

_NARROW = 60
_WIDE = 100
_WHEN = 9
_HEADER = 15
_COVERED = 18
_WIDE_COVERED = 34
_SHORT_COVERED = 8
_CRASH_WORDS = ("crash hp:", "elfcorehdr")
"""What the kernel's lines about crash hotplug have in them."""

Moment: TypeAlias = Callable[[float], str]
Key: TypeAlias = tuple[int, str]


class Entry(NamedTuple):
    """Something that has a line of its own; in a storm there are thousands, at each look.

    Attributes:
        at: Monotonic seconds of the machine.
        what: What it is.
    """

    at: float
    what: Happening | Gap | LogLine

    @property
    def key(self) -> Key:
        """What it is known by when it has grown."""
        if isinstance(self.what, LogLine):
            return 0, f"{self.at} {self.what.text}"
        return self.what.number, ""

    @property
    def events(self) -> tuple[Event, ...]:
        """What it unfolds to, the latest first; none for one event alone."""
        if not isinstance(self.what, Happening) or len(self.what.events) < 2:
            return ()
        return self.what.events[::-1]

    @property
    def words(self) -> str:
        """What it says in one phrase."""
        match self.what:
            case Happening() | Gap():
                return text_crash.happened(self.what)
            case _:
                return f"kernel: {text.escaped(self.what.text)}"


def entries(view: View) -> list[Entry]:
    """What happened and what the kernel said of crash hotplug, the latest first."""
    found = [Entry(began(item), item) for item in view.happenings]
    last = 0.0
    for line in () if isinstance(view.log, Unknown) else view.log:
        last = last if line.seconds is None else line.seconds
        if any(word in line.text for word in _CRASH_WORDS):
            found.append(Entry(last, line))
    return sorted(found, key=lambda item: item.at)[::-1]


def began(item: Happening | Gap) -> float:
    """Monotonic seconds of its first event."""
    return item.monotonic if isinstance(item, Gap) else item.events[0].monotonic


def device(entry: Entry, event: Event | None) -> str:
    """The device of a line that could be taken on or off line; empty for none."""
    if event is not None:
        return text.escaped(event.device)
    if isinstance(entry.what, Happening) and entry.what.devices:
        return f"{text.escaped(entry.what.subsystem)}{entry.what.devices[0]}"
    return ""


class Timeline:
    """The lines of entries, some of them unfolded; none is made before it is drawn."""

    def __init__(
        self, shown: Sequence[Entry], opened: Collection[Key], moment: Moment, width: int
    ) -> None:
        """Show `shown`, those in `opened` with their events."""
        self._shown = shown
        self._opened = opened
        self._moment = moment
        self._width = width
        self._starts: Sequence[int] = range(len(shown) + 1)
        if opened:
            lines = (1 + (len(item.events) if item.key in opened else 0) for item in shown)
            self._starts = list(accumulate(lines, initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, index: int) -> tuple[Entry, Event | None]:
        """The entry of a line, and the event below it that the line shows."""
        number = bisect_right(self._starts, index) - 1
        below = index - self._starts[number]
        found = self._shown[number]
        return found, found.events[below - 1] if below else None

    def line_of(self, key: Key, event: Event | None = None) -> int | None:
        """The line of an entry, or of an event below it; None where it is not shown."""
        for number, found in enumerate(self._shown):
            if found.key == key:
                shown = event is not None and key in self._opened and event in found.events
                return self._starts[number] + (found.events.index(event) + 1 if shown else 0)
        return None

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        entry, event = self.at(index)
        if event is not None:
            return self._below(event)
        when = row((f"{self._moment(entry.at):<{_WHEN}}", "dim"))
        if not isinstance(entry.what, Happening):
            return self._said(when, entry)
        sign = " "
        if entry.events:
            sign = OPEN if entry.key in self._opened else FOLDED
        return self._happening((*when, (f"{sign} ", "strong")), entry.what)

    def _happening(self, head: Row, item: Happening) -> Row:
        room = self._width - _WHEN - 3
        words, look = standing(item.after, short=self._width < _NARROW)
        if self._width < _NARROW:
            what = column(text_crash.briefly(item), room - _SHORT_COVERED - 1)
            return row(*head, what, " ", (column(words, _SHORT_COVERED), look))
        covered = _COVERED if self._width < _WIDE else _WIDE_COVERED
        said = text_crash.happened(item, node=self._width >= _WIDE)
        what = column(said, room - _HEADER - covered - 2)
        header = column(text_crash.change(item.before, item.after, ARROW), _HEADER)
        return row(*head, what, " ", header, " ", (column(words, covered), look))

    def _said(self, when: Row, entry: Entry) -> Row:
        sign, look = ("  ", "dim")
        if isinstance(entry.what, Gap):
            sign, look = ("! ", "warning") if entry.what.lost else ("? ", "info")
        return clipped((*when, (sign, look), (entry.words, look)), self._width - 1)

    def _below(self, event: Event) -> Row:
        number = "" if event.sequence is None else f"  SEQNUM {event.sequence}"
        when = f"{self._moment(event.monotonic):<{_WHEN}}"
        return clipped(row((when, "dim"), "    ", text.event(event), (number, "dim")), self._width)


def titles(width: int) -> Row:
    """The names of the columns."""
    if width < _NARROW:
        return ()
    covered = _COVERED if width < _WIDE else _WIDE_COVERED
    what = width - _WHEN - 3 - _HEADER - covered - 2
    head = f" {'time':<{_WHEN}}  {'what':<{what}} {'header':<{_HEADER}} covered"
    return row((head, "dim"))


def detail(entry: Entry, event: Event | None, moment: Moment, width: int) -> list[Row]:
    """A line in full."""
    if event is not None:
        number = "no SEQNUM" if event.sequence is None else f"SEQNUM {event.sequence}"
        return labelled("event", f"{text.event(event)}, {moment(event.monotonic)}, {number}", width)
    if not isinstance(entry.what, Happening):
        look = "warning" if isinstance(entry.what, Gap) else ""
        return labelled("said", f"{moment(entry.at)} {entry.words}", width, look)
    item = entry.what
    number = text.count(len(item.events), "event")
    rows = labelled(
        "what", f"{text_crash.happened(item)} · {number} from {moment(entry.at)}", width
    )
    rows += labelled("header", _explained(item.before, item.after), width)
    before, after = (_standing(effect) for effect in (item.before, item.after))
    return rows + labelled("dump", f"before: {before}; since then: {after}", width)


def _explained(before: Maybe[Effect], after: Maybe[Effect]) -> str:
    return (
        text.why(after) if isinstance(after, Unknown) else text_crash.change(before, after, ARROW)
    )


def _standing(effect: Maybe[Effect]) -> str:
    return standing(effect)[0]
