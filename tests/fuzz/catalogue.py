"""All targets by name. Those of recordings are made when they are first asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from tests.fuzz import decoders, recordings
from tests.fuzz.target import Target
from tests.recordings import RECORDINGS

RECORDED = 0.1
"""Share of all cases that damages recordings; some of those are drawn on the screens too."""

_DRAWN = 0.1


@dataclass(frozen=True)
class Listed:
    """A target that may not have been made yet.

    Attributes:
        share: How many of all cases are for it.
        make: Makes it.
    """

    share: float
    make: Callable[[], Target]


@cache
def catalogue() -> Mapping[str, Listed]:
    """The targets, with shares that are 1 together."""
    whole = sum(target.share for target in decoders.TARGETS)
    found = {
        target.name: Listed(target.share / whole * (1 - RECORDED), partial(_same, target))
        for target in decoders.TARGETS
    }
    for drawn, part in ((False, 1 - _DRAWN), (True, _DRAWN)):
        for name in RECORDINGS:
            share = RECORDED * part / len(RECORDINGS)
            make = partial(recordings.target, name, drawn=drawn)
            found[recordings.called(name, drawn=drawn)] = Listed(share, make)
    return found


@cache
def target(name: str) -> Target:
    """The target called `name`.

    Raises:
        KeyError: There is none.
    """
    return catalogue()[name].make()


def _same(found: Target) -> Target:
    return found
