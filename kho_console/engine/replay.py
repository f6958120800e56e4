"""One cursor over the moments of a source, be it live, paused, a fixture, a recording or a twin.

It keeps no time of its own: whoever shows it calls `tick` now and then, so it plays as well in a
test as on a screen.
"""

import time
from collections.abc import Callable

from kho_console.engine.moments import NoMomentError
from kho_console.engine.timeline import Timeline, timeline_of
from kho_console.model.position import Landmark, Motion, Position, What
from kho_console.source.protocol import Source

__all__ = ["SPEEDS", "Cursor", "NoMomentError"]

LONGEST_GAP = 60.0
"""Seconds that playing takes from one moment to the next, at most: nobody recorded between them."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0)
"""Seconds of a recording in a second."""


class Cursor:
    """Stands on one moment, and moves.

    A live machine is followed until somebody pauses; then the cursor walks what there is of it.
    """

    def __init__(
        self,
        timeline: Timeline,
        number: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stand on a moment of `timeline`; None for its last one.

        `clock` tells the console's own monotonic seconds.
        """
        self._timeline = timeline
        self._clock = clock
        self._number = len(timeline) - 1 if number is None else number
        self._motion = Motion.LIVE if timeline.live else Motion.PAUSED
        self._speed = 1.0
        self._since = clock()

    @classmethod
    def of(cls, source: Source, clock: Callable[[], float] = time.monotonic) -> "Cursor":
        """A cursor on the moment that a source is, among all that it belongs to."""
        return cls(*timeline_of(source), clock)

    @property
    def source(self) -> Source:
        """The machine at the moment it stands on.

        Raises:
            NoMomentError: The moment cannot be read any more.
        """
        return self._timeline.source(self._number)

    @property
    def position(self) -> Position:
        """Where it stands."""
        line = self._timeline
        return Position(
            number=self._number,
            count=len(line),
            at=line.time(self._number),
            first=line.time(0),
            last=line.time(len(line) - 1),
            motion=self._motion,
            speed=self._speed,
        )

    def play(self) -> None:
        """Go on by itself: from here, or from the start where it stands at the end."""
        if self._timeline.live and self._at_end:
            self._motion = Motion.LIVE
            return
        if self._at_end:
            self._number = 0
        self._motion = Motion.PLAYING
        self._start_from_here()

    def pause(self) -> None:
        """Stay."""
        self._motion = Motion.PAUSED

    def follow(self) -> bool:
        """Go to the end, and stay with a machine that runs; False where none does."""
        self._go(len(self._timeline) - 1)
        self._motion = Motion.LIVE if self._timeline.live else Motion.PAUSED
        return self._timeline.live

    def step(self, moments: int = 1) -> bool:
        """Go so many moments on, or back, past damaged ones, and stay; whether it moved."""
        self.pause()
        number = min(max(self._number + moments, 0), len(self._timeline) - 1)
        while number != self._number and not self._whole(number):
            number += 1 if moments > 0 else -1
            if not 0 <= number < len(self._timeline):
                return False
        return self._go(number)

    def faster(self, steps: int = 1) -> float:
        """Play so many speeds faster, or slower; the speed from now on."""
        at = SPEEDS.index(self._speed) + steps
        self._speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]
        self._start_from_here()
        return self._speed

    def jump(self, word: str) -> bool:
        """Go to a moment as an operator names it, and stay; whether it moved.

        Raises:
            NoMomentError: There is none.
        """
        number = self._timeline.find(word)
        self.pause()
        return self._go(number)

    def forget(self, moments: int) -> None:
        """Stand on the same moment after so many of the first ones have gone, or on the first."""
        self._number = max(self._number - moments, 0)
        self._start_from_here()

    def jump_to(self, number: int) -> bool:
        """Go to a moment by its number, or the nearest there is, and stay; whether it moved."""
        self.pause()
        return self._go(number)

    def next(self, what: What) -> Landmark | None:
        """Go to the next event, action or finding, and stay; None where there is none."""
        number = self._first_from(what, self._number + 1)
        return self._landed(next(self._timeline.landmarks(what, number), None))

    def previous(self, what: What) -> Landmark | None:
        """Go to the event, action or finding before, and stay; None where there is none."""
        number = self._first_from(what, self._number) - 1
        if number < 0:
            return None
        return self._landed(next(self._timeline.landmarks(what, number), None))

    def tick(self) -> bool:
        """Move as far as time has gone on; whether it moved."""
        if self._motion is Motion.LIVE:
            return self._go(len(self._timeline) - 1)
        if self._motion is Motion.PAUSED:
            return False
        now, reached = self._clock(), self._number
        left = (now - self._since) * self._speed
        for number, gap in self._timeline.gaps(reached):
            if min(gap, LONGEST_GAP) > left:
                break
            left -= min(gap, LONGEST_GAP)
            reached = number
        self._since = now - left / self._speed
        moved = self._go(reached)
        if self._at_end:
            self._motion = Motion.LIVE if self._timeline.live else Motion.PAUSED
        return moved

    @property
    def _at_end(self) -> bool:
        return self._number == len(self._timeline) - 1

    def _whole(self, number: int) -> bool:
        try:
            self._timeline.source(number)
        except NoMomentError:
            return False
        return True

    def _go(self, number: int) -> bool:
        before = self._number
        self._number = min(max(number, 0), len(self._timeline) - 1)
        return self._number != before

    def _start_from_here(self) -> None:
        self._since = self._clock()

    def _first_from(self, what: What, moment: int) -> int:
        """Number of the first landmark of a kind that lies at a moment or behind it."""
        low, high = 0, self._timeline.count(what)
        while low < high:
            middle = (low + high) // 2
            found = next(self._timeline.landmarks(what, middle), None)
            if found is not None and found.moment < moment:
                low = middle + 1
            else:
                high = middle
        return low

    def _landed(self, found: Landmark | None) -> Landmark | None:
        if found is not None:
            self.jump_to(found.moment)
        return found
