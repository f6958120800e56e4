"""Live-update sessions: their names, who holds them, and what they preserve."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.owner import OwnerKind
from kho_console.model.session import Session
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
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
    waiting = snapshot.inventory.waiting
    if isinstance(waiting, Unknown) and waiting.cause is not Cause.ABSENT:
        parts.append(f"whether more wait is not known: {waiting.reason}")
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
    rows = labelled("session", text.escaped(item.name), width, "strong", most=2)
    for holder in item.holders:
        words = f"pid {holder.pid}  {text.escaped(holder.command)}"
        rows += labelled("held by", words, width, most=1)
    if isinstance(item.files, Unknown):
        words = f"{text.word(item.files)}: {item.files.reason}"
        return rows + labelled("files", words, width, "dim")
    for file in item.files:
        size = text.told(file.size, text.exact)
        words = f"token {text.token(file.token)}  {text.escaped(file.handler)}  {size}"
        rows += labelled("file", words, width, most=1)
    return rows
