"""Live-update sessions: their names, who holds them, and what they preserve."""

from collections.abc import Iterator
from typing import TypeAlias

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.session import Direction, Holder, Session, SessionFile
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.tui import commands
from kho_console.tui.filtered import Filtered
from kho_console.tui.listed import labelled
from kho_console.tui.rows import FixedRows, Row, column, row

_NAME = 24
_SHORT_NAME = 16
_NARROW = 64


@dataclass(frozen=True, slots=True)
class _Line:
    """A session, or one of its files or holders below it."""

    session: Session
    file: SessionFile | None = None
    holder: Holder | None = None


_Key: TypeAlias = tuple[bytes, Direction]


class Sessions(Filtered):
    """See the module."""

    subject = "sessions"
    detail_height = 8
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all sessions folded."""
        super().__init__()
        self._open: set[_Key] = set()
        self._shown: list[_Line] = []

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width = self.size.width
        sessions = _sessions(view)
        kept = self.kept(sessions, _words)
        self._shown = [line for item in kept for line in self._unfolded(item)]
        below = self.filter_rows(len(kept), len(sessions))
        self.head("SESSIONS", _answer(view.snapshot), *below, _titles(sessions, width))
        self.lines().show(FixedRows([self._line(item, width) for item in self._shown]))
        self.explain(view)

    def arrive(self, wanted: str) -> None:
        """Go to the session of that name."""
        for at, line in enumerate(self._shown):
            is_session = line.file is None and line.holder is None
            if is_session and text.escaped(line.session.name) == wanted:
                self.lines().go(at)
                return

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not self._shown:
            return []
        width, line = self.size.width, self._shown[self.lines().cursor]
        rows = labelled("session", text.escaped(line.session.name), width, "strong", most=2)
        if line.file is not None:
            return rows + _file_rows(line.file, width)
        if line.holder is not None:
            return rows + labelled("held by", _holder(line.holder), width)
        for holder in line.session.holders:
            rows += labelled("held by", _holder(holder), width, most=1)
        if isinstance(line.session.files, Unknown):
            return rows + labelled("files", text.why(line.session.files), width, "dim")
        for file in line.session.files:
            rows += labelled("file", _file(file), width, most=1 if width >= _NARROW else 2)
        return rows

    def action_unfold(self) -> None:
        """Show or hide the files and holders of the chosen session."""
        if not self._shown:
            return
        chosen = self._shown[self.lines().cursor].session
        if not _parts(chosen):
            self.say("nothing is known below this session")
            return
        self._open ^= {_key(chosen)}
        self.draw()
        heads = (at for at, line in enumerate(self._shown) if line.session == chosen)
        self.lines().go(next(heads, 0))

    def _unfolded(self, item: Session) -> Iterator[_Line]:
        yield _Line(item)
        if _key(item) in self._open:
            yield from _parts(item)

    def _line(self, line: _Line, width: int) -> Row:
        if line.file is not None:
            return row("     ", ("file  ", "dim"), column(_file(line.file), max(width - 13, 8)))
        if line.holder is not None:
            return row("     ", ("held  ", "dim"), column(_holder(line.holder), max(width - 13, 8)))
        sign = " " if not _parts(line.session) else "-" if _key(line.session) in self._open else "+"
        return _session_row(line.session, sign, width)


def _key(session: Session) -> _Key:
    """After a handover one name may be both held and waiting."""
    return session.name, session.direction


def _sessions(view: View) -> tuple[Session, ...]:
    found = view.snapshot.inventory.sessions
    return () if isinstance(found, Unknown) else found


def _parts(item: Session) -> list[_Line]:
    files = () if isinstance(item.files, Unknown) else item.files
    return [
        *(_Line(item, file=file) for file in files),
        *(_Line(item, holder=holder) for holder in item.holders),
    ]


def _words(item: Session) -> str:
    """All that the filter looks at."""
    files = () if isinstance(item.files, Unknown) else item.files
    parts = [text.escaped(item.name), item.direction, *map(_file, files)]
    return " ".join([*parts, *map(_holder, item.holders)])


def _answer(snapshot: Snapshot) -> str:
    files = text.memory_files(snapshot.inventory.ownership)
    return " · ".join(filter(None, (text.sessions(snapshot), files)))


def _titles(sessions: tuple[Session, ...], width: int) -> Row:
    if not sessions:
        return ()
    name = _NAME if width >= _NARROW else _SHORT_NAME
    rest = f"{'files':<14}  held by" if width >= _NARROW else ""
    return row((f"   {'name':<{name}}  {'direction':<10}  {rest}".rstrip(), "dim"))


def _session_row(item: Session, sign: str, width: int) -> Row:
    wide = width >= _NARROW
    name = column(text.escaped(item.name), _NAME if wide else _SHORT_NAME)
    if not wide:
        return row(f"{sign} ", (name, "strong"), f"  {item.direction:<10}")
    files = text.told(item.files, lambda known: text.count(len(known), "file"))
    holder = "nobody"
    if item.holders:
        holder = f"{item.holders[0].pid} {text.escaped(item.holders[0].command)}"
    used = 2 + _NAME + 2 + 10 + 2 + 14 + 2
    rest = f"{column(files, 14)}  {column(holder, max(width - used - 1, 8))}"
    return row(f"{sign} ", (name, "strong"), f"  {item.direction:<10}  {rest}")


def _holder(holder: Holder) -> str:
    return f"pid {holder.pid}  {text.escaped(holder.command)}"


def _file(file: SessionFile) -> str:
    size = text.told(file.size, text.exact)
    return f"token {text.token(file.token)}  {text.escaped(file.handler)}  {size}"


def _file_rows(file: SessionFile, width: int) -> list[Row]:
    """A file in full: what its handler's records tell."""
    rows = labelled("file", _file(file), width)
    state = file.state
    if isinstance(state, Unknown):
        return rows + labelled("records", text.why(state), width, "dim")
    seals = "" if state.seals is None else f", seals 0x{state.seals:x}"
    where = f"version {state.version} at {text.address(state.address)}"
    rows += labelled("records", f"{where}, position {state.position:,}{seals}", width)
    pages = f"{text.count(state.folios, 'folio')}, {text.exact(state.content.bytes)}"
    ranges = text.count(len(state.content), "range")
    return rows + labelled("memory", f"{pages} in {ranges}", width)
