"""How many events a second arrive, lately."""

from collections import deque
from collections.abc import Iterable

WINDOW = 5.0
"""Seconds that the rate looks back."""

_STEPS = 10
"""Counters a second."""


class Pace:
    """Counts events in a sliding window; its memory does not grow with them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counted: deque[tuple[int, int]] = deque(maxlen=int(WINDOW * _STEPS) + 1)

    def add(self, times: Iterable[float]) -> None:
        """Count events by their monotonic seconds."""
        for seconds in times:
            step = int(seconds * _STEPS)
            if self._counted and self._counted[-1][0] == step:
                self._counted[-1] = (step, self._counted[-1][1] + 1)
            else:
                self._counted.append((step, 1))

    def rate(self, now: float) -> float:
        """Events a second in the window that ends now."""
        first = int((now - WINDOW) * _STEPS)
        return sum(count for step, count in self._counted if step > first) / WINDOW
