"""Reads back what an action changed."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from kho_console.model.action import Action, Expectation
from kho_console.model.outcome import Found
from kho_console.model.unknown import Cause
from kho_console.source.protocol import SMALL_FILE, Source, SourceError

_PAUSE = 0.012
"""Seconds between two reads that must agree: while the kernel updates the crash image on hotplug,
`kexec_crash_loaded` reads 0 for some microseconds (crash_handle_hotplug_event, 6.6 to 7.3)."""

_MOST_READS = 5
_SHORT = 200


def with_before(source: Source, action: Action) -> Action:
    """The action with what its files hold now."""
    expects = tuple(replace(item, before=value(source, item)) for item in action.expects)
    return replace(action, expects=expects)


def probe(
    source: Source, expects: Iterable[Expectation], pause: Callable[[float], None] = time.sleep
) -> tuple[Found, ...]:
    """What the files hold, each read until two reads agree."""
    return tuple(
        Found(item.path, item.value, _steady(source, item, pause), item.tells) for item in expects
    )


def value(source: Source, item: Expectation) -> str | None:
    """What the file holds, in words where it is no short text; None where it is not there."""
    try:
        content = source.read(item.path, SMALL_FILE)
    except SourceError as error:
        return None if error.unknown.cause is Cause.ABSENT else error.unknown.reason
    if item.value is None or len(content) > _SHORT:
        return f"there, {len(content)} bytes"
    return content.decode("utf-8", "backslashreplace").rstrip("\n")


def _steady(source: Source, item: Expectation, pause: Callable[[float], None]) -> str | None:
    last = value(source, item)
    for _ in range(_MOST_READS):
        pause(_PAUSE)
        again = value(source, item)
        if again == last:
            break
        last = again
    return last
