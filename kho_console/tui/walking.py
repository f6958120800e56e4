"""The walk through the moments of a recording, or of what was seen while the console is open.

A recording is read on daemon threads, one walk at a time; what is asked for meanwhile is done in
one go. What was seen of a live machine is in memory: there everything is done at once.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from textual.app import App

from kho_console.engine.observer import Observer, Source, View
from kho_console.engine.opening import RECORDING
from kho_console.model.position import Landmark, Motion, Position
from kho_console.model.value import dataclass
from kho_console.tui import background
from kho_console.tui.lookout import Failure

if TYPE_CHECKING:
    from kho_console.engine.kept_looks import KeptLooks
    from kho_console.engine.replay import Cursor

Move: TypeAlias = "Callable[[Cursor], str]"
"""Moves the cursor; what to say of it, empty for nothing."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Stood:
    """Where a walk ended.

    Attributes:
        position: The moment.
        view: What is to be seen there; None where nobody went to another moment.
        source: The machine at that moment; None where it is the one that it was.
        words: What to say of it; empty for nothing.
    """

    position: Position
    view: View | None = None
    source: Source | None = None
    words: str = ""


class Walking:
    """Stands on a moment, and goes to others.

    Attributes:
        position: Where it stands; None while there is nothing to walk through.
        landmarks: What happened, for the timeline.
    """

    def __init__(
        self,
        app: App[Any],
        observer: Observer,
        stood: Callable[[Stood | Failure], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Args:
            app: The application.
            observer: What looks at the machine.
            stood: Called with where a walk ended.
            clock: The console's own monotonic seconds.
        """
        self.position: Position | None = None
        self.landmarks: tuple[Landmark, ...] = ()
        self._app = app
        self._source = observer.source
        self._live = observer.live
        self._recorded = observer.identity[0] == RECORDING
        self._stood = stood
        self._clock = clock
        self._turn = threading.Lock()
        self._moves: deque[Move] = deque()
        self._cursor: Cursor | None = None
        self._kept: KeptLooks | None = None
        self._number = 0
        self._view: View | None = None
        self._walks = 0

    @property
    def shown(self) -> bool:
        """Whether there is a timeline to show: that of a recording, or of a machine that is paused.

        One that is followed is now, and has no other time.
        """
        return self.position is not None and not self.following

    @property
    def playing(self) -> bool:
        """Whether it goes on by itself."""
        return self.position is not None and self.position.motion is Motion.PLAYING

    @property
    def following(self) -> bool:
        """Whether it stays with a machine that runs."""
        return self.position is not None and self.position.motion is Motion.LIVE

    @property
    def past(self) -> bool:
        """Whether a machine that runs is shown as it was before."""
        found = self.position
        return self._live and found is not None and found.number < found.count - 1

    def took(self, view: View) -> View:
        """Take a look that has ended; what is to be seen where one stands."""
        if self._live:
            return self._keep(view)
        if self._recorded and self._cursor is None:
            self.ask(lambda cursor: "")
            self._begin(self._survey, self._surveyed)
        return view if self._view is None else self._view

    def did(self, action: str) -> None:
        """Something was done to a machine that is walked back through."""
        if self._kept is not None:
            self._kept.did(action)

    def ask(self, move: Move) -> None:
        """Go to another moment."""
        if self._recorded:
            self._moves.append(move)
            self._walks += 1
            self._begin(self._walk, self._arrived)
        elif self._cursor is None:
            name = self._source.name
            words = "nothing was seen yet" if self._live else f"{name} has one moment only"
            self._stood(Failure(words))
        else:
            self._walked(self._moved(self._cursor, [move]))

    def play_on(self) -> None:
        """Go as far as time has gone on, unless one is still on the way."""
        if self.playing and not self._walks:
            self.ask(_as_time_goes)

    def _keep(self, view: View) -> View:
        from kho_console.engine.kept_looks import KeptLooks
        from kho_console.engine.replay import Cursor
        from kho_console.engine.survey import survey

        if self._kept is None or self._cursor is None:
            self._kept = KeptLooks(self._source)
            self._kept.add(view)
            self._cursor = Cursor(self._kept, clock=self._clock)
        else:
            at_end = not self.past
            self._cursor.forget(self._kept.add(view))
            if at_end and not self.playing:
                self._to_end(self._cursor)
        self.position = self._cursor.position
        self._number = self.position.number
        if not self.following:
            self.landmarks = survey(self._kept)
        return self._kept.view(self._number)

    def _to_end(self, cursor: "Cursor") -> None:
        """Stay with what was seen last, whether it is followed or was asked for in a pause."""
        if not cursor.tick() and cursor.position.motion is Motion.PAUSED:
            cursor.jump_to(cursor.position.count - 1)

    def _begin(self, task: Callable[[], Any], then: Callable[[Any], None]) -> None:
        background.begin(self._app, task, then)

    def _walk(self) -> Stood | None:
        """All moves that wait, on a thread; None where another one has done them."""
        from kho_console.engine.replay import Cursor

        with self._turn:
            moves = []
            while self._moves:
                moves.append(self._moves.popleft())
            if not moves:
                return None
            if self._cursor is None:
                self._cursor = Cursor.of(self._source, self._clock)
                self._number = self._cursor.position.number
            return self._moved(self._cursor, moves)

    def _moved(self, cursor: "Cursor", moves: list[Move]) -> Stood | None:
        """Go where the moves lead; None where nothing differs there."""
        from kho_console.engine.replay import NoMomentError

        words = ""
        for move in moves:
            try:
                words = move(cursor)
            except NoMomentError as error:
                words = f"x {error}"
        position = cursor.position
        if position == self.position and not words:
            return None
        if position.number == self._number:
            return Stood(position, words=words)
        if self._kept is not None:
            self._number = position.number
            return Stood(position, self._kept.view(position.number), words=words)
        try:
            source = cursor.source
            view = Observer(source, self._clock).look()
        except NoMomentError as error:
            # What cannot be read is not stood on: the screen would show another moment.
            cursor.jump_to(self._number)
            return Stood(cursor.position, words=f"x {error}")
        except Exception:
            cursor.jump_to(self._number)
            raise
        self._number = position.number
        return Stood(position, view, source, words)

    def _arrived(self, found: Stood | Failure | None) -> None:
        self._walks -= 1
        self._walked(found)

    def _walked(self, found: Stood | Failure | None) -> None:
        if isinstance(found, Stood):
            self.position = found.position
            self._view = found.view or self._view
            if self._kept is not None:
                from kho_console.engine.survey import survey

                self.landmarks = survey(self._kept)
        if found is not None:
            self._stood(found)

    def _survey(self) -> tuple[Landmark, ...]:
        from kho_console.engine.survey import survey
        from kho_console.engine.timeline import timeline_of

        return survey(timeline_of(self._source)[0])

    def _surveyed(self, found: tuple[Landmark, ...] | Failure) -> None:
        if isinstance(found, Failure):
            _log.warning("the timeline has no marks: %s", found.reason)
        elif self.position is not None:
            self.landmarks = found
            self._stood(Stood(self.position))
        else:
            self.landmarks = found


def _as_time_goes(cursor: "Cursor") -> str:
    cursor.tick()
    return ""
