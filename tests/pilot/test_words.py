"""The words that the screen adds to the shared ones."""

from datetime import UTC, datetime

import pytest

from kho_console import text
from kho_console.model.event import Event, EventsLost
from kho_console.model.generation import Finalize, Generation, Protocol, State
from kho_console.model.unknown import Cause, Unknown


@pytest.mark.parametrize(
    ("typed", "address"),
    [("0x6741_2000", 0x67412000), (" 67412000 ", 0x67412000), ("0XAB", 0xAB), ("0", 0)],
)
def test_addresses_as_they_are_typed(typed: str, address: int) -> None:
    assert text.address_of(typed) == address


@pytest.mark.parametrize("typed", ["", "0x", "ten", "-1", "1" * 17, "0x1g", "\u0661"])
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        text.address_of(typed)


@pytest.mark.parametrize(
    ("value", "meaning", "shown"),
    [
        (0x6E800000, "address", "0x0000_6e80_0000"),
        (0, "address", "none"),
        (4194304, "bytes", "4.0 MiB (4,194,304 bytes)"),
        (3, "count", "3"),
        (0x4B484F21, "", "0x4b484f21"),
        (1, "", "1"),
        (0x12, "flags", "0x12"),
        (b"7.3.4", "text", "7.3.4"),
        (b"a\x1b[2J", "text", "a\\x1b[2J"),
        (b"\x01\xff", "", "01 ff"),
    ],
)
def test_values_by_their_meaning(value: int | bytes, meaning: str, shown: str) -> None:
    assert text.value(value, meaning) == shown


def test_bytes_that_cannot_be_printed_are_dots() -> None:
    assert text.printable(b"a\x00\x7f~\xff") == "a..~."


def test_moments() -> None:
    boot = datetime(2026, 11, 20, 23, 59, 0, tzinfo=UTC)
    assert text.moment(boot, 61.5) == "00:00:01"
    unknown = Unknown(Cause.NOT_RECORDED, "no uptime")
    assert text.moment(unknown, 61.56) == "+61.6 s"
    assert text.moment(boot, 1e18).startswith("+")


def test_events_in_words() -> None:
    assert text.event(Event(1.0, "online", "memory", "memory32", 7)) == "online memory32"
    assert text.event(EventsLost(1.0, "overflow")) == "events lost: overflow"


def test_life_cycles_in_words() -> None:
    generation = Generation(Protocol.KHO_V4, Finalize.NONE, "7.2 and 7.3", "/kho/out")
    assert text.life_cycle(generation, State.STATELESS) == "kho-v4 stateless"
    nothing = Generation(Protocol.NONE, Finalize.NONE, "none", "/kho/out")
    assert text.life_cycle(nothing, State.UNAVAILABLE) == "no handover"
    unseen = Generation(Protocol.UNKNOWN, Finalize.UNKNOWN, "unknown", "/kho/out")
    assert text.life_cycle(unseen, State.UNAVAILABLE) == "handover not seen"
