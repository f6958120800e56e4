"""Kernels of the series of 2024: every errno, what an image takes along, and what becomes of it."""

import errno
import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kho_console.abi import fdt, kho2024, kho2024_tree
from kho_console.engine.observe import observe
from kho_console.model.change import Execute, Execution, KexecImage, Load, Unload, Write
from kho_console.model.generation import State
from kho_console.model.kho2024 import Kho2024, TraceArray, TraceCpu
from kho_console.model.memory import MemoryRange, without
from kho_console.model.preserved import PreservedMap
from kho_console.model.unknown import Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceError
from kho_console.twin import CannotSimulate, ProducerRefuses, Twin, TwinSource, twin_of
from kho_console.twin.kho2024 import ftrace
from kho_console.twin.kho2024.arrival import Fate
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.kho2024.outgoing import Outgoing2024
from tests import made_2024
from tests.made import FOLDER
from tests.made_2024 import GUEST, ODD, PAGE, TREE, buffer, guest
from tests.twin.looks import look
from tests.twin.scenes import execute, load
from tests.twin.test_crossings import RELEASES, make_ready, running

OURS = "2024-rfc"
KHO = "/sys/kernel/kho"
ACTIVE, DT, DT_MAX = f"{KHO}/active", f"{KHO}/dt", f"{KHO}/dt_max"
CAME = "/sys/firmware/kho/dt"


def twin(name: str) -> Twin:
    return twin_of(FixtureSource(FOLDER / f"kho2024-{name}"))


def inline(machine: Twin) -> Outgoing2024:
    assert machine.kernel.inline is not None
    return machine.kernel.inline


def answer(machine: Twin, path: str, data: bytes) -> int:
    """What a write answers, 0 for success."""
    try:
        TwinSource(machine).change(Write(path, data))
    except SourceError as error:
        return error.errno or -1
    return 0


@pytest.mark.parametrize(("start", "restored"), [(0x9000, [0]), (0x9010, [])])
def test_no_buffer_is_restored_from_half_a_page(start: int, restored: list[int]) -> None:
    hardware = twin("active").kernel.hardware
    pages = ((MemoryRange(0x5000, 0x38), MemoryRange(start, hardware.page_size)),)
    array = TraceArray(b"global-trace", 0, (TraceCpu(0, pages),))
    found = Kho2024((), (), (array,), ())
    assert [item.cpu for item in ftrace.restorable(found, hardware)] == restored


@pytest.mark.parametrize("name", made_2024.made())
def test_a_fresh_look_shows_the_fixture(name: str) -> None:
    source = FixtureSource(FOLDER / name)
    try:
        shown = TwinSource(twin_of(source))
    except CannotSimulate:
        assert name == "hostile-kho2024-no-tree"
        return
    assert look(shown) == look(source)
    for step in (Write(ACTIVE, b"1"), Load(KexecImage(f"twin:{OURS}", None, b""))):
        with suppress(SourceError):
            shown.change(step)
    with suppress(SourceError):
        shown.change(Execute(Execution.SYSTEM_CALL))
    look(shown)


@pytest.mark.parametrize(
    ("name", "path", "data", "expected"),
    [
        ("inactive", ACTIVE, b"1", 0),
        ("inactive", ACTIVE, b"on\n", 0),
        ("inactive", ACTIVE, b"0", 0),
        ("active", ACTIVE, b"y", 0),
        ("active", ACTIVE, b"0\n", 0),
        ("inactive", ACTIVE, b"maybe", errno.EINVAL),
        ("inactive", ACTIVE, b"", errno.EINVAL),
        # The scratch area is asked for before anything else.
        ("without-scratch", ACTIVE, b"1", errno.ENOMEM),
        ("without-scratch", ACTIVE, b"0", errno.ENOMEM),
        ("without-scratch", ACTIVE, b"maybe", errno.ENOMEM),
        ("inactive", DT_MAX, b"0x1000\n", 0),
        ("inactive", DT_MAX, b"4096", 0),
        ("inactive", DT_MAX, b"010", 0),
        ("inactive", DT_MAX, b"10M", errno.EINVAL),
        ("inactive", DT_MAX, b"18446744073709551616", errno.EINVAL),
        ("inactive", f"{KHO}/scratch_phys", b"0", errno.EACCES),
        ("inactive", DT, b"x", errno.ENOENT),
        ("active", DT, b"x", errno.EACCES),
    ],
)
def test_every_errno(name: str, path: str, data: bytes, expected: int) -> None:
    machine = twin(name)
    before = look(TwinSource(machine))
    assert answer(machine, path, data) == expected
    if expected:
        assert look(TwinSource(machine)) == before


@pytest.mark.parametrize("why", ["dt_max", "producer"])
def test_any_failure_of_activation_is_one_errno_and_leaves_nothing(why: str) -> None:
    machine = twin("inactive")
    source = TwinSource(machine)
    if why == "dt_max":
        assert answer(machine, DT_MAX, b"64") == 0
        assert source.read(DT_MAX) == b"0x40\n"
    else:
        machine.arm(ProducerRefuses(errno.ENODEV))
    before = machine.kernel.allocator.free_bytes()
    assert answer(machine, ACTIVE, b"1") == errno.EINVAL
    assert source.read(ACTIVE) == b"0\n"
    assert source.exists(DT) is False
    assert not machine.preserved()
    assert machine.kernel.allocator.free_bytes() == before


def test_dt_max_holds_from_the_next_activation_on() -> None:
    machine = twin("active")
    assert answer(machine, DT_MAX, b"64") == 0
    assert answer(machine, ACTIVE, b"1") == 0
    assert TwinSource(machine).read(DT) == TREE
    assert [answer(machine, ACTIVE, value) for value in (b"0", b"1")] == [0, errno.EINVAL]


def test_the_image_keeps_the_copy_that_it_was_loaded_with() -> None:
    machine = twin("active")
    source = TwinSource(machine)
    load(machine, OURS, b"kho_scratch=64M")
    assert answer(machine, ACTIVE, b"0") == 0
    execute(machine)
    assert machine.outcome is not None and machine.outcome.adopted
    assert source.read(CAME) == TREE
    seen = observe(source)
    assert not isinstance(seen.incoming, Unknown)
    assert isinstance(seen.incoming.preserved, PreservedMap)
    assert seen.incoming.preserved.bytes == machine.outcome.offered
    data = source.read("/sys/kernel/boot_params/setup_data/1/data")
    tree, size, scratch, length, _, records = struct.unpack("<6Q", data)
    assert source.memory.read(tree, size) == TREE
    assert (scratch, length) == (made_2024.SCRATCH.start, made_2024.SCRATCH.size)
    # Four runs of pages: the descriptors, the data, and what the guest has.
    assert records == 4 * 16


def test_loaded_while_inactive_it_is_a_plain_image() -> None:
    machine = twin("inactive")
    load(machine, OURS, b"kho_scratch=32M")
    loaded = machine.kernel.loaded
    assert loaded is not None and loaded.carried is None
    assert answer(machine, ACTIVE, b"1") == 0
    execute(machine)
    assert machine.outcome is not None and not machine.outcome.adopted
    assert observe(TwinSource(machine)).booted_through_handover is False
    # Nothing came in, so the option holds.
    assert inline(machine).scratch.size == 32 << 20


def test_what_is_preserved_in_scratch_lets_no_image_in() -> None:
    machine = twin_of(FixtureSource(FOLDER / "hostile-kho2024-scratch"))
    with pytest.raises(SourceError) as refused:
        load(machine, OURS)
    assert refused.value.errno == errno.EINVAL
    assert answer(machine, ACTIVE, b"0") == 0
    load(machine, OURS)


def test_segments_want_scratch_while_active() -> None:
    machine = twin("active")
    told = machine.tell(KexecImage(f"twin:{OURS}", None, b""))
    machine.tell = lambda _: replace(told, memory_size=80 << 20)
    with pytest.raises(SourceError) as refused:
        load(machine, OURS)
    assert refused.value.errno == errno.EADDRNOTAVAIL
    assert answer(machine, ACTIVE, b"0") == 0
    load(machine, OURS)


def test_each_reservation_is_claimed_or_returned_or_waits() -> None:
    machine = twin("active")
    source = TwinSource(machine)
    traced = [source.memory.read(data.start, PAGE) for _, data in buffer(0).pages]
    load(machine, OURS)
    # The next kernel has one CPU: it has no use for the other one's buffer.
    machine.hardware.files.put("/sys/devices/system/cpu/possible", b"0\n")
    execute(machine)
    arrival = inline(machine).arrival
    assert arrival is not None
    fates = {(item.path.rpartition(b"/")[2], item.fate) for item in arrival.reservations}
    assert fates == {
        (b"cpu0", Fate.CLAIMED),
        (b"cpu1", Fate.RETURNED),
        (b"guest", Fate.WAITING),
    }
    free = machine.kernel.allocator.free()
    mine = [piece for pair in buffer(1).pages for piece in pair]
    assert all(any(item.contains(piece) for item in free) for piece in mine)
    for piece in (GUEST, ODD, *(data for _, data in buffer(0).pages)):
        assert not any(item.overlaps(piece) for item in free)
    assert [source.memory.read(data.start, PAGE) for _, data in buffer(0).pages] == traced
    seen = observe(source)
    assert not isinstance(seen.incoming, Unknown) and not isinstance(seen.incoming.blobs, Unknown)
    assert [item.reason for item in seen.incoming.blobs] == [
        "of 8 ranges 4 claimed, 4 returned, 0 waiting",
        "of 2 ranges 0 claimed, 0 returned, 2 waiting",
    ]
    # The tracer goes on with what it claimed, and hands it over again.
    assert answer(machine, ACTIVE, b"1") == 0
    [array] = kho2024.decode(fdt.read(source.read(DT))).arrays
    assert array.cpus == (buffer(0),)


def test_a_tracer_of_a_later_version_is_refused_and_the_rest_is_taken() -> None:
    machine = twin("inactive")
    later = kho2024_tree.ftrace(made_2024.EVENTS, [made_2024.ARRAY], b"ftrace-v2")
    inline(machine).producers[:] = [lambda: later, lambda: guest(GUEST)]
    assert answer(machine, ACTIVE, b"1") == 0
    load(machine, OURS)
    execute(machine)
    assert machine.outcome is not None and machine.outcome.adopted
    log = TwinSource(machine).kernel_log()
    assert "ftrace: handover node is 'ftrace-v2', this kernel knows ftrace-v1" in str(log)
    arrival = inline(machine).arrival
    assert arrival is not None
    assert {item.fate for item in arrival.reservations} == {Fate.WAITING}


@pytest.mark.parametrize("target", [name for name in RELEASES if name != "v6"])
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_mainline_takes_nothing(target: str, architecture: str) -> None:
    machine = twin("active")
    machine.hardware.architecture = architecture
    load(machine, target, b"kho=on kho_scratch=16M,16M,16M")
    execute(machine)
    assert machine.dead is None and machine.outcome is not None
    assert (machine.outcome.adopted, machine.outcome.kept) == (False, 0)
    source = TwinSource(machine)
    # arm64 looks for properties of other names.
    offered = "disabling KHO revival" in str(source.kernel_log())
    assert offered == (architecture == "x86_64")
    seen = observe(source)
    assert seen.generation.protocol != OURS
    assert source.exists(KHO) is False and not seen.booted_through_handover


@pytest.mark.parametrize("origin", [name for name in RELEASES if name != "v6"])
def test_nothing_is_taken_from_mainline(origin: str) -> None:
    machine = running(origin)
    make_ready(machine)
    load(machine, OURS, b"kho_scratch=64M")
    execute(machine)
    assert machine.dead is None and machine.outcome is not None
    assert (machine.outcome.adopted, machine.outcome.kept) == (False, 0)
    seen = observe(TwinSource(machine))
    assert (seen.generation.protocol, seen.state) == (OURS, State.OPEN)
    assert inline(machine).scratch.size == 64 << 20


class AnySequence(RuleBasedStateMachine):
    """Activating, producing, loading and executing, in any order."""

    @initialize()
    def boot(self) -> None:
        self.twin = twin("inactive")
        self.source = TwinSource(self.twin)
        self.mine: list[MemoryRange] = []

    @rule(value=st.sampled_from([b"1", b"0", b"on", b"?"]), fails=st.booleans())
    def switch(self, value: bytes, fails: bool) -> None:
        before, hand = tuple(self.twin.preserved()), inline(self.twin)
        was = hand.tree is not None
        if fails:
            self.twin.arm(ProducerRefuses(errno.ENOMEM))
        answered = answer(self.twin, ACTIVE, value)
        self.twin.faults.producer = None
        wanted = {b"1": True, b"on": True, b"0": False}.get(value)
        if wanted is None or (wanted and not was and fails):
            assert answered == errno.EINVAL
            assert tuple(self.twin.preserved()) == before
            wanted = was
        assert (hand.tree is not None) == wanted

    @rule(frame=st.integers(0x2000, 0x3FF00), pages=st.integers(1, 600))
    def produce(self, frame: int, pages: int) -> None:
        wanted = MemoryRange(frame * PAGE + 24, pages * PAGE)
        if not any(item.contains(wanted) for item in self.twin.hardware.ram):
            return
        self.twin.kernel.allocator.take(wanted)
        if not self.mine:
            mine = self.mine
            inline(self.twin).producers.append(lambda: guest(*mine))
        self.mine.append(wanted)

    @rule()
    def load(self) -> None:
        hand = inline(self.twin)
        touched = bool(hand.tree) and self.twin.preserved().touches(hand.scratch)
        try:
            load(self.twin, OURS, b"kho_scratch=48M")
        except SourceError as error:
            assert error.errno == errno.EINVAL and touched
            return
        assert not touched
        loaded = self.twin.kernel.loaded
        assert loaded is not None
        assert isinstance(loaded.carried, Carried2024) == (hand.tree is not None)
        if loaded.carried is not None:
            assert all(hand.scratch.contains(item) for item in loaded.segments)

    def armed(self) -> bool:
        return self.twin.kernel.loaded is not None

    @precondition(armed)
    @rule()
    def unload(self) -> None:
        self.source.change(Unload())

    @precondition(armed)
    @rule()
    def execute(self) -> None:
        loaded = self.twin.kernel.loaded
        assert loaded is not None
        before = inline(self.twin).scratch
        self.source.change(Execute(Execution.SYSTEM_CALL))
        hand, told, self.mine = inline(self.twin), self.twin.outcome, []
        assert told is not None and told.adopted == (loaded.carried is not None)
        if not isinstance(loaded.carried, Carried2024):
            assert hand.arrival is None and hand.scratch.size == 48 << 20
            return
        arrival = hand.arrival
        assert arrival is not None and hand.scratch == before
        assert self.source.read(CAME) == loaded.carried.content
        # Nothing is lost: what came is kept, or was returned on purpose.
        assert told.kept + arrival.returned.bytes == told.offered
        free = self.twin.kernel.allocator.free()
        assert not any(arrival.kept.touches(item) for item in free)

    @invariant()
    def what_is_shown_is_what_is_preserved(self) -> None:
        seen, hand = observe(self.source), inline(self.twin)
        active = hand.tree is not None
        assert seen.state is (State.FINALIZED if active else State.OPEN)
        assert self.source.exists(DT) is active
        found = seen.inventory.preserved
        if not active:
            assert isinstance(found, Unknown)
            return
        assert isinstance(found, PreservedMap)
        assert tuple(found.ranges) == tuple(self.twin.preserved())
        assert not without(tuple(found.ranges), self.twin.hardware.ram)


AnySequence.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAnySequence = AnySequence.TestCase
