"""What was done to the machine, by whom, and how it ended; the latest last."""

import json
from collections.abc import Iterable, Mapping, Sequence

from kho_console import text
from kho_console.documents import acting as documents
from kho_console.engine.observer import View
from kho_console.model.record import Damage, Record
from kho_console.model.unknown import Unknown
from kho_console.tui import commands, journal_rows
from kho_console.tui.changes import changes_of
from kho_console.tui.filtered import Filtered
from kho_console.tui.rows import FixedRows, Row, row, wrapped

_MOST_DAMAGE = 2


class Journal(Filtered):
    """See the module."""

    subject = commands.JOURNAL
    detail_height = 9
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all actions, the latest one chosen."""
        super().__init__()
        self._shown: Sequence[Record] = ()
        self._looked: View | None = None

    def on_screen_resume(self) -> None:
        """Read it anew."""
        changes_of(self.app).read_journal(self.view)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        changes = changes_of(self.app)
        if view is not self._looked:
            self._looked = view
            changes.read_journal(view)
        found, width, lines = changes.records, self.size.width, self.lines()
        if isinstance(found, Unknown):
            self._shown = ()
            self.head("JOURNAL", text.why(found))
            lines.show(FixedRows(()))
            self.explain(view)
            return
        at_end = not self._shown or lines.cursor == len(self._shown) - 1
        self._shown = self.kept(found.records, _words)
        place = "" if changes.means.journal is None else text.escaped(str(changes.means.journal))
        count = text.count(len(found.records), "action")
        answer = f"{count} · {place}" if place else count
        filtered = self.filter_rows(len(self._shown), len(found.records))
        self.head("JOURNAL", answer, *_damage(found.damage, width), *filtered)
        rows = [journal_rows.line(item, width - 1) for item in self._shown]
        if not found.records:
            rows = [row(("nothing was done yet", "dim"))]
        lines.show(FixedRows(rows), cursor=bool(self._shown))
        if at_end and self._shown:
            lines.go(len(self._shown) - 1)
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not self._shown:
            return []
        return journal_rows.whole(self._shown[self.lines().cursor], self.size.width)

    def exported(self) -> Mapping[str, Iterable[str]] | None:
        """See `exports.Exporter`."""
        found = changes_of(self.app).records
        if isinstance(found, Unknown):
            return None
        document = documents.journal(found.records, found.damage)
        return {"json": (f"{json.dumps(document, indent=2)}\n",)}


def _damage(found: Sequence[Damage], width: int) -> list[Row]:
    """What cannot be read is said above the list; lines that can be read are in it."""
    rows: list[Row] = []
    for item in found[:_MOST_DAMAGE]:
        words = f"cannot be read: {journal_rows.damage(item)}"
        rows += wrapped(words, width, row((" ! ", "warning")), "warning", most=2)
    more = len(found) - _MOST_DAMAGE
    if more > 0:
        rows.append(row((f"   and {text.count(more, 'line')} more", "warning")))
    return rows


def _words(item: Record) -> str:
    """All that the filter looks at."""
    parts = (item.at, item.action, item.standing, item.text, item.who.user, item.who.login or "")
    return " ".join(map(text.escaped, parts))
