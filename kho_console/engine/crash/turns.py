"""When looks answer events: soon, but not at each of a storm."""

GATHER = 0.1
"""Seconds after an event before a look answers it: one DIMM makes many."""

PACE = 1.0
"""Seconds at least between two looks that answer events, however many come: a look and what it
draws take tens of milliseconds, and few keys are to meet one."""

BREATH = 0.01
"""Seconds between two turns that take events: of a storm they come by the hundred, and others have
the processor meanwhile."""


class Turns:
    """Tells when the next look is due; times are monotonic seconds."""

    def __init__(self) -> None:
        """Begin without a look."""
        self._due: float | None = None
        self._looked: float | None = None

    def wait(self, now: float, *, unsettled: bool) -> float | None:
        """Seconds until a look is due, 0 where it is; None where nothing waits for one.

        Args:
            now: The time.
            unsettled: Whether events wait.
        """
        if self._due is None and unsettled:
            earliest = now if self._looked is None else self._looked + PACE
            self._due = max(now + GATHER, earliest)
        return None if self._due is None else max(self._due - now, 0.0)

    def looked(self, now: float) -> None:
        """A look answered, or was asked to answer, what waits."""
        self._due, self._looked = None, now
