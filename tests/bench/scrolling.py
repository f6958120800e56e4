"""Steps on the Preserved screen with millions of ranges, against the same steps with few.

Only the processor's time counts: the test driver waits between keys, whatever there is to do.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from textual.pilot import Pilot
from textual.widgets import Input

from tests.bench.table import Row, milliseconds
from tests.pilot.machines import open_screen, text
from tests.pilot.prepared import prepared

FEW, MANY = 80, 8_000_000
_SCROLLS = ("pagedown", "pagedown", "pageup", "pageup") * 4
"""Back and forth, so that the short list has room for each of them too."""

_FILTERS = ("owner:oops", "size:>2k", "address:0x1000-0x40000000", "order:0", "!owner:memfd")


@dataclass(frozen=True, slots=True)
class Steps:
    """Seconds of one step of each kind."""

    scroll: float
    filter: float


def rows(few: int = FEW, many: int = MANY) -> Iterator[Row]:
    """A step of scrolling and one of filtering, with few ranges and with many."""
    # Once before it counts: the first screen of a process loads and caches what the others use.
    asyncio.run(steps(few))
    held, taken = asyncio.run(steps(few)), asyncio.run(steps(many))
    for what, target in (("scroll", 3.0), ("filter", None)):
        short, long = getattr(held, what), getattr(taken, what)
        name = f"{what} step of {many:,} ranges"
        reference = f"{few:,} ranges {milliseconds(short)}"
        yield Row(name, reference, milliseconds(long), long / short, target)


async def steps(ranges: int) -> Steps:
    """How long steps take on a screen with so many ranges."""
    app = prepared(ranges)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "4")
        scrolls = [await _pressed(pilot, key) for key in _SCROLLS]
        filters = []
        for words in _FILTERS:
            await pilot.press("slash")
            screen.query_one(Input).value = words
            filters.append(await _pressed(pilot, "enter"))
            if f" filter: {words}" not in text(screen):
                raise AssertionError(f"{words} was not taken as a filter")
    return Steps(median(scrolls), median(filters))


async def _pressed(pilot: Pilot[int], key: str) -> float:
    before = time.process_time()
    await pilot.press(key)
    await pilot.pause()
    return time.process_time() - before
