"""Events become happenings, with what looks before and after them saw."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kho_console.engine.crash.timeline import Timeline
from kho_console.engine.observe import observe
from kho_console.model.crash import CoreHeader, CoreLoad, Coverage, LoadKind
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Effect, Gap, Happening
from kho_console.model.machine import Cpus, MemoryLayout
from kho_console.model.memory import MemoryBlock, MemoryRange
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder

BLOCK = 128 << 20
SOME = observe(FixtureSource(folder("linux-7.3.4/cold")))


def machine(
    blocks: Sequence[int], loads: int = 1, missing: int = 0, offline_cpus: Sequence[int] = ()
) -> Snapshot:
    """A machine of four CPUs whose crash image describes so many ranges and lacks `missing`."""
    header = CoreHeader(62, True, (), (CoreLoad(MemoryRange(0, 1), 0, LoadKind.MEMORY),) * loads)
    lacking = (MemoryRange(0, missing),) if missing else ()
    layout = MemoryLayout(
        *(SOME.memory.iomem, SOME.memory.ram, SOME.memory.crash_regions),
        tuple(
            MemoryBlock(number, MemoryRange(number * BLOCK, BLOCK), "online", number // 64)
            for number in sorted(blocks)
        ),
        *(SOME.memory.nodes, SOME.memory.zones),
    )
    online = tuple(number for number in range(4) if number not in offline_cpus)
    return replace(
        SOME,
        memory=layout,
        cpus=Cpus(tuple(range(4)), tuple(range(4)), online),
        crash=replace(
            SOME.crash,
            armed=True,
            header=header,
            residue=False,
            coverage=Coverage(0, 0, lacking, (), ()),
        ),
    )


def looked(timeline: Timeline, snapshot: Snapshot) -> None:
    timeline.begin()
    timeline.settle(snapshot)


def memory(action: str, *numbers: int, at: float = 1.0, apart: float = 0.001) -> list[Event]:
    return [
        Event(at + count * apart, action, "memory", f"memory{number}", None)
        for count, number in enumerate(numbers)
    ]


def told(timeline: Timeline) -> list[tuple[str, range]]:
    """The happenings in short; each must be one."""
    found = []
    for item in timeline.happenings:
        assert isinstance(item, Happening)
        found.append((item.action, range(item.devices[0], item.devices[-1] + 1)))
        assert len(item.devices) == len(found[-1][1])
    return found


def effects(timeline: Timeline) -> list[tuple[Maybe[Effect], Maybe[Effect]]]:
    return [
        (item.before, item.after) for item in timeline.happenings if isinstance(item, Happening)
    ]


def gaps(timeline: Timeline) -> list[Gap]:
    return [item for item in timeline.happenings if isinstance(item, Gap)]


def test_ten_thousand_blocks_of_one_dimm_are_one_happening() -> None:
    timeline = Timeline()
    timeline.take(memory("add", *range(32, 10_032)))
    (item,) = timeline.happenings
    assert isinstance(item, Happening)
    assert (len(item.events), item.devices) == (10_000, range(32, 10_032))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (memory("offline", 35, 34, 33), [("offline", range(33, 36))]),
        (memory("add", 32, 34), [("add", range(32, 33)), ("add", range(34, 35))]),
        (memory("add", 32, 32), [("add", range(32, 33))] * 2),
        (memory("online", 32, 33, apart=0.65), [("online", range(32, 34))]),
        (
            memory("online", 32, 33, apart=2.5),
            [("online", range(32, 33)), ("online", range(33, 34))],
        ),
        (
            [*memory("add", 1), *memory("online", 1), *memory("add", 2), *memory("online", 2)],
            [("add", range(1, 3)), ("online", range(1, 3))],
        ),
        (
            [*memory("online", 1), Event(1.0, "online", "cpu", "cpu2", None)],
            [("online", range(1, 2)), ("online", range(2, 3))],
        ),
        (
            memory("online", 32, 64, 33, 65, 66, 34),
            [("online", range(32, 35)), ("online", range(64, 67))],
        ),
    ],
    ids=["down", "hole", "twice", "slowly", "later", "interleaved", "CPU", "two DIMMs"],
)
def test_what_belongs_together(events: list[Event], expected: list[tuple[str, range]]) -> None:
    timeline = Timeline()
    timeline.take(events)
    assert told(timeline) == expected


def test_devices_without_a_number_stand_alone() -> None:
    timeline = Timeline()
    for name in ("memory", "memory\x1b[2J", "memory" + "9" * 30, "cpu1"):
        timeline.take([Event(1.0, "add", "memory", name, None)])
    looked(timeline, machine([]))
    found = [item for item in timeline.happenings if isinstance(item, Happening)]
    assert [len(item.devices) for item in found] == [0] * 4


def test_a_look_tells_size_node_and_effect_and_growth_is_answered_by_the_next() -> None:
    timeline = Timeline()
    looked(timeline, machine([1], loads=2))
    timeline.take(memory("add", 32, 33))
    assert timeline.unsettled
    looked(timeline, machine([1, 32, 33], loads=3, missing=BLOCK))
    assert not timeline.unsettled
    timeline.take(memory("add", 34, at=1.5))
    (item,) = timeline.happenings
    assert isinstance(item, Happening)
    assert (item.before, item.after) == (Effect(2, 0, 0), Effect(3, BLOCK, 0))
    looked(timeline, machine([1, 32, 33, 34], loads=3))
    (item,) = timeline.happenings
    assert isinstance(item, Happening)
    assert (item.size, item.node, item.number) == (3 * BLOCK, 0, 1)
    assert (item.before, item.after) == (Effect(2, 0, 0), Effect(3, 0, 0))


def test_size_and_node_of_what_has_gone_are_those_it_had() -> None:
    timeline = Timeline()
    looked(timeline, machine([1, 70, 71]))
    timeline.take(memory("remove", 70, 71))
    looked(timeline, machine([1]))
    (item,) = timeline.happenings
    assert isinstance(item, Happening)
    assert (item.size, item.node) == (2 * BLOCK, 1)


def test_what_two_happenings_did_between_two_looks_is_given_to_neither() -> None:
    timeline = Timeline()
    looked(timeline, machine([1], loads=2))
    timeline.take([*memory("add", 32), *memory("online", 32, at=1.2)])
    looked(timeline, machine([1, 32], loads=3))
    (added, between), (also, onlined) = effects(timeline)
    assert (added, onlined) == (Effect(2, 0, 0), Effect(3, 0, 0))
    assert isinstance(between, Unknown) and between == also
    timeline.take([*memory("offline", 1, at=5), *memory("online", 1, at=5.1)])
    looked(timeline, machine([1, 32], loads=3))
    assert effects(timeline)[2:] == [(Effect(3, 0, 0), Effect(3, 0, 0))] * 2


def test_events_during_a_look_wait_for_the_next_one() -> None:
    timeline = Timeline()
    looked(timeline, machine([1]))
    timeline.begin()
    timeline.take(memory("add", 32))
    timeline.settle(machine([1, 32], loads=4))
    assert timeline.unsettled
    assert timeline.flow(1.0).backlog == 1
    ((before, after),) = effects(timeline)
    assert isinstance(before, Unknown) and isinstance(after, Unknown)
    assert after.cause is Cause.NOT_YET


def numbered(*numbers: int) -> list[Event]:
    return [Event(1.0, "change", "cpu", "cpu0", number) for number in numbers]


def test_a_gap_in_seqnum_is_followed_by_a_look_that_finds_nothing() -> None:
    timeline = Timeline()
    looked(timeline, machine([1]))
    timeline.take(numbered(5, 6))
    assert not gaps(timeline)
    timeline.take(numbered(10, 11, 13))
    assert timeline.doubtful
    (gap,) = gaps(timeline)
    assert (gap.lost, gap.missed) == (None, 4)
    assert isinstance(gap.found, Unknown) and gap.found.cause is Cause.NOT_YET
    looked(timeline, machine([1]))
    (gap,) = gaps(timeline)
    assert gap.found == "nothing is missing"
    assert not timeline.doubtful
    flow = timeline.flow(1.0)
    assert (flow.gaps, flow.lost, flow.seen) == (2, 0, 5)


def test_numbers_of_other_subsystems_and_of_another_kernel_are_no_gap() -> None:
    timeline = Timeline()
    timeline.take([*numbered(922), *[replace(event, follows=923) for event in numbered(924)]])
    timeline.take(numbered(3, 4))
    assert timeline.flow(1.0).gaps == 0


def test_numbers_out_of_order_are_one_gap() -> None:
    timeline = Timeline()
    timeline.take(numbered(10, 12, 11, 13, 14))
    assert timeline.flow(1.0).gaps == 1
    timeline.take([*numbered(16), *[replace(event, follows=18) for event in numbered(17, 19)]])
    assert timeline.flow(1.0).gaps == 2
    timeline.take([*numbered(20_000), *numbered(5, 8)])
    assert timeline.flow(1.0).gaps == 4


def test_what_came_without_an_event_is_found_by_two_looks() -> None:
    timeline = Timeline()
    looked(timeline, machine([1, 2]))
    timeline.take([EventsLost(1.0, "overflow"), *memory("add", 50), *memory("online", 50)])
    now = machine([1, 40, 41, 43, 50], offline_cpus=[3])
    looked(timeline, now)
    (gap,) = gaps(timeline)
    assert isinstance(gap.found, Unknown)  # its event may be on its way
    assert timeline.doubtful
    timeline.take([*memory("add", 43), *memory("online", 43)])
    looked(timeline, now)
    (gap,) = gaps(timeline)
    assert gap.found == (
        "cpu3 went offline without an event; memory2 went without an event; "
        "memory40-41 came without an event"
    )
    assert gap.lost == EventsLost(1.0, "overflow")
    assert (timeline.flow(1.0).lost, timeline.unsettled) == (1, False)


@pytest.mark.parametrize(
    ("heard", "blocks", "found"),
    [
        (memory("add", 64, 65), [1, 64, 65], "memory64-65 went online without an event"),
        (memory("offline", 1), [1], "memory1 went online without an event"),
        (memory("offline", 1), [], "memory1 went without an event"),
        ([*memory("offline", 1), *memory("remove", 1)], [], "nothing is missing"),
        ([*memory("offline", 1), *memory("online", 1)], [1], "nothing is missing"),
        (memory("change", 1), [], "memory1 went without an event"),
    ],
)
def test_an_event_accounts_for_what_it_leads_to_and_no_more(
    heard: list[Event], blocks: list[int], found: str
) -> None:
    timeline = Timeline()
    looked(timeline, machine([1]))
    timeline.take([*heard, EventsLost(2.0, "overflow")])
    timeline.begin()  # this look ends in an error
    for _ in range(2):
        looked(timeline, machine(blocks))
    assert [gap.found for gap in gaps(timeline)] == [found]


def test_what_goes_on_while_it_is_looked_at_is_not_missing() -> None:
    timeline = Timeline()
    looked(timeline, machine([1, 2]))
    timeline.take([*memory("offline", 1), EventsLost(2.0, "overflow")])
    timeline.begin()
    timeline.take([*memory("online", 1), *memory("offline", 1), *memory("remove", 1)])
    timeline.settle(machine([1]))  # memory1 stood so in between, of memory2 an event is to come
    timeline.take(memory("remove", 2))
    looked(timeline, machine([]))
    assert [gap.found for gap in gaps(timeline)] == ["nothing is missing"]


def test_losses_before_a_look_are_one_gap_and_after_it_another() -> None:
    timeline = Timeline()
    looked(timeline, machine([1]))
    for _ in range(3):
        timeline.take([EventsLost(1.0, "overflow")])
    timeline.begin()
    timeline.take([EventsLost(2.0, "overflow")])
    timeline.settle(machine([1]))
    first, second = gaps(timeline)
    assert first.found == "nothing is missing"
    assert isinstance(second.found, Unknown)
    assert timeline.flow(2.0).lost == 4


def test_memory_is_bounded_and_numbers_stay() -> None:
    timeline = Timeline(kept=100)
    for at in range(1000):
        timeline.take([*memory("online", at % 2, at=at), EventsLost(at, "x")])
    found = timeline.happenings
    assert len(found) <= 100
    assert found[-1].number == max(item.number for item in found)
    kept = sum(len(item.events) for item in found if isinstance(item, Happening))
    assert kept <= 100
    timeline.take(memory("add", *range(5000), at=2000))
    (item,) = timeline.happenings
    assert isinstance(item, Happening)
    timeline.take(memory("add", *range(5000, 100_000), at=2005.001))
    assert sum(len(item.events) for item in timeline.happenings if isinstance(item, Happening)) < (
        20_000
    )
    looked(timeline, machine([1]))
    assert not timeline.unsettled


def test_the_rate_is_that_of_the_last_seconds() -> None:
    timeline = Timeline()
    timeline.take(memory("add", *range(5000), at=100.0))
    assert timeline.flow(105.0).rate == pytest.approx(1000, rel=0.05)
    assert timeline.flow(120.0).rate == 0


def test_an_image_that_is_not_to_be_seen_has_no_effects() -> None:
    timeline = Timeline()
    hidden = Unknown(Cause.NOT_PERMITTED, "/proc/kcore")
    snapshot = machine([1])
    snapshot = replace(snapshot, crash=replace(snapshot.crash, header=hidden))
    looked(timeline, snapshot)
    timeline.take(memory("add", 32))
    looked(timeline, snapshot)
    assert effects(timeline) == [(hidden, hidden)]


def test_of_a_recording_only_the_end_is_known() -> None:
    timeline = Timeline()
    timeline.take([*memory("add", 32), EventsLost(1.5, "line 3"), *memory("online", 32, at=2)])
    timeline.settle_recorded(machine([32], loads=3))
    (one, two), (three, end) = effects(timeline)
    causes = [item.cause for item in (one, two, three) if isinstance(item, Unknown)]
    assert causes == [Cause.NOT_RECORDED] * 3
    assert end == Effect(3, 0, 0)
    (gap,) = gaps(timeline)
    assert isinstance(gap.found, Unknown) and gap.found.cause is Cause.NOT_RECORDED
    assert not timeline.unsettled


def test_a_cpu_has_the_node_it_ran_on() -> None:
    """Nodes list CPUs that run: one that has gone off line is in the look before."""
    timeline = Timeline()
    before, after = machine([]), machine([], offline_cpus=[3])
    before = replace(before, cpus=replace(before.cpus, nodes=((0, (0, 1)), (1, (2, 3)))))
    after = replace(after, cpus=replace(after.cpus, nodes=((0, (0, 1)), (1, (2,)))))
    looked(timeline, before)
    timeline.take([Event(1.0, "offline", "cpu", "cpu3", None)])
    looked(timeline, after)
    (item,) = timeline.happenings
    assert isinstance(item, Happening)
    assert item.node == 1
