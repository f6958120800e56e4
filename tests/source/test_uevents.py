import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import pyudev

from kho_console.engine.crash.timeline import Timeline
from kho_console.model.event import Event, EventsLost
from kho_console.source.live import uevents
from kho_console.source.live.uevents import Monitor, UeventStream, open_monitor

KOBJECT_UEVENT = 15


@dataclass
class FakeDevice:
    action: str | None = "online"
    subsystem: str | None = "memory"
    device_path: str = "/devices/system/memory/memory32"
    sequence_number: int = 925


@dataclass
class FakeMonitor:
    """Answers in turn; a byte waits in its socket as long as an answer does."""

    answers: list[FakeDevice | OSError | None]
    pair: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    def __post_init__(self) -> None:
        if self.answers:
            self.pair[0].send(b"x")

    def fileno(self) -> int:
        return self.pair[1].fileno()

    def poll(self, timeout: float | None = None) -> FakeDevice | None:
        assert timeout == 0
        answer = self.answers.pop(0) if self.answers else None
        if not self.answers:
            self.pair[1].setblocking(False)
            with suppress(BlockingIOError):
                self.pair[1].recv(1)
        if isinstance(answer, OSError):
            raise answer
        return answer


Opening = FakeMonitor | OSError | ImportError
Make = Callable[..., tuple[UeventStream, list[Opening]]]


@pytest.fixture
def stream_over() -> Iterator[Make]:
    monitors: list[FakeMonitor] = []

    def make(*openings: Opening) -> tuple[UeventStream, list[Opening]]:
        rest = list(openings)
        monitors.extend(item for item in rest if isinstance(item, FakeMonitor))

        def opener() -> Monitor:
            opening = rest.pop(0)
            if isinstance(opening, FakeMonitor):
                return opening
            raise opening

        return UeventStream(opener), rest

    yield make
    for monitor in monitors:
        for end in monitor.pair:
            end.close()


def reasons(events: list[Event | EventsLost]) -> list[str]:
    assert all(isinstance(event, EventsLost) for event in events)
    return [event.reason for event in events if isinstance(event, EventsLost)]


def test_all_that_waits_is_drained_past_filtered_ones(stream_over: Make) -> None:
    cpu = FakeDevice("offline", "cpu", "/devices/system/cpu/cpu1", 0)
    other = FakeDevice("add", "container", "/devices/system/container/x", 1)
    stream, _ = stream_over(FakeMonitor([None, FakeDevice(), None, other, cpu]))
    first, second = stream.poll(0)
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert (first.action, first.subsystem, first.device, first.sequence) == (
        *("online", "memory", "memory32"),
        925,
    )
    assert (second.action, second.device, second.sequence) == ("offline", "cpu1", None)
    assert stream.poll(0) == []


def test_numbers_of_other_subsystems_are_told(stream_over: Make) -> None:
    """SEQNUM counts the events of all subsystems: without theirs there are gaps everywhere."""
    others = [FakeDevice("add", "block", "/x/sda", number) for number in (926, 927)]
    ours = [FakeDevice(sequence_number=number) for number in (925, 928, 929)]
    stream, _ = stream_over(FakeMonitor([ours[0], *others, *ours[1:]]))
    found = [event for event in stream.poll(0) if isinstance(event, Event)]
    assert [(event.sequence, event.follows) for event in found] == [
        *((925, None), (928, 927), (929, None))
    ]
    timeline = Timeline()
    timeline.take(found)
    assert timeline.flow(0).gaps == 0


def test_the_real_monitor_hears_all_subsystems(monkeypatch: pytest.MonkeyPatch) -> None:
    own_monitor()
    filtered: list[str] = []
    monkeypatch.setattr(pyudev.Monitor, "filter_by", lambda *words: filtered.append(words[1]))
    open_monitor()
    assert filtered == []


def test_an_event_that_cannot_be_read_is_a_lost_one(stream_over: Make) -> None:
    stream, _ = stream_over(FakeMonitor([FakeDevice(action=None)]))
    assert reasons(stream.poll(0)) == ["uevent without ACTION"]


@pytest.mark.parametrize("error", [OSError(errno.ENOBUFS, "x"), OSError("Error while polling fd")])
def test_overflow_keeps_what_came_and_listens_again(stream_over: Make, error: OSError) -> None:
    again = FakeMonitor([FakeDevice(sequence_number=950)])
    stream, rest = stream_over(FakeMonitor([FakeDevice(), error]), again)
    first, lost = stream.poll(0)
    assert isinstance(first, Event)
    assert reasons([lost]) == ["the receive buffer of kernel events overflowed"]
    assert rest == []  # opened anew before the loss was told
    (event,) = stream.poll(0)
    assert isinstance(event, Event)
    assert event.sequence == 950


def test_other_errors_do_not_spin(stream_over: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [FakeMonitor([OSError(errno.EBADF, "x")]) for _ in range(3)]
    stream, rest = stream_over(*broken, OSError("still not"), FakeMonitor([FakeDevice()]))
    assert reasons(stream.poll(5)) == ["kernel events cannot be received: Bad file descriptor"]
    assert reasons(stream.poll(5)) == ["kernel events cannot be received: Bad file descriptor"]
    assert len(rest) == 3  # the second error in a row is left to the next poll, which waits
    waited: list[float] = []

    def wait(timeout: float) -> bool:
        waited.append(timeout)
        return False

    monkeypatch.setattr(stream._closed, "wait", wait)
    assert reasons(stream.poll(5)) == ["kernel events were not heard for a while"]
    assert waited == [5]
    assert len(reasons(stream.poll(5))) == 1
    assert stream.poll(5) == []
    assert reasons(stream.poll(5)) == ["kernel events were not heard for a while"]
    assert waited == [5, 5, 5]
    (event,) = stream.poll(5)
    assert isinstance(event, Event)


@pytest.mark.parametrize("error", [OSError("no netlink"), ImportError("no libudev")])
def test_no_netlink_is_told_once(stream_over: Make, error: OSError | ImportError) -> None:
    stream, _ = stream_over(error, error, error)
    (reason,) = reasons(stream.poll(0))
    assert reason == f"kernel events cannot be heard here: {error}"
    assert stream.poll(0) == []
    assert stream.poll(0) == []
    stream.close()
    assert stream.poll(60) == []


def own_monitor() -> Monitor:
    try:
        return open_monitor()
    except (OSError, ImportError) as error:
        pytest.skip(f"no kernel events here: {error}")


def test_the_real_monitor_listens() -> None:
    own_monitor()
    stream = UeventStream()
    assert reasons([item for item in stream.poll(0) if isinstance(item, EventsLost)]) == []
    stream.close()


def test_a_real_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """User space may send to the kernel's group too: enough of it overflows a small buffer.

    The messages are no events, and no listener takes them for some: their sender is no kernel.
    """
    monkeypatch.setattr(uevents, "RECEIVE_BUFFER", 4096)
    first = own_monitor()
    opened: list[Monitor] = [first]

    def opener() -> Monitor:
        return opened.pop() if opened else open_monitor()

    stream = UeventStream(opener)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, KOBJECT_UEVENT) as sender:
        try:
            with socket.socket(fileno=os.dup(first.fileno())) as receiver:
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(64):
                sender.sendto(b"kho-console-test@/\0".ljust(1024, b"\0"), (0, 1))
        except PermissionError:
            pytest.skip("sending to the kernel's event group needs CAP_NET_ADMIN")
        except OSError as error:
            assert error.errno == errno.ENOBUFS  # the sender may be told as well
    events = stream.poll(1)
    assert "the receive buffer of kernel events overflowed" in reasons(
        [item for item in events if isinstance(item, EventsLost)]
    )
    assert opened == []
    stream.close()
