"""The verb `watch`: CPU and memory events as they happen, and what they do to the crash image."""

import queue
import select
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.cli.watch_lines import Teller
from kho_console.engine.crash.events import seen_events
from kho_console.engine.crash.grouping import TOGETHER
from kho_console.engine.crash.turns import BREATH, Turns
from kho_console.engine.observer import Look, Observer, View
from kho_console.engine.opening import Source
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Unknown

_TURN = 0.25
"""Seconds after which it is looked whether the reader is still there."""

_PATIENCE = 0.5
_MOST_BATCHES = 256
"""Where nobody reads what is printed, events wait in the kernel, which says when it lost some."""

# A Ctrl-C within `Queue.get` may leave its lock taken for good; a SimpleQueue has none in Python.
Batches = queue.SimpleQueue[list[Event | EventsLost] | Exception]


def watch(source: Source, wanted: Namespace) -> int:
    """Print what happens until somebody ends it; of a recording, what happened."""
    observer = Observer(source)
    if not observer.live:
        return _replay(observer, source, json=wanted.json)
    heard = observer.wait_for_events(0)
    for item in heard:
        if isinstance(item, EventsLost):
            output.say(item.reason)
            return exit_code.NOT_AVAILABLE
    batches: Batches = queue.SimpleQueue()
    batches.put(heard)
    ended = threading.Event()
    listening = threading.Thread(
        target=_listen, args=(observer, batches, ended), name="kho-listen", daemon=True
    )
    listening.start()
    try:
        _watch(observer, source.clock, batches, wanted)
    finally:
        ended.set()
    return exit_code.DONE


def _replay(observer: Observer, source: Source, *, json: bool) -> int:
    """Print what was recorded, with its own times, at once."""
    recorded = seen_events(source)
    if isinstance(recorded, Unknown):
        output.say(text.reason(recorded))
        return exit_code.NOT_AVAILABLE
    view = observer.look()
    teller = Teller(view.snapshot.machine.boot_time, json=json)
    teller.begin()
    teller.arrived(recorded)
    teller.settled(view, float("inf"), 0)
    teller.stood(view)
    teller.flow(view)
    return exit_code.DONE


def _listen(observer: Observer, batches: Batches, ended: threading.Event) -> None:
    try:
        while not ended.is_set():
            if batches.qsize() >= _MOST_BATCHES:
                time.sleep(BREATH)
                continue
            arrived = observer.wait_for_events(_PATIENCE)
            if arrived:
                batches.put(arrived)
                time.sleep(BREATH)
    except Exception as error:  # The other thread has to end, and to say so.
        batches.put(error)


def _watch(
    observer: Observer, clock: Callable[[], float], batches: Batches, wanted: Namespace
) -> None:
    view = observer.look()
    teller = Teller(view.snapshot.machine.boot_time, json=wanted.json)
    teller.begin()
    teller.known(view)
    _tell_what_is_hidden(view)
    try:
        _follow(observer, clock, batches, wanted, teller, view)
    except KeyboardInterrupt:
        _end(observer, batches, teller)
        raise
    _end(observer, batches, teller)


def _tell_what_is_hidden(view: View) -> None:
    """Say at the start that no line will tell what a dump would contain, where that is so."""
    crash = view.snapshot.crash
    hidden = crash.coverage
    if isinstance(hidden, Unknown) and hidden.cause is not Cause.ABSENT:
        output.say(f"what a dump would contain is not known: {text.reason(hidden)}")


def _end(observer: Observer, batches: Batches, teller: Teller) -> None:
    """Print what has come and is not told yet, and the sum."""
    _print(teller, batches, 0)
    view = observer.look(Look.EVENTS)
    teller.settled(view, float("inf"), 0)
    teller.flow(view)


def _follow(
    observer: Observer,
    clock: Callable[[], float],
    batches: Batches,
    wanted: Namespace,
    teller: Teller,
    view: View,
) -> None:
    now = began = told = time.monotonic()
    turns = Turns()
    while wanted.seconds is None or now < began + wanted.seconds:
        unsettled = observer.unsettled
        wait = turns.wait(now, unsettled=unsettled)
        if wait == 0:
            view = _answered(observer, teller, wanted)
            teller.settled(view, clock(), TOGETHER)
            now = time.monotonic()
            turns.looked(now)
            continue
        if now >= told + _TURN:
            told = now
            _stop_without_reader()
            # Where events wait for a look, one of these may belong to what the last one saw.
            if not unsettled:
                teller.settled(view, clock(), TOGETHER)
        _print(teller, batches, _TURN if wait is None else min(wait, _TURN))
        now = time.monotonic()


def _answered(observer: Observer, teller: Teller, wanted: Namespace) -> View:
    view = observer.look(Look.EVENTS)
    if wanted.json:
        teller.flow(view)
    return view


def _print(teller: Teller, batches: Batches, timeout: float) -> None:
    """Print what arrives first, and all that came with it."""
    try:
        batch = batches.get(timeout=timeout) if timeout else batches.get_nowait()
        while True:
            if isinstance(batch, Exception):
                raise batch
            teller.arrived(batch)
            batch = batches.get_nowait()
    except queue.Empty:
        return


def _stop_without_reader() -> None:
    """End where nobody reads any more: without events nothing is written that would tell.

    Raises:
        BrokenPipeError: The reader has gone.
    """
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(state & select.POLLERR for _, state in poll.poll(0)):
        raise BrokenPipeError
