"""A finalize on the twin, against decoding the map that it writes down."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from kho_console.abi import chunk_list
from kho_console.model.change import Write
from kho_console.model.preserved import PreservedMap
from kho_console.twin import Twin, TwinSource, twin_of
from kho_console.twin.tracker import BitmapTracker
from tests.bench.prepared import EVERY_SECOND_PAGE, PAGE
from tests.bench.table import Row, milliseconds
from tests.twin.scenes import recorded

BITMAPS = 512
"""Of 2^15 bits; every second bit of them makes 2^23 ranges."""

TARGET = 10
_SPAN = PAGE * 8 * PAGE
_FINALIZE = "/sys/kernel/debug/kho/out/finalize"


def rows(bitmaps: int = BITMAPS, rounds: int = 5) -> Iterator[Row]:
    """The time of a finalize by that of decoding."""
    pairs = []
    for _ in range(rounds + 1):
        twin = prepare(bitmaps)
        ours = _seconds(partial(TwinSource(twin).change, Write(_FINALIZE, b"1")))
        theirs = _seconds(partial(decoded, twin))
        pairs.append((theirs, ours))
    name = f"finalize on the twin, {bitmaps * PAGE * 4:,} ranges"
    reference, taken = (median(times) for times in zip(*pairs[1:], strict=True))
    ratio = median(ours / theirs for theirs, ours in pairs[1:])
    yield Row(name, f"decoding {milliseconds(reference)}", milliseconds(taken), ratio, TARGET)


def prepare(bitmaps: int) -> Twin:
    """A 6.18 that has preserved every second page of `bitmaps` times 128 MiB."""
    twin = twin_of(recorded("linux-6.18.15/cold"))
    handover = twin.kernel.handover
    assert handover is not None and isinstance(handover.preserver.tracker, BitmapTracker)
    for at in range(bitmaps):
        place = handover.allocator.pages()
        handover.hardware.memory.write(place, EVERY_SECOND_PAGE)
        handover.preserver.tracker.take(0, at * _SPAN, place)
    return twin


def decoded(twin: Twin) -> PreservedMap:
    """The map that the twin has written down."""
    handover = twin.kernel.handover
    assert handover is not None
    return chunk_list.read(
        handover.hardware.memory, handover.map_address, PAGE, release_has_small_bitmaps=False
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
