"""Any sequence of steps, on any release: what must hold holds."""

import errno
from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kho_console.engine.observe import observe
from kho_console.model.change import Execute, Execution, KexecImage, Load, Unload, Write
from kho_console.model.generation import State
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import SourceError
from kho_console.twin import Twin, TwinSource
from kho_console.twin.memfd import MemoryFile
from kho_console.twin.refused import Refused
from tests.twin.scenes import FINALIZE, PID, preserved
from tests.twin.test_crossings import EXPECTED, LINE, RELEASES, running

PAGE = 4096
FRAMES = st.integers(0x2000, 0x7F000)


class AnySequence(RuleBasedStateMachine):
    """Preserving, finalizing, aborting, loading, executing, sessions, in any order."""

    twin: Twin
    source: TwinSource

    @initialize(release=st.sampled_from(RELEASES))
    def boot(self, release: str) -> None:
        self.twin = running(release)
        self.source = TwinSource(self.twin)
        self.mine: list[MemoryRange] = []
        self.tokens = 0

    def alive(self) -> bool:
        return self.twin.dead is None

    @precondition(lambda self: not self.alive())
    @rule(release=st.sampled_from(RELEASES))
    def power_cycle(self, release: str) -> None:
        self.boot(release)

    @precondition(alive)
    @rule(frame=FRAMES, pages=st.integers(1, 5000))
    def preserve(self, frame: int, pages: int) -> None:
        hand = self.twin.kernel.handover
        wanted = MemoryRange(frame * PAGE, pages * PAGE)
        if hand is None or any(item.overlaps(wanted) for item in preserved(self.twin)):
            return
        before = preserved(self.twin)
        try:
            hand.preserver.range(wanted)
        except Refused as refusal:
            in_scratch = any(area.size and area.overlaps(wanted) for area in hand.scratch)
            closed = hand.row.reversible and hand.finalized
            assert (refusal.errno == errno.EBUSY) == closed
            assert closed or in_scratch
            assert preserved(self.twin) == before
        else:
            self.mine.append(wanted)
            added = sum(item.size for item in preserved(self.twin)) - sum(
                item.size for item in before
            )
            assert added == wanted.size

    @precondition(lambda self: self.alive() and self.twin.kernel.handover)
    @rule(index=st.integers(0, 3), offset=st.integers(-3, 4))
    def preserve_over_scratch(self, index: int, offset: int) -> None:
        hand = self.twin.kernel.handover
        assert hand is not None
        area = hand.scratch[index]
        wanted = MemoryRange(area.start + offset * PAGE, 4 * PAGE)
        if any(item.overlaps(wanted) for item in preserved(self.twin)):
            return
        try:
            hand.preserver.range(wanted)
        except Refused as refusal:
            assert refusal.errno in (errno.EINVAL, errno.EBUSY)
        else:
            assert not any(item.size and item.overlaps(wanted) for item in hand.scratch)
            hand.preserver.forget(wanted)

    @precondition(lambda self: self.alive() and self.mine)
    @rule(which=st.integers(0, 99))
    def unpreserve(self, which: int) -> None:
        hand = self.twin.kernel.handover
        assert hand is not None
        wanted = self.mine[which % len(self.mine)]
        with suppress(Refused):
            hand.preserver.forget(wanted)
            self.mine.remove(wanted)

    def has_finalize(self) -> bool:
        return self.alive() and self.source.exists(FINALIZE) is True

    @precondition(has_finalize)
    @rule(value=st.sampled_from([b"1", b"0", b"0x0\n", b"x"]))
    def write(self, value: bytes) -> None:
        hand = self.twin.kernel.handover
        before = hand.finalized if hand else False
        try:
            self.source.change(Write(FINALIZE, value))
        except SourceError as error:
            assert error.errno in (errno.ENOENT, errno.EEXIST, errno.EINVAL)
            assert hand is None or hand.finalized == before
            return
        assert hand is not None and not hand.row.stateless
        assert hand.finalized == (value == b"1")
        if not hand.finalized:
            # Abort forgets all, what was preserved before finalize too.
            assert before and hand.row.reversible
            assert preserved(self.twin) == ()
            assert self.source.list("/sys/kernel/debug/kho/out/sub_fdts") == ()
            self.mine.clear()

    def staging(self) -> bool:
        return self.alive() and self.twin.kernel.outgoing is not None

    @precondition(staging)
    @rule(size=st.integers(0, 50_000))
    def stage(self, size: int) -> None:
        self.tokens += 1
        name = b"s%d" % (self.tokens % 3)
        with suppress(Refused):
            self.twin.user.create_session(PID, name)
        self.twin.user.preserve(name, self.tokens, MemoryFile(size))

    @precondition(lambda self: self.staging() and self.twin.user.held)
    @rule()
    def unstage(self) -> None:
        name, incoming = min(self.twin.user.held)
        assert not incoming
        self.twin.user.close_session(name)

    @precondition(alive)
    @rule(release=st.sampled_from(RELEASES))
    def load(self, release: str) -> None:
        hand = self.twin.kernel.handover
        self.source.change(Load(KexecImage(f"twin:{release}", None, LINE)))
        loaded = self.twin.kernel.loaded
        assert loaded is not None
        scratch = hand.scratch if hand else self.twin.hardware.ram
        for segment in loaded.segments:
            assert any(area.contains(segment) for area in scratch)

    def armed(self) -> bool:
        return self.alive() and self.twin.kernel.loaded is not None

    @precondition(armed)
    @rule()
    def unload(self) -> None:
        self.source.change(Unload())

    @precondition(alive)
    @rule(release=st.one_of(st.none(), st.sampled_from(RELEASES)))
    def hand_over(self, release: str | None) -> None:
        """All that a handover takes, in its order."""
        with suppress(SourceError):
            self.source.change(Write(FINALIZE, b"1"))
        self.load(release or self.twin.kernel.row.name)
        self.execute()

    @precondition(has_finalize)
    @rule()
    def finalize_and_abort(self) -> None:
        for value in (b"1", b"0"):
            self.write(value)

    @precondition(armed)
    @rule()
    def execute(self) -> None:
        kernel = self.twin.kernel
        assert kernel.loaded is not None
        carried = kernel.loaded.carried
        current = kernel.handover is not None and (
            kernel.handover.finalized or kernel.row.stateless or kernel.outgoing is not None
        )
        source, boot = kernel.row.name, self.source.kernel_start
        staged = set(kernel.outgoing.sessions) if kernel.outgoing else set()
        self.source.change(Execute(Execution.SYSTEM_CALL))
        self.mine.clear()
        assert self.twin.outcome is not None
        expected = EXPECTED[source, self.twin.outcome.release]
        if not self.alive():
            assert carried is not None and (expected in "MP" or not current)
            return
        assert self.source.kernel_start != boot
        if carried is None or expected in "R-":
            assert not self.twin.outcome.adopted
        elif current and expected == "A":
            # Nothing is lost across a compatible handover.
            assert self.twin.outcome.kept == self.twin.outcome.offered
            came, free = self.twin.kernel.came, self.twin.kernel.allocator.free()
            given_away = sum(came.touches(item) for item in free)
            # 7.2 and later free the page of the incoming live-update header.
            assert given_away <= self.twin.kernel.row.luo_struct
            incoming = self.twin.kernel.incoming
            if incoming is not None:
                self.twin.user.open_device(PID)
                assert incoming.sessions is not None
                assert set(incoming.sessions) == staged

    @invariant()
    def no_preserved_byte_lies_in_scratch(self) -> None:
        hand = self.twin.kernel.handover
        if hand is not None:
            for item in preserved(self.twin):
                assert not any(area.size and area.overlaps(item) for area in hand.scratch)

    @invariant()
    def what_is_read_back_is_what_the_kernel_keeps(self) -> None:
        hand = self.twin.kernel.handover
        if not self.alive() or hand is None or hand.row.map is None:
            return
        seen = observe(self.source)
        found = seen.inventory.preserved
        shown = seen.state in (State.FINALIZED, State.STATELESS)
        tree_shown = self.source.exists("/sys/kernel/debug/kho/out/fdt") is True
        if not shown or not tree_shown:
            assert isinstance(found, Unknown)
            return
        assert isinstance(found, PreservedMap), found
        if hand.row.stateless or hand.row.reversible:
            assert tuple(found.ranges) == preserved(self.twin)


AnySequence.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAnySequence = AnySequence.TestCase
