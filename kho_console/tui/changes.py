"""What is changed from the screen: one thing at a time, on daemon threads."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from textual.app import App
from textual.message_pump import MessagePump

from kho_console.engine.observer import Source, View
from kho_console.model.action import Action, Plan
from kho_console.model.change import KexecImage
from kho_console.model.check import Check
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.tui.background import begin
from kho_console.tui.lookout import Failure
from kho_console.tui.means import Lease, Means, Mode
from kho_console.tui.wish import Deed, Examined, Planned, Wish

if TYPE_CHECKING:
    from kho_console.documents.difference import Difference
    from kho_console.engine.image_files import Watch
    from kho_console.engine.journal_records import Records
    from kho_console.model.outcome import Outcome

T = TypeVar("T")


class Changes:
    """Plans, checks and does what screens and dialogs ask for.

    Attributes:
        means: What it takes to change the machine.
        doing: The title of what is being done; empty while nothing is.
        last: What was done last; None before.
        examined: The image that was checked last; None before.
        records: The journal as it was last read.
        others: Who else changes the machine, in words; None where nobody does.
        possible: What each step would do, by its name; empty before it was looked at.
        until: When the moment was that is shown of a machine that has gone on; None for now.
    """

    def __init__(
        self,
        app: App[Any],
        means: Means,
        turn: AbstractContextManager[object],
        after: Callable[[bool], None],
    ) -> None:
        """Make it.

        Args:
            app: The application; what is being done goes on when a dialog is closed.
            means: What it takes to change the machine.
            turn: Whoever looks at the machine or changes it takes it.
            after: Called when there is something new to show; with True where the machine may be
                another one now.
        """
        self.means = means
        self.doing = ""
        self.last: Deed | None = None
        self.examined: Examined | None = None
        self.records: Maybe[Records] = Unknown(Cause.NOT_YET, "the journal was not read yet")
        self.others: str | None = None
        self.possible: Mapping[str, Plan] = {}
        self.until: datetime | None = None
        self._app = app
        self._turn = turn
        self._after = after
        self._lease = Lease(means)
        self._renewed = False
        self._looking = False

    @property
    def mode(self) -> Mode:
        """Whether the machine may be changed now."""
        if self._lease.wanted and (not self._renewed or self.others is not None):
            return Mode.READ_ONLY
        return self.means.mode

    @property
    def refusal(self) -> str | None:
        """Why nothing may be changed from here now; None where it may."""
        if self.means.refusal is not None:
            return self.means.refusal
        if self.until is not None:
            return "this is how the machine was before: go back to now to change it"
        if self.others is not None:
            return self.others
        if self._lease.wanted and not self._renewed:
            return "the lock of this machine is not taken yet"
        return f"something is being done: {self.doing}" if self.doing else None

    @property
    def rehearsal(self) -> bool:
        """Whether nothing real is touched."""
        return self.means.mode is Mode.TWIN

    def renew(self) -> None:
        """Keep the lock, or see who has it; called by the thread that looks."""
        self.others = self._lease.renew()
        self._renewed = True

    def stand(self, source: Source | None, until: datetime | None) -> None:
        """Show another moment: of a recording its source, of a machine how it was until then."""
        self.until = until
        if source is not None:
            self.means = replace(self.means, source=source)

    def close(self) -> None:
        """Give the lock back."""
        self._lease.release()

    def look_at_steps(self, view: View) -> None:
        """Find out what is possible on the machine of a view, and show it."""
        if self._looking:
            return
        self._looking = True

        def task() -> Mapping[str, Plan]:
            from kho_console.tui import tasks

            return tasks.possible(self.means.source, view.snapshot, self._turn)

        def then(found: Mapping[str, Plan] | Failure) -> None:
            self._looking = False
            if not isinstance(found, Failure) and found != self.possible:
                self.possible = found
                self._after(False)

        begin(self._app, task, then)

    def plan(
        self,
        node: MessagePump,
        wish: Wish,
        watch: "Watch",
        then: Callable[[Planned | Failure], Any],
    ) -> None:
        """Look at the machine, and tell `node` what the step would do."""

        def task() -> Planned:
            from kho_console.tui import tasks

            journal = self.means.journal
            return tasks.planned(self.means.source, wish, watch, self._turn, journal)

        begin(node, task, then)

    def predict(
        self,
        node: MessagePump,
        wish: Wish,
        action: Action,
        then: "Callable[[Maybe[tuple[Difference, ...]] | Failure], Any]",
    ) -> None:
        """Do it on a twin of the machine, and tell `node` what is different then."""

        def task() -> "Maybe[tuple[Difference, ...]]":
            from kho_console.tui import tasks

            return tasks.predicted(self.means.source, wish, action, self._turn)

        begin(node, task, then)

    def examine(
        self,
        node: MessagePump,
        view: View,
        image: KexecImage,
        watch: "Watch",
        then: Callable[[Examined | Failure], Any],
    ) -> None:
        """Check an image against the machine, and tell `node` what was found."""

        def task() -> tuple[Check, ...] | Failure:
            from kho_console.tui import tasks

            return tasks.examined(view.snapshot, image, watch)

        def told(found: tuple[Check, ...] | Failure) -> None:
            if not isinstance(found, Failure):
                self.remember(image, found)
            then(found if isinstance(found, Failure) else Examined(image, found))

        begin(node, task, told)

    def remember(self, image: KexecImage, checks: tuple[Check, ...]) -> None:
        """Keep what was found of an image, to be shown."""
        self.examined = Examined(image, checks)
        self._after(False)

    def perform(
        self, wish: Wish, action: Action, watch: "Watch", ended: Callable[[Deed], Any]
    ) -> str | None:
        """Do it, and tell how it ended; where something is in the way, why not in words."""
        refusal, writer = self.refusal, wish.writer or self.means.writer
        if refusal is not None or writer is None:
            return refusal or "nothing can be changed from here"
        self.doing = action.title

        def task() -> "Outcome":
            from kho_console.tui import tasks

            return tasks.performed(self.means.source, wish, action, watch, writer, self._turn)

        def then(found: "Outcome | Failure") -> None:
            self.doing = ""
            self.last = Deed(action, found)
            ended(self.last)
            self._after(True)

        begin(self._app, task, then)
        return None

    def arm(self, word: str, then: Callable[[str | Failure], Any]) -> None:
        """Let something go wrong on the twin; tells why not, or an empty text."""

        def task() -> str:
            from kho_console.tui import tasks

            return tasks.armed(self.means.source, word, self._turn)

        begin(self._app, task, then)

    def guide(
        self,
        node: MessagePump,
        work: Callable[[AbstractContextManager[object]], T],
        then: Callable[[T | Failure], Any],
    ) -> None:
        """Do something for a run of a runbook, and tell `node` what came of it."""
        begin(node, lambda: work(self._turn), then)

    def read_journal(self, view: View | None) -> None:
        """Read the journal, and show it."""
        if view is None:
            return
        means, until = self.means, self.until

        def task() -> "Maybe[Records]":
            from kho_console.tui import tasks

            found = tasks.records(means.source, means.journal, view.snapshot)
            return found if until is None else tasks.begun_until(found, until)

        def then(found: "Maybe[Records] | Failure") -> None:
            if isinstance(found, Failure):
                found = Unknown(Cause.UNREADABLE, found.reason)
            if found != self.records:
                self.records = found
                self._after(False)

        begin(self._app, task, then)


@runtime_checkable
class Changing(Protocol):
    """An application that changes machines."""

    changes: Changes


def changes_of(app: App[Any]) -> Changes:
    """What an application changes.

    Raises:
        TypeError: It changes nothing.
    """
    if not isinstance(app, Changing):
        raise TypeError(f"{type(app).__name__} changes nothing")
    return app.changes
