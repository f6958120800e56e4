"""Storms of events: whether all arrive, what a key waits for meanwhile, and what they leave behind.

Every event costs what pyudev takes for one. That the kernel's receive buffer holds a burst is for
the rig to show.
"""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from statistics import quantiles

from kho_console.engine.observer import Look, Observer
from kho_console.model.event import Event
from kho_console.model.happening import Gap
from tests.bench.storm import Lossy, Screen, Stormy, one_dimm, screen, unrest
from tests.bench.table import Row, mebibytes, milliseconds

BURST, RATE, SECONDS, MINUTE, MANY = 10_000, 1_000, 60, 60_000, 100_000
BLOCKS, UNHEARD = 49_152, 1_000
KEYS, BURSTS = 100, 5
BUDGET = 32 << 20
"""Bytes that events may leave in memory, however many come."""

Make = Callable[[int], Iterable[Event]]


def rows(
    burst: int = BURST,
    seconds: float = SECONDS,
    minute: int = MINUTE,
    many: int = MANY,
    keys: int = KEYS,
    blocks: int = BLOCKS,
    unheard: int = UNHEARD,
) -> Iterator[Row]:
    """Completeness, losses, answers to keys, memory."""
    yield _complete(f"burst of {burst:,} events, one DIMM", burst, one_dimm)
    yield _complete(f"{minute:,} events as fast as they can be taken", minute, unrest)
    yield _repaired(blocks, unheard)
    yield from asyncio.run(_keys(burst, seconds, keys))
    for name, make in (("one DIMM", one_dimm), ("no two alike", unrest)):
        left = _left(many, make)
        said = mebibytes(BUDGET), mebibytes(left)
        yield Row(f"memory after {many:,} events, {name}", *said, left / BUDGET, 1)


def _complete(what: str, count: int, make: Make) -> Row:
    """Events that were sent by those that a look has answered; what was told as lost is not."""
    source, observer = _listening()
    source.storm.begin(make(count), None)
    began = time.perf_counter()
    looked = 0.0
    while observer.wait_for_events(0.05):
        if time.perf_counter() - looked > 0.5:
            observer.look(Look.EVENTS)
            looked = time.perf_counter()
    flow = observer.look(Look.EVENTS).flow
    taken = time.perf_counter() - began
    answered = flow.seen - flow.backlog
    return Row(f"{what}, {milliseconds(taken)}", f"{count:,}", f"{answered:,}", count / answered, 1)


def _repaired(blocks: int, unheard: int) -> Row:
    """Blocks that came without an event by those of them that the gap names, and no others."""
    source = Lossy(blocks)
    observer = Observer(source)
    observer.wait_for_events(0)
    view = observer.look()
    source.grow(unheard, unheard)
    observer.wait_for_events(0)
    began = time.perf_counter()
    while observer.unsettled:
        view = observer.look(Look.EVENTS)
    taken = time.perf_counter() - began
    (gap,) = [item for item in view.happenings if isinstance(item, Gap)]
    first, last = blocks + unheard, blocks + 2 * unheard - 1
    named = unheard if gap.found == f"memory{first}-{last} came without an event" else 0
    what = f"a loss on {blocks:,} blocks, found and repaired in {milliseconds(taken)}"
    return Row(what, f"{unheard:,}", f"{named:,}", unheard / max(named, 1), 1)


def _listening() -> tuple[Stormy, Observer]:
    source = Stormy()
    observer = Observer(source)
    observer.wait_for_events(0)
    observer.look()
    return source, observer


async def _keys(burst: int, seconds: float, keys: int) -> Iterator[Row]:
    """A key while events come, by a key while none does: the slowest of twenty."""
    found = []
    async with screen() as open_:
        await open_.keys(10)
        idle = _slow(await open_.keys(keys))
        for name, make in (("one DIMM", one_dimm), ("no two alike", unrest)):
            storm = open_.source.storm
            storm.begin(make(int(RATE * seconds)), RATE)
            taken = _slow(await open_.keys(max(int(seconds / 0.07), 2)))
            await _answered(open_)
            found.append(_row(f"a key at {RATE:,} events/s for {seconds:g} s, {name}", idle, taken))
        within: list[float] = []
        # One burst is over after some thirty keys: too few to tell the slowest of twenty by.
        for _ in range(BURSTS):
            open_.source.storm.begin(one_dimm(burst), None)
            within += await open_.keys(max(keys // 3, 2))
            await _answered(open_)
        found.append(_row(f"a key within {BURSTS} bursts of {burst:,}", idle, _slow(within)))
    return iter(found)


async def _answered(open_: Screen) -> None:
    """Wait until a look has answered all that were given."""
    storm = open_.source.storm
    await open_.until(lambda: open_.view.flow.seen == storm.given and not open_.view.flow.backlog)


def _row(what: str, idle: float, taken: float) -> Row:
    said = f"idle {milliseconds(idle)}", milliseconds(taken)
    return Row(f"{what}, 95 %", *said, taken / idle, 2)


def _slow(taken: list[float]) -> float:
    return quantiles(taken, n=20)[-1]


def _left(count: int, make: Make) -> int:
    """Bytes that so many events leave in memory."""
    source, observer = _listening()
    source.storm.cost = 0
    gc.collect()
    tracemalloc.start()
    source.storm.begin(make(count), None)
    while observer.wait_for_events(0.05):
        pass
    observer.look(Look.EVENTS)
    left = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return left
