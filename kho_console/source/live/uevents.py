"""Kernel uevents of CPUs and memory blocks, from netlink with pyudev."""

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import pyudev

from kho_console.abi.error import FormatError
from kho_console.abi.uevent import read_uevent
from kho_console.model.event import Event, EventsLost

RECEIVE_BUFFER = 16 << 20
"""Bytes; hot-adding a large DIMM sends two events for each of thousands of memory blocks."""

_MOST_AT_ONCE = 64
"""Events of one poll; whoever takes them can let others have the processor in between."""


class Device(Protocol):
    """What a monitor gives: the fields of `pyudev.Device` that are used here."""

    action: str | None
    subsystem: str | None
    device_path: str
    sequence_number: int


class Monitor(Protocol):
    """The methods of `pyudev.Monitor` that are used here."""

    def fileno(self) -> int:
        """The netlink socket."""
        ...

    def poll(self, timeout: float | None = None) -> Device | None:
        """The next device; None also for a message that is no event of the kernel."""
        ...


def open_monitor() -> Monitor:
    """A monitor of the kernel's own events, before udev has seen them.

    It hears those of all subsystems: SEQNUM counts them together, so that whoever hears a part of
    them finds gaps everywhere.

    Raises:
        OSError: There is no netlink here.
        ImportError: There is no libudev here.
    """
    monitor = pyudev.Monitor.from_netlink(pyudev.Context(), "kernel")
    try:
        monitor.set_receive_buffer_size(RECEIVE_BUFFER)
    except OSError:  # without CAP_NET_ADMIN there is what net.core.rmem_max allows
        with socket.socket(fileno=os.dup(monitor.fileno())) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    monitor.start()
    opened: Monitor = monitor
    return opened


class UeventStream:
    """Events as the kernel sends them, and an honest word where some are gone.

    After any error the monitor is opened anew before the loss is told, so that a scan that follows
    misses nothing. Where it cannot be opened that is told once; each later poll waits and tries
    again.
    """

    def __init__(self, opener: Callable[[], Monitor] = open_monitor) -> None:
        """Listen with the monitor that `opener` gives."""
        self._opener = opener
        self._closed = threading.Event()
        self._monitor: Monitor | None = None
        self._recovering = False
        self._told: list[Event | EventsLost] = []
        self._other: int | None = None
        try:
            self._monitor = opener()
        except (OSError, ImportError) as error:
            self._told.append(_lost(f"kernel events cannot be heard here: {error}"))

    def poll(self, timeout: float) -> list[Event | EventsLost]:
        """See `EventStream.poll`."""
        told, self._told = self._told, []
        monitor = self._monitor
        if told or self._closed.is_set():
            return told
        if monitor is None:
            return self._try_again(timeout)
        events: list[Event | EventsLost] = []
        try:
            if _readable(monitor, timeout):
                self._drain(monitor, events)
            self._recovering = False
        except OSError as error:
            events.append(_lost(_reason(error)))
            self._recover()
        return [] if self._closed.is_set() else events

    def close(self) -> None:
        """See `EventStream.close`; pyudev closes the socket with the monitor's last user."""
        self._closed.set()
        self._monitor = None

    def _drain(self, monitor: Monitor, events: list[Event | EventsLost]) -> None:
        for _ in range(_MOST_AT_ONCE):
            device = monitor.poll(0)
            if device is not None:
                events.extend(self._event(device))
            elif not _readable(monitor, 0):
                break

    def _event(self, device: Device) -> list[Event | EventsLost]:
        sequence = device.sequence_number or None
        variables = {
            "ACTION": device.action,
            "SUBSYSTEM": device.subsystem,
            "DEVPATH": device.device_path,
            "SEQNUM": sequence,
        }
        try:
            event = read_uevent(variables, time.monotonic())
        except FormatError as error:
            return [_lost(error.reason)]
        if event is None:
            self._other = sequence
            return []
        other, self._other = self._other, None
        return [replace(event, follows=other)]

    def _recover(self) -> None:
        self._monitor = None
        # An error right after the last one: leave it to the next poll, which waits first.
        if not self._recovering:
            self._recovering = True
            with suppress(OSError, ImportError):
                self._monitor = self._opener()

    def _try_again(self, timeout: float) -> list[Event | EventsLost]:
        if self._closed.wait(timeout):
            return []
        try:
            self._monitor = self._opener()
        except (OSError, ImportError):
            return []
        self._recovering = True
        return [_lost("kernel events were not heard for a while")]


def _readable(monitor: Monitor, timeout: float) -> bool:
    poll = select.poll()
    poll.register(monitor.fileno(), select.POLLIN)
    return bool(poll.poll(max(0, int(timeout * 1000))))


def _reason(error: OSError) -> str:
    # pyudev finds a pending socket error while it polls, and raises it without its number. On a
    # netlink socket that is the overflow.
    if error.errno in (None, errno.ENOBUFS):
        return "the receive buffer of kernel events overflowed"
    return f"kernel events cannot be received: {os.strerror(error.errno)}"


def _lost(reason: str) -> EventsLost:
    return EventsLost(time.monotonic(), reason)
