"""Where somebody stands who walks through the moments of a machine."""

from datetime import datetime
from enum import StrEnum

from kho_console.model.value import dataclass


class Motion(StrEnum):
    """What the cursor does by itself."""

    LIVE = "LIVE"
    PAUSED = "PAUSED"
    PLAYING = "PLAYING"


class What(StrEnum):
    """What can be jumped to besides a time."""

    EVENT = "event"
    ACTION = "action"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a cursor stands.

    Attributes:
        number: The moment, counted from 0.
        count: How many moments there are.
        at: When it was, UTC.
        first: When the first one was.
        last: When the last one was.
        motion: Whether it stays, plays or follows a live machine.
        speed: Seconds of the recording in a second, while it plays.
    """

    number: int
    count: int
    at: datetime
    first: datetime
    last: datetime
    motion: Motion
    speed: float


@dataclass(frozen=True, slots=True)
class Landmark:
    """Something on a timeline that can be jumped to.

    Attributes:
        what: Its kind.
        number: Its number among its kind, counted from 0.
        moment: The first moment that was seen with it.
        at: When it was, UTC.
        title: What it was, in a few words; names in it are not escaped.
    """

    what: What
    number: int
    moment: int
    at: datetime
    title: str
