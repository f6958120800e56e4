"""Kernel uevents: the variables of an event and what they say.

Source: lib/kobject_uevent.c; ACTION, DEVPATH, SUBSYSTEM and SEQNUM are in every event of every
release.
"""

from collections.abc import Mapping

from kho_console.abi.error import FormatError
from kho_console.model.event import Event

SUBSYSTEMS = ("cpu", "memory")
"""The subsystems whose events matter to a handover."""


def read_uevent(variables: Mapping[str, object], monotonic: float) -> Event | None:
    """The event that `variables` describe; None for one of another subsystem.

    Args:
        variables: The variables of the event by name.
        monotonic: Seconds of the machine's monotonic clock when it was seen.

    Raises:
        FormatError: A variable of a cpu or memory event is missing or no text.
    """
    subsystem = variables.get("SUBSYSTEM")
    if not isinstance(subsystem, str):
        raise FormatError(0, "uevent without SUBSYSTEM")
    if subsystem not in SUBSYSTEMS:
        return None
    action = _text(variables, "ACTION")
    device = _text(variables, "DEVPATH").rpartition("/")[2]
    if not device:
        raise FormatError(0, "uevent with a DEVPATH that names no device")
    return Event(monotonic, action, subsystem, device, read_sequence(variables))


def read_sequence(variables: Mapping[str, object]) -> int | None:
    """SEQNUM of an event of any subsystem, a u64 in decimal; None where it has none."""
    text = str(variables.get("SEQNUM"))
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        return None
    return int(text)


def _text(variables: Mapping[str, object], name: str) -> str:
    value = variables.get(name)
    if not isinstance(value, str) or not value:
        raise FormatError(0, f"uevent without {name}")
    return value
