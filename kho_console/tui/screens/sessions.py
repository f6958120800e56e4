"""Live-update sessions: their names, who holds them, and what they preserve."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.session import Session
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.tui import commands
from kho_console.tui.listed import Listed, labelled
from kho_console.tui.rows import FixedRows, Row, column, row

_NAME = 24


class Sessions(Listed):
    """See the module."""

    subject = "sessions"
    detail_height = 8
    BINDINGS = commands.bindings(subject)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        sessions = _sessions(view)
        titles = f"   {'name':<{_NAME}}  {'direction':<10}  {'files':<14}  held by"
        self.head("SESSIONS", _answer(view.snapshot), row((titles if sessions else "", "dim")))
        width = self.size.width
        self.lines().show(FixedRows([_line(item, width) for item in sessions]))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        sessions = _sessions(view)
        return _whole(sessions[self.lines().cursor], self.size.width) if sessions else []


def _sessions(view: View) -> tuple[Session, ...]:
    found = view.snapshot.inventory.sessions
    return () if isinstance(found, Unknown) else found


def _answer(snapshot: Snapshot) -> str:
    files = text.memory_files(snapshot.inventory.ownership)
    return " · ".join(filter(None, (text.sessions(snapshot), files)))


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
    rows = labelled("session", text.escaped(item.name), width, "strong", most=2)
    for holder in item.holders:
        words = f"pid {holder.pid}  {text.escaped(holder.command)}"
        rows += labelled("held by", words, width, most=1)
    if isinstance(item.files, Unknown):
        return rows + labelled("files", text.why(item.files), width, "dim")
    for file in item.files:
        size = text.told(file.size, text.exact)
        words = f"token {text.token(file.token)}  {text.escaped(file.handler)}  {size}"
        rows += labelled("file", words, width, most=1)
    return rows
