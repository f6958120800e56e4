import pytest

from kho_console.abi.error import FormatError
from kho_console.abi.uevent import read_uevent
from kho_console.model.event import Event

ADD = {
    "ACTION": "add",
    "DEVPATH": "/devices/system/memory/memory32",
    "SUBSYSTEM": "memory",
    "SEQNUM": "920",
}


def test_memory_event() -> None:
    assert read_uevent(ADD, 52.062) == Event(52.062, "add", "memory", "memory32", 920)


def test_other_subsystems_are_no_events_of_ours() -> None:
    assert read_uevent({"SUBSYSTEM": "container"}, 1.0) is None


@pytest.mark.parametrize("sequence", [None, "", "x", "-1", "٣", "9" * 21])
def test_a_sequence_that_is_no_number_is_none(sequence: object) -> None:
    event = read_uevent(ADD | {"SEQNUM": sequence}, 0.0)
    assert event is not None
    assert event.sequence is None


@pytest.mark.parametrize(
    "change", [{"ACTION": None}, {"ACTION": 3}, {"DEVPATH": ""}, {"DEVPATH": "/"}]
)
def test_a_variable_that_is_missing_or_no_text(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        read_uevent(ADD | change, 0.0)


def test_no_subsystem_at_all() -> None:
    with pytest.raises(FormatError, match="SUBSYSTEM"):
        read_uevent({}, 0.0)
