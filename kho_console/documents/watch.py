"""What `watch` tells, each thing as an object of its own."""

from datetime import datetime, timedelta

from kho_console import text
from kho_console.documents.shape import Document, document, mapped
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Effect, Flow, Gap, Happening
from kho_console.model.unknown import Cause, Maybe, Unknown

_NO_TIME = Unknown(Cause.INVALID, "its seconds are no time")
_NO_SEQUENCE = Unknown(Cause.ABSENT, "it came without SEQNUM")
_NO_NUMBERS = Unknown(Cause.ABSENT, "the device has no number")
_NOT_COUNTED = Unknown(Cause.ABSENT, "SEQNUM does not tell how many")
_NOT_CERTAIN = Unknown(Cause.ABSENT, "numbers are missing, which other subsystems may have had")
_NO_STAMP = Unknown(Cause.ABSENT, "the line has no stamp")

BootTime = Maybe[datetime]


def event(found: Event | EventsLost, boot: BootTime) -> Document:
    """An event as it came, or the word that some are lost."""
    if isinstance(found, EventsLost):
        return document(
            kind="lost", **_when(found.monotonic, boot), reason=text.escaped(found.reason)
        )
    return document(
        kind="event",
        **_when(found.monotonic, boot),
        action=text.escaped(found.action),
        subsystem=text.escaped(found.subsystem),
        device=text.escaped(found.device),
        sequence=_NO_SEQUENCE if found.sequence is None else found.sequence,
    )


def happening(found: Happening, boot: BootTime) -> Document:
    """Events of one action on neighbouring devices, and what they did to the crash image."""
    return document(
        kind="happening",
        number=found.number,
        **_when(found.events[0].monotonic, boot),
        until=found.events[-1].monotonic,
        action=text.escaped(found.action),
        subsystem=text.escaped(found.subsystem),
        devices=(
            {"first": found.devices[0], "last": found.devices[-1]} if found.devices else _NO_NUMBERS
        ),
        node=found.node,
        size=found.size,
        events=len(found.events),
        before=mapped(found.before, _effect),
        after=mapped(found.after, _effect),
    )


def gap(found: Gap, boot: BootTime) -> Document:
    """Events that are lost, or may be, and what the re-scan found."""
    return document(
        kind="gap",
        number=found.number,
        **_when(found.monotonic, boot),
        certain=found.lost is not None,
        missed=found.missed or _NOT_COUNTED,
        lost=_NOT_CERTAIN if found.lost is None else text.escaped(found.lost.reason),
        found=mapped(found.found, text.escaped),
    )


def log_line(seconds: float | None, words: str, boot: BootTime) -> Document:
    """What the kernel says of crash hotplug."""
    stamp = {"monotonic": _NO_STAMP, "time": _NO_STAMP} if seconds is None else _when(seconds, boot)
    return document(kind="log", **stamp, text=text.escaped(words))


def flow(found: Flow) -> Document:
    """How events arrive."""
    return document(
        kind="flow",
        seen=found.seen,
        rate=round(found.rate, 1),
        backlog=found.backlog,
        lost=found.lost,
        gaps=found.gaps,
    )


def _when(monotonic: float, boot: BootTime) -> Document:
    return {"monotonic": monotonic, "time": mapped(boot, lambda known: _time(known, monotonic))}


def _time(boot: datetime, monotonic: float) -> Maybe[str]:
    try:
        return (boot + timedelta(seconds=monotonic)).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError):
        return _NO_TIME


def _effect(found: Effect) -> Document:
    return {"entries": found.entries, "missing": found.missing, "stale": found.stale}
