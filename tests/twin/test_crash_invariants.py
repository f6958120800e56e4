"""Whatever happens, in whatever order: what both designs never do."""

from itertools import zip_longest

from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.engine.crash.scenario import (
    Scenario,
    ScenarioImage,
    ScenarioMachine,
    ScenarioStep,
)
from kho_console.engine.crash.scenario_table import ScenarioError
from kho_console.engine.crash.simulation import simulate
from kho_console.model.crash_simulation import (
    Answer,
    Deed,
    Design,
    DumpEnd,
    Fault,
    ImageState,
    SimulatedStep,
)
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.twin.crash.layout import POWERPC, X86

MIB = 1 << 20
BLOCK = 128 * MIB
REGION = MemoryRange(256 * MIB, 64 * MIB)
RAM = (MemoryRange(MIB, 511 * MIB),)
DIMMS = tuple(MemoryRange((32 + 2 * at) * BLOCK, BLOCK) for at in range(3))
SWITCHED = (Deed.ONLINE, Deed.OFFLINE)

image = st.builds(
    ScenarioImage,
    file_mode=st.booleans(),
    hotplug=st.booleans(),
    header_room=st.sampled_from([4096, 8192]),
    purgatory=st.just(4096),
    parameters=st.just(4096),
    kernel=st.just(8192),
    initrd=st.sampled_from([0, 4096]),
)
faults = st.frozensets(st.sampled_from(list(Fault)), max_size=2)
on_memory = st.builds(
    lambda deed, dimm, wrong: ScenarioStep(
        deed, (dimm,), faults=wrong if deed in SWITCHED else frozenset()
    ),
    st.sampled_from([Deed.ADD, Deed.ONLINE, Deed.OFFLINE, Deed.REMOVE]),
    st.sampled_from(DIMMS),
    faults,
)
on_cpu = st.builds(
    lambda deed, cpu, wrong: ScenarioStep(
        deed, cpu=cpu, faults=wrong if deed in SWITCHED else frozenset()
    ),
    st.sampled_from([Deed.ADD, Deed.ONLINE, Deed.OFFLINE, Deed.REMOVE]),
    st.integers(0, 3),
    faults,
)
on_image = st.sampled_from([Deed.LOAD, Deed.BEGIN_LOAD, Deed.END_LOAD, Deed.UNLOAD]).map(
    ScenarioStep
)
stopped = st.builds(
    lambda dimm, old, new: ScenarioStep(
        Deed.ONLINE, (dimm,), during=((Design.RFC_2021, old), (Design.MAINLINE, new))
    ),
    st.sampled_from(DIMMS),
    st.integers(1, 16),
    st.integers(1, 12),
)


def possible(scenario: Scenario, steps: list[ScenarioStep]) -> Scenario:
    """The scenario with those of the steps that a machine can do."""
    kept: tuple[ScenarioStep, ...] = ()
    found = scenario
    for step in steps:
        longer = Scenario(
            scenario.name,
            scenario.about,
            scenario.machine,
            scenario.image,
            scenario.caller_locks,
            (*kept, step),
        )
        try:
            simulate(longer)
        except ScenarioError:
            continue
        kept, found = longer.steps, longer
    return found


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    architecture = draw(st.sampled_from(["x86_64", "x86_64", "ppc64le", "aarch64"]))
    machine = ScenarioMachine(architecture, 4, draw(st.integers(1, 4)), RAM, REGION, BLOCK)
    first = ScenarioStep(Deed.LOAD)
    bare = Scenario("test", "", machine, draw(image), draw(st.booleans()), (first,))
    steps = draw(st.lists(on_memory | on_memory | on_cpu | on_image, max_size=12))
    return possible(bare, [first, *steps, draw(stopped)])


@settings(deadline=None, max_examples=60)
@given(scenarios())
def test_what_never_happens(scenario: Scenario) -> None:
    found = simulate(scenario)
    looked_at = scenario.machine.architecture == X86 or not scenario.image.file_mode
    for step in found.steps:
        check_digests(step, True if looked_at else None)
    check_described(scenario, found.steps)
    check_mainline(found.steps)


def check_digests(step: SimulatedStep, right: bool | None) -> None:
    """What is called valid verifies where somebody looks, and what hangs does not."""
    for moment in step.moments:
        if moment.state in (ImageState.VALID, ImageState.UNTOUCHED):
            assert moment.verified is right
        if moment.dump.end is DumpEnd.DUMP:
            assert moment.verified is right
        if moment.state is ImageState.HANG:
            assert moment.verified is False


def check_described(scenario: Scenario, steps: tuple[SimulatedStep, ...]) -> None:
    """Written, a header describes the memory of that moment, and else what it did before."""
    before: dict[Design, tuple[MemoryRange, ...]] = dict.fromkeys(Design, ())
    loading: tuple[MemoryRange, ...] = ()
    for asked, step in zip_longest(scenario.steps, steps):
        cut = asked.memory if asked and asked.deed is Deed.OFFLINE else ()
        powerpc = scenario.machine.architecture == POWERPC
        now = without(merged(list(step.ram)), (REGION,))
        updated = without(now, cut) if powerpc else now
        loading = now if step.deed is Deed.BEGIN_LOAD else loading
        unwritten = asked is not None and Fault.MAP_HEADER in asked.faults
        for moment in step.moments:
            old = before[moment.design]
            written: dict[Answer, set[tuple[MemoryRange, ...]]] = {
                Answer.LOADED: {loading if step.deed is Deed.END_LOAD else now},
                Answer.LOADING: {()},
                Answer.UNLOADED: {()},
                Answer.UPDATED: {updated},
                Answer.DISARMED: {old if unwritten else updated},
                Answer.INTERRUPTED: {old, updated},
            }
            before[moment.design] = moment.dump.described
            assert moment.dump.described in written.get(moment.answer, {old})
            seen = merged([*moment.dump.described, REGION])
            assert moment.dump.missing == without(step.online, seen)


def check_mainline(steps: tuple[SimulatedStep, ...]) -> None:
    """Armed from a load until an unload, whatever goes wrong between; a panic alone stops it."""
    loaded = ImageState.NONE
    for step in steps:
        loaded = _IMAGE.get(step.deed, loaded)
        moment = step.mainline
        if moment.answer is Answer.INTERRUPTED:
            return
        assert moment.state is loaded
        assert (moment.dump.end is DumpEnd.DUMP) == (loaded is ImageState.VALID)


_IMAGE = {
    Deed.LOAD: ImageState.VALID,
    Deed.BEGIN_LOAD: ImageState.LOADING,
    Deed.END_LOAD: ImageState.VALID,
    Deed.UNLOAD: ImageState.NONE,
}
