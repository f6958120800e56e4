"""Two moments side by side: one that the operator names or marks, and the one that is shown."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from kho_console import text, text_over_time
from kho_console.engine.observer import Source, View
from kho_console.tui import background, commands
from kho_console.tui.changes import changes_of
from kho_console.tui.filtered import Filtered
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import FixedRows, Row, row, wrapped
from kho_console.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from kho_console.model.difference import Difference as Different
    from kho_console.model.snapshot import Snapshot
    from kho_console.tui.difference_rows import Line

T = TypeVar("T")

ASK = "ask"
"""What another screen leads here for: the question which moment is the first one."""

_ADVICE = (
    "= names the first moment: a fixture folder, FILE@TIME of a recording, live, or a shipped one",
    "m marks the moment that is shown now as the first, to see what happens from here on",
)


class Difference(Filtered):
    """See the module."""

    subject = commands.DIFFERENCE
    detail_height = 6
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with no first moment."""
        super().__init__()
        self._first: Snapshot | None = None
        self._second: Snapshot | None = None
        self._found: Sequence[Different] | Failure | None = None
        self._shown: list[Line] = []
        self._busy = ""
        self._named = ""

    def arrive(self, wanted: str) -> None:
        """See `Section.arrive`."""
        if wanted == ASK:
            self.action_moment()

    def action_moment(self) -> None:
        """Ask for the first moment."""
        hint = "live, a folder, FILE@TIME, +5m, or linux-7.3.4/cold"
        self.query_one(Prompt).ask(
            "compare with", self._named, self._begin_with, hint=hint, proposed=True
        )

    def action_mark(self) -> None:
        """Take the moment that is shown for the first one."""
        if self.view is not None:
            self._hold(self.view.snapshot)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        if self._first is not None and view.snapshot is not self._second and not self._busy:
            self._compare(self._first, view.snapshot)
        width = self.size.width
        if self._first is None or self._second is None or not isinstance(self._found, tuple):
            self._advise()
        else:
            from kho_console.tui import difference_rows

            kept = self.kept(self._found, difference_rows.words)
            self._shown = difference_rows.lines(kept, width)
            columns = difference_rows.columns(self._first, self._second, width)
            filtered = self.filter_rows(len(kept), len(self._found))
            self.head("DIFFERENCE", text_over_time.differences(self._found), *columns, *filtered)
        self.lines().show(FixedRows([shown for shown, _ in self._shown]), cursor=bool(self._shown))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        item = self._shown[self.lines().cursor][1] if self._shown else None
        if item is None:
            return []
        from kho_console.tui import difference_rows

        return difference_rows.whole(item, self.size.width)

    def exported(self) -> Mapping[str, Iterable[str]] | None:
        """See `exports.Exporter`."""
        if self._first is None or self._second is None or not isinstance(self._found, tuple):
            return None
        from kho_console.documents import compared as documents

        document = documents.compared(self._first, self._second, self._found)
        return {"json": (f"{json.dumps(document, indent=2)}\n",)}

    def _advise(self) -> None:
        self._shown = []
        answer = self._busy or "there is nothing to compare with yet"
        if isinstance(self._found, Failure) and not self._busy:
            answer = f"x {text.harmless(self._found.reason)}"
        width = self.size.width
        rows = [line for words in _ADVICE for line in wrapped(words, width, row(" "), "dim")]
        self.head("DIFFERENCE", answer, *rows)

    def _begin_with(self, word: str) -> bool:
        word = word.strip()
        if not word:
            return True
        self._named = word
        source = changes_of(self.app).means.source
        self._begin(f"reading {text.escaped(word)} ..", lambda: _seen(word, source), self._arrived)
        self.draw()
        return True

    def _arrived(self, found: "Snapshot | Failure") -> None:
        self._busy = ""
        if isinstance(found, Failure):
            self._first, self._found = None, found
            self.draw()
        else:
            self._hold(found)

    def _hold(self, first: "Snapshot") -> None:
        self._first, self._second, self._found = first, None, None
        self.lines().go(0)
        self.draw()

    def _compare(self, first: "Snapshot", second: "Snapshot") -> None:
        self._begin("comparing ..", lambda: _different(first, second), self._compared)

    def _compared(self, found: "tuple[Snapshot, Snapshot, Sequence[Different]] | Failure") -> None:
        self._busy = ""
        if isinstance(found, Failure):
            self._found = found
        elif found[0] is self._first:
            _, self._second, self._found = found
        self.draw()

    def _begin(
        self, words: str, task: Callable[[], T], then: Callable[[T | Failure], None]
    ) -> None:
        self._busy = words
        background.begin(self, task, then)


def _seen(word: str, shown: Source) -> "Snapshot | Failure":
    from kho_console.engine.moments import NoMomentError
    from kho_console.engine.observe import observe
    from kho_console.engine.opening import CannotOpenError, open_source
    from kho_console.engine.timeline import other_moment

    try:
        return observe(other_moment(shown, word) or open_source(word))
    except (CannotOpenError, NoMomentError) as error:
        return Failure(str(error))


def _different(
    first: "Snapshot", second: "Snapshot"
) -> "tuple[Snapshot, Snapshot, Sequence[Different]]":
    from kho_console.engine.difference import difference

    return first, second, difference(first, second)
