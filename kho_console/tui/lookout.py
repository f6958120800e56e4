"""The daemon threads that read: a read stuck in the kernel must not keep the program alive."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from kho_console.engine.crash.turns import BREATH, Turns
from kho_console.engine.observer import Look, Observer, View
from kho_console.model.value import dataclass

_PATIENCE_FOR_EVENTS = 1.0

_TURN = 0.001
"""Seconds that a thread which looks may keep the screen from the interpreter."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A look that ended in an error, in words."""

    reason: str


Answer: TypeAlias = View | Failure


class Lookout:
    """Runs an observer: one thread looks, one waits for events of a live machine.

    A look never starts while another one runs. What is asked for meanwhile is done once,
    afterwards, and only if it is more than a light look.
    """

    def __init__(
        self,
        observer: Observer,
        deliver: Callable[[Answer], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; `deliver` is called from its threads."""
        self._observer = observer
        self._deliver = deliver
        self._clock = clock
        self._state = threading.Condition()
        self._wanted: Look | None = None
        self._busy_since: float | None = None
        self._stopped = False
        self._missed = False
        self.paused = False

    @property
    def busy_for(self) -> float | None:
        """Seconds that the running look has taken so far; None while none runs."""
        since = self._busy_since
        return None if since is None else self._clock() - since

    def start(self) -> None:
        """Start the threads and the first look."""
        sys.setswitchinterval(_TURN)
        self.ask(Look.FULL)
        threading.Thread(target=self._look, name="kho-look", daemon=True).start()
        if self._observer.live:
            threading.Thread(target=self._listen, name="kho-listen", daemon=True).start()

    def stop(self) -> None:
        """Let the threads end when they next can; nobody waits for them."""
        with self._state:
            self._stopped = True
            self._state.notify_all()

    def ask(self, look: Look) -> None:
        """Ask for a look."""
        with self._state:
            if self._busy_since is not None and look is Look.LIGHT:
                return
            self._wanted = max(look, self._wanted or look)
            if self._busy_since is None:
                self._busy_since = self._clock()
            self._state.notify_all()

    def pause(self, paused: bool) -> None:
        """Leave events unanswered for a while; the first look afterwards answers them."""
        with self._state:
            self.paused = paused
            missed, self._missed = self._missed and not paused, self._missed and paused
        if missed:
            self.ask(Look.EVENTS)

    def _look(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._stopped or self._wanted is not None)
                if self._stopped:
                    return
                look, self._wanted = self._wanted or Look.LIGHT, None
                self._busy_since = self._clock()
            answer = self._answer(look)
            with self._state:
                self._busy_since = None if self._wanted is None else self._clock()
                if self._stopped:
                    return
            self._deliver(answer)

    def _answer(self, look: Look) -> Answer:
        try:
            return self._observer.look(look)
        except Exception as error:  # Whatever it is, the screen must live on and say so.
            _log.exception("a look failed")
            return Failure(f"{type(error).__name__}: {error}")

    def _listen(self) -> None:
        turns = Turns()
        try:
            while not self._stopped:
                now = time.monotonic()
                wait = turns.wait(now, unsettled=self._observer.unsettled)
                if wait == 0:
                    if self._busy_since is None:
                        self._answer_events()
                    turns.looked(now)
                    continue
                if self._observer.wait_for_events(_PATIENCE_FOR_EVENTS if wait is None else wait):
                    time.sleep(BREATH)
        except Exception as error:  # As above; without events the slow looks go on.
            _log.exception("events are not heard any more")
            self._deliver(Failure(f"events are not heard any more: {error}"))

    def _answer_events(self) -> None:
        with self._state:
            if self.paused:
                self._missed = True
                return
        self.ask(Look.EVENTS)
