"""What `watch` prints: lines for people, or objects for machines."""

from datetime import datetime

from kho_console import text, text_crash
from kho_console.cli import output
from kho_console.documents import watch as documents
from kho_console.engine.crash.effect import effect
from kho_console.engine.crash.grouping import WAITING
from kho_console.engine.log_lines import LogLine
from kho_console.engine.observer import View
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Effect, Gap, Happening
from kho_console.model.unknown import Maybe, Unknown

_WHEN, _WHAT, _HEADER = 10, 42, 18


class Teller:
    """Prints each thing once, as soon as it is known, and flushes."""

    def __init__(self, boot: Maybe[datetime], *, json: bool) -> None:
        """Print lines, or with `json` objects; `boot` is when the machine was booted."""
        self._boot = boot
        self._json = json
        self._told: set[int] = set()
        self._lines: set[LogLine] = set()

    def begin(self) -> None:
        """Print the heads of the columns."""
        if not self._json:
            zone = "" if isinstance(self._boot, Unknown) else " UTC"
            when = f"time{zone}"
            heads = f"{when:<{_WHEN}}{'what':<{_WHAT}}{'header':<{_HEADER}}memory covered"
            output.line(heads)
            output.flush()

    def arrived(self, events: list[Event | EventsLost]) -> None:
        """Print events as they come; people are told of them when they are grouped."""
        if self._json:
            for item in events:
                output.record(documents.event(item, self._boot))
            output.flush()

    def known(self, view: View) -> None:
        """Leave out from now on what `view` has: it was there before anybody watched."""
        self._lines = set(_about_crash(view))

    def settled(self, view: View, now: float, together: float) -> None:
        """Print what a look answered and what grows no more.

        Args:
            view: The look.
            now: Monotonic seconds of the machine.
            together: Seconds that a happening may still grow after its last event.
        """
        lines = _about_crash(view)
        news: list[LogLine | Happening | Gap] = [line for line in lines if line not in self._lines]
        self._lines = set(lines)
        for item in view.happenings:
            if item.number not in self._told and _is_done(item, now - together):
                self._told.add(item.number)
                news.append(item)
        for new in sorted(news, key=_began):
            self._tell(new)
        first = view.happenings[0].number if view.happenings else 0
        self._told = {number for number in self._told if number >= first}
        output.flush()

    def stood(self, view: View) -> None:
        """Print how the crash image of a recording stands at its end, whatever made it so."""
        if not self._json:
            crash = view.snapshot.crash
            # Events of a twin have times of the calls that made them, and this one has begun anew.
            end = max([crash.taken, *(event.monotonic for event in view.events)])
            self._line(end, "at the end", WAITING, effect(crash))
            output.flush()

    def flow(self, view: View) -> None:
        """Print how events arrive."""
        flow = view.flow
        if self._json:
            output.record(documents.flow(flow))
        else:
            rate = f"{flow.rate:.1f}/s, " if flow.rate else ""
            output.line(
                f"{text.count(flow.seen, 'event')}, {rate}{text.count(flow.lost, 'time')} lost, "
                f"{text.count(flow.gaps, 'gap')} in SEQNUM, {flow.backlog} not looked at"
            )
        output.flush()

    def _tell(self, item: LogLine | Happening | Gap) -> None:
        if isinstance(item, LogLine):
            self._log(item)
        elif isinstance(item, Gap):
            self._gap(item)
        elif self._json:
            output.record(documents.happening(item, self._boot))
        else:
            what = text_crash.happened(item)
            self._line(item.events[0].monotonic, what, item.before, item.after)

    def _line(self, at: float, what: str, before: Maybe[Effect], after: Maybe[Effect]) -> None:
        when = text.moment(self._boot, at)
        header = text.cut(text_crash.change(before, after), _HEADER - 2)
        covered = text_crash.covered(after)
        output.line(
            f"{when:<{_WHEN}}{text.cut(what, _WHAT - 2):<{_WHAT}}{header:<{_HEADER}}{covered}"
        )

    def _gap(self, item: Gap) -> None:
        if self._json:
            output.record(documents.gap(item, self._boot))
            return
        when = text.moment(self._boot, item.monotonic)
        output.line(f"{when:<{_WHEN}}{text_crash.happened(item)}")

    def _log(self, line: LogLine) -> None:
        if self._json:
            output.record(documents.log_line(line.seconds, line.text, self._boot))
        else:
            when = "" if line.seconds is None else text.moment(self._boot, line.seconds)
            output.line(f"{when:<{_WHEN}}kernel: {text.escaped(line.text)}")


def _began(item: LogLine | Happening | Gap) -> float:
    """Monotonic seconds; a line without a stamp comes first."""
    if isinstance(item, LogLine):
        return item.seconds or 0.0
    return item.monotonic if isinstance(item, Gap) else item.events[0].monotonic


def _is_done(item: Happening | Gap, before: float) -> bool:
    """Whether a look has answered it, and its last event was long enough ago."""
    if isinstance(item, Gap):
        return item.found != WAITING
    return item.events[-1].monotonic <= before and item.after != WAITING


def _about_crash(view: View) -> list[LogLine]:
    lines = () if isinstance(view.log, Unknown) else view.log
    return [line for line in lines if "crash hp:" in line.text]
