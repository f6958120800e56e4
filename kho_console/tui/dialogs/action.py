"""One change: what it would do, whether it may, and how it ended."""

from collections.abc import Iterable
from enum import Enum, auto

from textual.widget import Widget
from textual.widgets import Input

from kho_console import text
from kho_console.documents.difference import Difference
from kho_console.model.action import Action, NotApplicable
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.tui import action_rows
from kho_console.tui.background import CALLED_OFF, Reading
from kho_console.tui.dialogs.dialog import Dialog
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import Row, row, wrapped
from kho_console.tui.widgets.choice import Choice
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.wish import Deed, Planned, Wish

_WORKING = Unknown(Cause.NOT_YET, "being worked out on a twin ..")


class _Phase(Enum):
    LOOKING = auto()
    SHOWN = auto()
    DOING = auto()
    ENDED = auto()


class ActionDialog(Dialog):
    """Shows an action as it is; it is done when its choice is taken, never before."""

    def __init__(self, wish: Wish) -> None:
        """Ask about `wish`."""
        super().__init__()
        self._wish = wish
        self._phase = _Phase.LOOKING
        self._planned: Planned | Failure | None = None
        self._predicted: Maybe[tuple[Difference, ...]] | Failure = _WORKING
        self._deed: Deed | None = None
        self._reading = Reading(self, self._progress)

    def fields(self) -> Iterable[Widget]:
        """See `Dialog.fields`."""
        yield Panel(id="ask")
        yield Input(compact=True, select_on_focus=False, id="host")

    def choices(self) -> Iterable[Choice]:
        """See `Dialog.choices`."""
        yield Choice("cancel", "Cancel")
        yield Choice("go", self._wish.name.capitalize())

    def on_mount(self) -> None:
        """Look at the machine first."""
        super().on_mount()
        self.changes.plan(self, self._wish, self._reading.watch, self._shown)

    def draw(self) -> None:
        """See `Dialog.draw`."""
        action, planned = self._action, self._planned
        about = self._wish.name if action is None else action.title
        host = planned.host if isinstance(planned, Planned) else ""
        self.entitle(self._wish.name, about, host)
        self.show(self._rows(self.size.width))
        shown = self._phase is _Phase.SHOWN
        asks = shown and self._wants_host
        for name in ("ask", "host"):
            self.query_one(f"#{name}").display = asks
        if asks:
            name = text.escaped(host)
            words = f"nothing undoes this; to go on, type the name of the host: {name}"
            self.query_one("#ask", Panel).show(wrapped(words, self.size.width, row(" "), "warning"))
        self.query_one("#go").display = shown and self._refusal is None
        cancel = "Cancel" if shown and self._refusal is None else "Close"
        self.query_one("#cancel", Choice).say(cancel)
        self._keys()

    @property
    def _action(self) -> Action | None:
        found = self._planned
        plan = found.plan if isinstance(found, Planned) else None
        return plan if isinstance(plan, Action) else None

    @property
    def _refusal(self) -> str | None:
        """Why it cannot be done from here."""
        action = self._action
        if action is None:
            return "there is nothing to do"
        if action.obstacles:
            return "what is marked x must change first"
        if self._wants_host and isinstance(self._planned, Planned) and not self._planned.host:
            return "nothing undoes this, and this machine has no name that could be typed"
        return self.changes.refusal

    @property
    def _wants_host(self) -> bool:
        action = self._action
        return action is not None and action.undone_by is None and not self.changes.rehearsal

    def _rows(self, width: int) -> list[Row]:
        planned = self._planned
        if self._deed is not None:
            return action_rows.deed_rows(self._deed, width)
        if planned is None:
            return [row((" looking at the machine ..", "info"))]
        if isinstance(planned, Failure):
            return wrapped(text.escaped(planned.reason), width, row((" x  ", "error")))
        if isinstance(planned.plan, NotApplicable):
            return action_rows.not_applicable_rows(planned.plan, width)
        rows = action_rows.action_rows(planned.plan, width)
        if not planned.plan.obstacles:
            rows += action_rows.difference_rows(self._predicted, width)
        return rows

    def _keys(self) -> None:
        match self._phase:
            case _Phase.SHOWN if self._refusal is None:
                self.hint("Tab goes on, Enter chooses, q cancels, Down and PgDn scroll")
            case _Phase.SHOWN if self._action is not None:
                self.hint(f"not done: {text.escaped(self._refusal or '')}", "warning")
            case _Phase.DOING:
                self.hint(f"{self.changes.doing or self._wish.name} ..", "info")
            case _:
                self.hint("Enter, Esc or q closes, Down and PgDn scroll")

    def _shown(self, found: Planned | Failure) -> None:
        if found is CALLED_OFF:
            return
        self._planned, self._phase = found, _Phase.SHOWN
        action = self._action
        if action is not None and self._wish.image is not None:
            self.changes.remember(self._wish.image, action.preconditions)
        self.draw()
        if action is not None and not action.obstacles:
            self.changes.predict(self, self._wish, action, self._told)

    def _told(self, found: Maybe[tuple[Difference, ...]] | Failure) -> None:
        self._predicted = found
        self.draw()

    def _progress(self, words: str) -> None:
        if self._phase in (_Phase.LOOKING, _Phase.DOING):
            self.hint(words, "info")

    def on_choice_chosen(self, event: Choice.Chosen) -> None:
        """Do it, or leave."""
        event.stop()
        if event.choice.id == "cancel":
            self.action_cancel()
        elif self._phase is _Phase.SHOWN and self._named():
            self._go()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The name of the host alone does nothing yet."""
        event.stop()
        if self._named():
            self.query_one("#go").focus()

    def action_cancel(self) -> None:
        """Leave; what the kernel was asked already goes on."""
        self._reading.call_off()
        self.leave()

    def _named(self) -> bool:
        """Whether the name of the host is not wanted, or was typed."""
        planned = self._planned
        if not self._wants_host or not isinstance(planned, Planned):
            return True
        entry = self.query_one("#host", Input)
        if planned.host and entry.value == planned.host:
            return True
        entry.focus()
        self.hint("this is not the name of the host", "warning")
        return False

    def _go(self) -> None:
        action = self._action
        if action is None or self._refusal is not None:
            return
        refusal = self.changes.perform(self._wish, action, self._reading.watch, self._ended)
        self._phase = _Phase.SHOWN if refusal else _Phase.DOING
        self.query_one("#cancel").focus()
        self.draw()

    def _ended(self, deed: Deed) -> None:
        if self.is_attached:
            self._deed, self._phase = deed, _Phase.ENDED
            self.draw()
