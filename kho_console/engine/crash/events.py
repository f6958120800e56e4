"""The CPU and memory events that a recording or a twin has to tell of."""

from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceKind


def seen_events(source: Source) -> Maybe[list[Event | EventsLost]]:
    """The CPU and memory events of a fixture. A live machine shows them as they happen only."""
    if source.kind is SourceKind.LIVE:
        return Unknown(Cause.NOT_YET, "a live machine shows events as they happen only")
    stream = source.events()
    try:
        seen = stream.poll(0)
    finally:
        stream.close()
    return seen or Unknown(Cause.NOT_RECORDED, "no events were recorded")
