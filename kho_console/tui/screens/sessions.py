"""Live-update sessions: their names, who holds them, and what they preserve."""

from collections.abc import Iterable

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.owner import OwnerKind
from kho_console.model.session import Session
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.tui import commands
from kho_console.tui.rows import FixedRows, Row, column, exactly, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_NAME = 24
_DETAIL = 8


class Sessions(Section):
    """See the module."""

    subject = "sessions"
    BINDINGS = commands.bindings(subject)

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield Panel(id="columns")
        yield Lines("list")
        yield Panel(id="detail")

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width = self.size.width
        label = row((" SESSIONS   ", "strong"))
        head = wrapped(_answer(view.snapshot), width, label)
        self.query_one("#head", Panel).show([*head, rule(width)])
        sessions = _sessions(view)
        titles = f"   {'name':<{_NAME}}  {'direction':<10}  {'files':<14}  held by"
        self.query_one("#columns", Panel).show([row((titles if sessions else "", "dim"))])
        self.lines().show(FixedRows([_line(item, width) for item in sessions]))
        self._detail(view)

    def on_lines_moved(self) -> None:
        """Tell more of the session under the cursor."""
        if self.view is not None:
            self._detail(self.view)

    def _detail(self, view: View) -> None:
        width, sessions = self.size.width, _sessions(view)
        rows = [rule(width)]
        if sessions:
            rows += _whole(sessions[self.lines().cursor], width)
        self.query_one("#detail", Panel).show(exactly(rows, _DETAIL))


def _sessions(view: View) -> tuple[Session, ...]:
    found = view.snapshot.inventory.sessions
    return () if isinstance(found, Unknown) else found


def _answer(snapshot: Snapshot) -> str:
    found = snapshot.inventory.sessions
    if isinstance(found, Unknown):
        return f"{text.word(found)}: {found.reason}"
    parts = [text.count(len(found), "session")]
    if not found and snapshot.liveupdate_device is False:
        parts.append("live update is off or unknown here: /dev/liveupdate is not there")
    ownership = snapshot.inventory.ownership
    if not isinstance(ownership, Unknown):
        files = [item for item in ownership.owners if item.kind is OwnerKind.MEMFD]
        if files:
            total = text.size(sum(item.size or 0 for item in files))
            parts.append(f"{text.count(len(files), 'memory file')} of {total} preserved")
    return " · ".join(parts)


def _line(item: Session, width: int) -> Row:
    files = text.told(item.files, lambda known: text.count(len(known), "file"))
    holder = "nobody"
    if item.holders:
        first = item.holders[0]
        holder = f"{first.pid} {text.escaped(first.command)}"
    used = 2 + _NAME + 2 + 10 + 2 + 14 + 2
    return row(
        "  ",
        (column(text.escaped(item.name), _NAME), "strong"),
        f"  {item.direction:<10}  {column(files, 14)}  {column(holder, max(width - used - 1, 8))}",
    )


def _whole(item: Session, width: int) -> list[Row]:
    rows = wrapped(text.escaped(item.name), width, _label("session"), "strong", most=2)
    for holder in item.holders:
        words = f"pid {holder.pid}  {text.escaped(holder.command)}"
        rows += wrapped(words, width, _label("held by"), most=1)
    if isinstance(item.files, Unknown):
        words = f"{text.word(item.files)}: {item.files.reason}"
        return rows + wrapped(words, width, _label("files"), "dim")
    for file in item.files:
        size = text.told(file.size, text.exact)
        words = f"token {file.token}  {text.escaped(file.handler)}  {size}"
        rows += wrapped(words, width, _label("file"), most=1)
    return rows


def _label(word: str) -> Row:
    return row((f" {word:<8}", "strong"))
