"""What is kept of a live machine: which looks are moments, what is named there, how much it is."""

import tracemalloc
from dataclasses import replace

import pytest

from kho_console.engine.kept_looks import KeptLooks, same, weight
from kho_console.engine.moments import NoMomentError
from kho_console.engine.observer import Look, Observer, View
from kho_console.engine.survey import MOST, survey
from kho_console.model.event import Event
from kho_console.model.mechanism import Mechanisms
from kho_console.model.position import What
from kho_console.source.fixture import FixtureSource
from tests.pilot.machines import Stream
from tests.pilot.prepared import preserved
from tests.pilot.walked import Going
from tests.recordings import folder

MIB = 1 << 20


class Machine:
    """A live machine, looked at when a test says so."""

    def __init__(self) -> None:
        self.going = Going("linux-7.3.4/ready")
        self.observer = Observer(self.going)
        self.stream = self.observer._stream = Stream()

    def look(self, *devices: str, wanted: Look = Look.EVENTS) -> View:
        """What is seen ten seconds later, after so many CPUs went."""
        self.going.up += 10
        events = [Event(self.going.up, "offline", "cpu", device, None) for device in devices]
        self.stream.send(*events)
        self.observer.wait_for_events(0)
        return self.observer.look(wanted)


def test_a_look_without_news_is_no_moment() -> None:
    machine = Machine()
    kept = KeptLooks(machine.going)
    for wanted in (Look.FULL, Look.LIGHT, Look.SLOW, Look.FULL):
        latest = machine.look(wanted=wanted)
        kept.add(latest)
    assert len(kept) == 1 and kept.view(0) is latest
    kept.add(machine.look("cpu1"))
    kept.did("finalize")
    kept.add(machine.look())
    machine.going.go("sessions")
    kept.add(machine.look(wanted=Look.FULL))
    assert len(kept) == 4
    assert [len(kept.view(number).happenings) for number in range(4)] == [0, 1, 1, 1]
    found = {(item.what, item.moment): item.title for item in survey(kept)}
    assert found[What.EVENT, 1] == "offline cpu1" and found[What.ACTION, 2] == "finalize"
    assert What.FINDING in {what for what, moment in found if moment == 3}
    assert (kept.find("event:0"), kept.find("action:0"), kept.find("end")) == (1, 2, 3)
    assert kept.find("start") == kept.find("moment:0") == kept.find(kept.time(0).isoformat()) == 0
    with pytest.raises(NoMomentError):
        kept.find("event:1")


@pytest.mark.parametrize("extents", [0, 100_000])
def test_its_memory_is_bounded(extents: int) -> None:
    machine, limit = Machine(), 8 * MIB
    kept = KeptLooks(machine.going, most=200, most_bytes=limit)
    first = machine.look(wanted=Look.FULL)
    kept.add(first)
    gone = 0
    tracemalloc.start()
    try:
        for number in range(20 if extents else 250):
            view = machine.look(f"cpu{number}")
            if extents:
                found, ownership = preserved(extents)
                inventory = replace(view.snapshot.inventory, preserved=found, ownership=ownership)
                view = replace(view, snapshot=replace(view.snapshot, inventory=inventory))
            gone += kept.add(view)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert gone and kept.bytes <= max(limit, weight(view, None))
    assert len(kept) <= 200 and kept.view(len(kept) - 1) is view
    # What the one that looks keeps itself is in it.
    assert taken < limit + 4 * MIB


def test_a_picture_of_much_has_some_of_it() -> None:
    machine = Machine()
    kept = KeptLooks(machine.going)
    kept.add(machine.look(wanted=Look.FULL))
    kept.add(machine.look(*(f"cpu{number}" for number in range(90))))
    assert len(survey(kept)) == 90
    for part in range(9):
        kept.add(machine.look(*(f"cpu{number}" for number in range(part, part + 90))))
    found = survey(kept)
    assert MOST // 2 <= len(found) <= MOST and found[-1].moment > 8


@pytest.mark.parametrize("name", ["made/pkram-v3", "made/kstate-v2"])
def test_other_mechanisms_that_stay_are_no_news(name: str) -> None:
    observer = Observer(FixtureSource(folder(name)))
    first, second = observer.look(), observer.look()
    assert first.snapshot.mechanisms.pkram or first.snapshot.mechanisms.kstate
    assert same(first, second)
    gone = replace(second, snapshot=replace(second.snapshot, mechanisms=Mechanisms()))
    assert not same(first, gone)
