"""What happened on a timeline, for a picture of all of it."""

from kho_console.engine.timeline import Timeline
from kho_console.model.position import Landmark, What

MOST = 200
"""Landmarks of a kind that a picture has; where there are more, some of them stand for all."""


def survey(timeline: Timeline) -> tuple[Landmark, ...]:
    """Landmarks of all kinds, those of a kind as far apart as there must be few of them.

    Raises:
        RecordingError: They cannot be read any more.
    """
    return tuple(found for what in What for found in _some(timeline, what))


def _some(timeline: Timeline, what: What) -> list[Landmark]:
    count = timeline.count(what)
    if count <= MOST:
        return list(timeline.landmarks(what))
    wanted = range(0, count, -(-count // MOST))
    found = (next(timeline.landmarks(what, number), None) for number in wanted)
    return [item for item in found if item is not None]
