"""A look after events: the same answer as a whole one, for a fraction of its reads."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from kho_console.abi.memory import PhysicalMemory
from kho_console.engine.crash.recheck import recheck
from kho_console.engine.observe import observe
from kho_console.model.event import Event, EventsLost
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceError
from tests.engine import crash_machines
from tests.engine.crash_machines import BLOCK, GIB, LOADED, MIB, REGION, Span, block, core_header
from tests.fixture_folder import FixtureFolder

LOW: tuple[Span, ...] = ((0x1000, 0x9_FC00), (MIB, 0x7FFE_0000))
BEFORE = (*LOW, (4 * GIB, 6 * GIB))
DUMPED: tuple[Span, ...] = ((MIB, REGION[0]), (REGION[1], 0x7FFE_0000), (4 * GIB, 6 * GIB))
LOCKED = ("kexec_crash_size", "crash_hotplug")


class Counting(FixtureSource):
    """Keeps what was asked for."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.asked: list[str] = []
        self.lookups = 0

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        self.asked.append(path)
        return super().read(path, limit)

    def list(self, path: str) -> tuple[str, ...]:
        self.asked.append(path)
        return super().list(path)

    def exists(self, path: str) -> Maybe[bool]:
        self.lookups += 1
        return super().exists(path)


def crash_machine(
    place: Path, ram: Sequence[Span], described: Sequence[Span], second_node: Sequence[int] = ()
) -> FixtureFolder:
    pages = {REGION[0]: core_header(described)}
    return crash_machines.crash_machine(place, ram, [REGION], pages, second_node=second_node)


def event(action: str, number: int, at: float) -> Event:
    return Event(at, action, "memory", f"memory{number}", number)


def same(left: Snapshot, right: Snapshot) -> bool:
    return (left.memory, left.cpus, left.kexec) == (right.memory, right.cpus, right.kexec) and (
        left.crash.coverage,
        left.crash.header,
        left.crash.cpus,
    ) == (right.crash.coverage, right.crash.header, right.crash.cpus)


@pytest.fixture
def before(tmp_path: Path) -> Snapshot:
    return observe(crash_machine(tmp_path / "machine", BEFORE, DUMPED).open())


def test_a_dimm_that_was_missed(tmp_path: Path, before: Snapshot) -> None:
    """512 MiB on another node come while a load holds the lock."""
    ram, added = (*BEFORE, (8 * GIB, 8 * GIB + GIB // 2)), range(64, 68)
    machine = crash_machine(tmp_path / "machine", ram, DUMPED, second_node=added)
    machine.open()
    source = Counting(machine.place)
    events = [event("add", number, 5.0) for number in added]
    events += [event("online", number, 6.0) for number in added]
    after = recheck(source, before, events)
    assert not isinstance(after.crash.coverage, Unknown)
    assert [(item.start, item.size) for item in after.crash.coverage.missing] == [
        (8 * GIB, GIB // 2)
    ]
    assert [item.monotonic for item in after.crash.causes] == [6.0] * 4
    assert same(after, observe(source))
    assert after.inventory is before.inventory


def test_a_dimm_that_went(tmp_path: Path, before: Snapshot) -> None:
    machine = crash_machine(tmp_path / "machine", (*LOW, (4 * GIB, 5 * GIB)), DUMPED)
    for number in range(40, 48):
        (machine.place / f"root/sys/devices/system/memory/memory{number}/state").unlink()
        (machine.place / f"root/sys/devices/system/memory/memory{number}").rmdir()
    source = machine.open()
    events = [
        event("offline", 40, 5.0),
        *(event("remove", number, 6.0) for number in range(40, 48)),
    ]
    after = recheck(source, before, events)
    assert not isinstance(after.crash.coverage, Unknown)
    assert [(item.start, item.end) for item in after.crash.coverage.stale] == [(5 * GIB, 6 * GIB)]
    assert {item.action for item in after.crash.causes} == {"remove"}
    assert same(after, observe(source))


def test_only_the_blocks_of_the_events_are_read(tmp_path: Path, before: Snapshot) -> None:
    machine = crash_machine(tmp_path / "machine", BEFORE, DUMPED)
    block(machine, 33, "offline")
    machine.open()
    source = Counting(machine.place)
    after = recheck(source, before, [event("offline", 33, 5.0), event("online", 7, 5.0)])
    read = [path for path in source.asked if path.startswith("/sys/devices/system/memory/memory")]
    assert sorted(read) == [
        f"/sys/devices/system/memory/memory{number}/state" for number in (33, 7)
    ]
    assert "/sys/devices/system/memory" not in source.asked
    assert not [path for path in source.asked if path.endswith((*LOCKED, "crash_notes"))]
    assert same(after, observe(machine.open()))
    assert not isinstance(after.crash.coverage, Unknown)
    assert [item.start for item in after.crash.coverage.offline] == [33 * BLOCK]


@pytest.mark.parametrize("events", [[], [EventsLost(5.0, "overflow"), event("online", 7, 5.0)]])
def test_lost_events_are_made_up_for(
    tmp_path: Path, before: Snapshot, events: list[Event | EventsLost]
) -> None:
    machine = crash_machine(tmp_path / "machine", BEFORE, DUMPED)
    block(machine, 33, "offline")
    after = recheck(machine.open(), before, events)
    assert same(after, observe(machine.open()))
    assert same(after, before) is False


def test_many_events_do_not_ask_every_node_for_every_block(
    tmp_path: Path, before: Snapshot
) -> None:
    machine = crash_machine(tmp_path / "machine", BEFORE, DUMPED)
    for node in range(2, 10):
        machine.file(f"/sys/devices/system/node/node{node}/.empty", "")
    added = range(64, 64 + 400)
    for number in added:
        block(machine, number, node=number % 10)
    machine.open()
    source = Counting(machine.place)
    after = recheck(source, before, [event("add", number, 5.0) for number in added])
    assert source.lookups < len(added)
    assert same(after, observe(machine.open()))


def test_an_image_that_was_searched_in_vain_is_not_searched_at_each_event(tmp_path: Path) -> None:
    """kexec_load puts the header near the top, so that all of the region is read for it."""
    pages = {REGION[1] - 3 * MIB: core_header(DUMPED)}
    with_header = crash_machines.crash_machine(tmp_path / "one", BEFORE, [REGION], pages)
    machine = crash_machines.crash_machine(tmp_path / "two", BEFORE, [REGION], {})
    machine.open()

    class Zeros:
        """Memory of which all can be read and nothing is in it."""

        size = 0

        def read(self, address: int, size: int) -> bytes:
            self.size += size
            return bytes(size)

    class Searched(FixtureSource):
        zeros = Zeros()

        @property
        def memory(self) -> PhysicalMemory:  # type: ignore[override]
            return self.zeros

    source = Searched(machine.place)
    snapshot = observe(source)
    assert source.zeros.size >= REGION[1] - REGION[0]
    source.zeros.size = 0
    again = recheck(source, snapshot, [event("online", 7, 5.0)])
    assert source.zeros.size < MIB
    assert again.crash.header == snapshot.crash.header
    machine.file(LOADED, "0\n")
    unloaded = recheck(machine.open(), again, [event("online", 7, 6.0)])
    armed = recheck(with_header.open(), unloaded, [event("online", 7, 7.0)])
    assert armed.crash.address == REGION[1] - 3 * MIB


def test_a_cpu_that_comes_is_looked_for_among_the_notes(tmp_path: Path, before: Snapshot) -> None:
    machine = crash_machine(tmp_path / "machine", BEFORE, DUMPED)
    for name in ("possible", "present", "online"):
        machine.file(f"/sys/devices/system/cpu/{name}", "0-2\n")
    machine.file("/sys/devices/system/cpu/cpu2/crash_notes", "3ee2a400\n")
    after = recheck(machine.open(), before, [Event(5.0, "add", "cpu", "cpu2", 7)])
    assert not isinstance(after.crash.cpus, Unknown)
    assert (after.crash.cpus.noted, after.crash.cpus.without) == (2, (2,))


def test_a_look_after_an_unload(tmp_path: Path, before: Snapshot) -> None:
    machine = crash_machine(tmp_path / "machine", BEFORE, DUMPED)
    machine.file(LOADED, "0\n")
    after = recheck(machine.open(), before, [event("online", 7, 5.0)])
    assert (after.crash.armed, after.crash.residue) == (False, True)


def test_events_of_blocks_beyond_all_addresses(tmp_path: Path, before: Snapshot) -> None:
    source = crash_machine(tmp_path / "machine", BEFORE, DUMPED).open()
    after = recheck(source, before, [event("add", 999_999_999, 5.0), event("online", 999, 5.0)])
    assert same(after, before)


def test_the_files_of_a_large_machine_are_read_once(tmp_path: Path) -> None:
    """49,152 blocks: after the first look a block costs no more than on a small machine."""
    machine = crash_machine(tmp_path / "machine", BEFORE, DUMPED)
    machine.open()

    class Large(Counting):
        def read(self, path: str, limit: int = 1 << 20) -> bytes:
            try:
                return super().read(path, limit)
            except SourceError:
                if path.startswith("/sys/devices/system/memory/memory"):
                    return b"online\n"
                raise

        def list(self, path: str) -> tuple[str, ...]:
            if path == "/sys/devices/system/memory":
                return tuple(f"memory{number}" for number in range(49_152))
            return super().list(path)

    source = Large(machine.place)
    first = observe(source)
    assert len(source.asked) > 49_152
    source.asked.clear()
    after = recheck(source, first, [event("online", 32, 5.0)])
    assert len(source.asked) < 40
    assert not isinstance(after.memory.blocks, Unknown)
    assert len(after.memory.blocks) == 49_152
