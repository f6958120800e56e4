"""kstate: the entries of a stream as a tree, and the difference of two streams."""

from collections.abc import Callable

from kho_console import text
from kho_console.engine.mechanisms.kstate_difference import EntryDifference
from kho_console.engine.observer import View
from kho_console.model.mechanism import KstateSeen
from kho_console.model.unknown import Unknown
from kho_console.tui import commands, kstate_rows
from kho_console.tui.background import begin
from kho_console.tui.kstate_rows import Line
from kho_console.tui.listed import Listed
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import FixedRows, Row
from kho_console.tui.signs import damage
from kho_console.tui.widgets.prompt import Prompt

_LINES_PER_DAMAGE = 12


class Kstate(Listed):
    """The stream that the kernel was handed, or one in a file."""

    subject = commands.KSTATE
    detail_height = 6
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with what the machine has."""
        super().__init__()
        self._file: KstateSeen | None = None
        self._other: KstateSeen | None = None
        self._differing: tuple[EntryDifference, ...] = ()
        self._folded: set[int] = set()
        self._lines: list[Line] = []

    def show(self, view: View) -> None:
        """See `Section.show`."""
        seen, width = self._seen(view), self.size.width - 1
        both = (*(seen.findings if seen else ()), *(self._other.findings if self._other else ()))
        found = damage(both, width, self.size.height // _LINES_PER_DAMAGE)
        self.head("KSTATE", kstate_rows.answer(seen, self._other, len(self._differing)), *found)
        if self._other is not None:
            self._lines = list(kstate_rows.difference_lines(self._differing, width))
        elif seen is None or isinstance(seen.entries, Unknown):
            self._lines = []
        else:
            self._lines = list(kstate_rows.lines(seen.entries, self._folded, width))
        self.lines().show(FixedRows([item.row for item in self._lines]))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        at = self.lines().cursor
        return kstate_rows.detail(self._lines[at], self.size.width) if at < len(self._lines) else []

    def close_something(self) -> bool:
        """Show the list again, then one stream, then that of the machine."""
        if super().close_something():
            return True
        if self._other is not None:
            self._other = None
        elif self._file is not None:
            self._file = None
        else:
            return False
        self.draw()
        return True

    def action_fold(self) -> None:
        """Show or hide the fields of the entry."""
        at = self.lines().cursor
        if self._other is None and at < len(self._lines):
            self._folded ^= {self._lines[at].entry.entry.offset}
            self.draw()

    def action_file(self) -> None:
        """Ask for a stream in a file."""
        self._ask("stream", self._show_file)

    def action_against(self) -> None:
        """Ask for the stream to compare with."""
        if self.view is None or self._seen(self.view) is None:
            self.say("there is no stream to compare: f shows one in a file")
        else:
            self._ask("compare with", self._compare)

    def _ask(self, label: str, then: Callable[[KstateSeen], None]) -> None:
        def answer(words: str) -> bool:
            if words.strip():
                self._read(words.strip(), then)
            return True

        self.query_one(Prompt).ask(label, "", answer, hint="a file with a stream of kstate")

    def _read(self, path: str, then: Callable[[KstateSeen], None]) -> None:
        """Read a file on a thread."""

        def task() -> KstateSeen | Failure:
            from kho_console.tui import streams

            return streams.read(path)

        def done(found: KstateSeen | Failure) -> None:
            if isinstance(found, Failure):
                self.say(f"x {found.reason}")
                return
            then(found)
            self.draw()
            self.lines().go(0)

        begin(self, task, done)

    def _show_file(self, found: KstateSeen) -> None:
        self._file, self._other, self._folded = found, None, set()

    def _compare(self, found: KstateSeen) -> None:
        from kho_console.engine.mechanisms.kstate_difference import differences

        seen = None if self.view is None else self._seen(self.view)
        for item in (seen, found):
            if item is None or isinstance(item.entries, Unknown):
                why = "" if item is None or not isinstance(item.entries, Unknown) else item.entries
                self.say(f"x {text.why(why)}" if isinstance(why, Unknown) else "x no stream")
                return
        assert seen is not None
        assert not isinstance(seen.entries, Unknown) and not isinstance(found.entries, Unknown)
        self._differing = tuple(differences(seen.entries, found.entries))
        self._other = found

    def _seen(self, view: View) -> KstateSeen | None:
        return self._file or view.snapshot.mechanisms.kstate
