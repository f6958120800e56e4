"""A scenario under both designs, step by step."""

from collections.abc import Callable, Iterable, Iterator

from kho_console.abi.elfcorehdr_size import architecture
from kho_console.engine.crash.scenario import Scenario, ScenarioStep
from kho_console.engine.crash.scenario_table import ScenarioError
from kho_console.model.crash import CoreLoad, LoadKind
from kho_console.model.crash_simulation import (
    Answer,
    CrashSimulation,
    Deed,
    Design,
    ImageState,
    Moment,
    SimulatedStep,
)
from kho_console.model.memory import MemoryRange
from kho_console.twin.crash.image import Part
from kho_console.twin.crash.kernel import CrashKernel
from kho_console.twin.crash.layout import POWERPC, X86, Layout
from kho_console.twin.crash.loading import NoRoom, Wanted
from kho_console.twin.crash.machine import CrashMachine, Event, Impossible
from kho_console.twin.crash.mainline import Mainline
from kho_console.twin.crash.procedure import Procedure
from kho_console.twin.crash.rfc2021 import Rfc2021
from kho_console.twin.memory import NoMemory, SimulatedMemory

_NOTE = 368
_NOTE_STRIDE = 1024
_VMCOREINFO = 4132
_TEXT = 16 << 20
_PAGE_OFFSET = {X86: 0xFFFF888000000000, POWERPC: 0xC000000000000000}
_OTHER_PAGE_OFFSET = 0xFFFF000000000000
_TEXT_AT = 0xFFFFFFFF81000000


class StoppedError(Exception):
    """Nobody waits for the simulation any more."""


def simulate(scenario: Scenario, *, stopped: Callable[[], bool] = lambda: False) -> CrashSimulation:
    """Run a scenario.

    Args:
        scenario: What happens.
        stopped: Asked at each event whether to end.

    Raises:
        ScenarioError: It wants what no machine can do, with the line of the step.
        StoppedError: It was stopped.
    """
    return CrashSimulation(
        name=scenario.name,
        about=scenario.about,
        architecture=scenario.machine.architecture,
        region=scenario.machine.region,
        possible=scenario.machine.possible,
        steps=tuple(_Run(scenario, stopped).steps()),
    )


class _Run:
    """One machine with two kernels beside each other."""

    def __init__(self, scenario: Scenario, stopped: Callable[[], bool]) -> None:
        self._scenario = scenario
        self._stopped = stopped
        told = scenario.machine
        self._machine = machine = machine_of(scenario)

        def memory() -> SimulatedMemory:
            return SimulatedMemory(NoMemory(), 4096)

        self._kernels: dict[Design, CrashKernel] = {
            Design.RFC_2021: Rfc2021(
                machine, memory(), told.region, caller_locks=scenario.caller_locks
            ),
            Design.MAINLINE: Mainline(machine, memory(), told.region),
        }
        image = scenario.image
        sizes = {
            Part.PURGATORY: image.purgatory,
            Part.PARAMETERS: image.parameters,
            Part.KERNEL: image.kernel,
            Part.INITRD: image.initrd,
        }
        promised = image.file_mode or image.hotplug
        kind = architecture(told.architecture)
        updatable = promised and kind is not None and kind.updates
        self._wanted = Wanted(image.file_mode, updatable, sizes, image.header_room)

    def steps(self) -> Iterator[SimulatedStep]:
        number = 0
        step = None
        for number, step in enumerate(self._scenario.steps, 1):
            yield self._step(number, step)
        if step is None or step.deed is not Deed.PANIC:
            yield self._step(number + 1, ScenarioStep(Deed.PANIC))

    def _step(self, number: int, step: ScenarioStep) -> SimulatedStep:
        try:
            rfc2021, mainline = self._moments(step)
        except Impossible as error:
            raise ScenarioError(step.line, f"{step.deed}: {error}") from error
        except NoRoom as error:
            raise ScenarioError(step.line, f"the image does not fit its region: {error}") from error
        return SimulatedStep(
            number,
            step.deed,
            words_of(step),
            self._machine.ram,
            self._machine.memory_online,
            rfc2021,
            mainline,
        )

    def _check(self) -> None:
        if self._stopped():
            raise StoppedError

    def _moments(self, step: ScenarioStep) -> Iterator[Moment]:
        self._check()
        if step.deed in (Deed.ONLINE, Deed.OFFLINE):
            return iter(self._answered(step))
        answer = self._done(step)
        return (_moment(design, kernel, answer, []) for design, kernel in self._kernels.items())

    def _done(self, step: ScenarioStep) -> Answer:
        """What the kernels do by themselves, or are not told of."""
        deed, kernels = step.deed, self._kernels.values()
        loading = any(kernel.loading is not None for kernel in kernels)
        if loading and deed in (Deed.LOAD, Deed.BEGIN_LOAD, Deed.UNLOAD):
            raise Impossible("a load has begun and not ended")
        if deed is Deed.END_LOAD and not loading:
            raise Impossible("no load has begun")
        for kernel in kernels:
            if deed in (Deed.LOAD, Deed.BEGIN_LOAD):
                kernel.begin_load(self._wanted)
            if deed in (Deed.LOAD, Deed.END_LOAD):
                kernel.end_load()
            if deed is Deed.UNLOAD:
                kernel.unload()
        if deed in (Deed.ADD, Deed.REMOVE):
            self._plug(step)
        return _DONE.get(deed, Answer.NOTHING)

    def _plug(self, step: ScenarioStep) -> None:
        machine, add = self._machine, step.deed is Deed.ADD
        if step.cpu is not None:
            machine.plug_cpu(step.cpu, add=add)
        for piece in step.memory:
            (machine.add_memory if add else machine.remove_memory)(piece)

    def _answered(self, step: ScenarioStep) -> list[Moment]:
        """Each event goes to both kernels; the first panic stops its kernel for good."""
        during = dict(step.during)
        runs: dict[Design, list[tuple[Procedure, Answer]]] = {design: [] for design in Design}
        for event in self._events(step):
            self._check()
            for design, kernel in self._kernels.items():
                past = runs[design]
                if past and past[-1][1] is Answer.INTERRUPTED:
                    continue
                run = kernel.procedure(step.faults, during.get(design))
                past.append((run, kernel.answer(event, run)))
        return [
            _moment(design, kernel, _worst(runs[design])[1], runs[design])
            for design, kernel in self._kernels.items()
        ]

    def _events(self, step: ScenarioStep) -> Iterable[Event]:
        on = step.deed is Deed.ONLINE
        if step.cpu is not None:
            yield self._machine.switch_cpu(step.cpu, on=on)
        for piece in step.memory:
            yield from self._machine.switch_memory(piece, on=on)


_DONE = {
    Deed.LOAD: Answer.LOADED,
    Deed.BEGIN_LOAD: Answer.LOADING,
    Deed.END_LOAD: Answer.LOADED,
    Deed.UNLOAD: Answer.UNLOADED,
}


_BADNESS = (
    Answer.INTERRUPTED,
    Answer.HANG,
    Answer.DISARMED,
    Answer.DROPPED,
    Answer.NOT_PREPARED,
    Answer.TOO_SMALL,
    Answer.NOT_UPDATABLE,
    Answer.UPDATED,
    Answer.NOTHING,
)
"""What can become of an event, the worst first."""


def _worst(runs: list[tuple[Procedure, Answer]]) -> tuple[Procedure, Answer]:
    """The event of a step that is told: the first of those that ended worst."""
    return min(runs, key=lambda run: _BADNESS.index(run[1]))


def machine_of(scenario: Scenario) -> CrashMachine:
    """The machine of a scenario; where its kernel keeps notes and text is made up."""
    told = scenario.machine
    page_offset = _PAGE_OFFSET.get(told.architecture, _OTHER_PAGE_OFFSET)
    bare = Layout(told.architecture, MemoryRange(0, 0), None, page_offset, (told.region,))
    home = max(bare.ranges(told.ram), key=lambda item: item.size)
    text = MemoryRange(home.start, min(_TEXT, home.size))
    kind = architecture(told.architecture)
    with_text = kind is not None and kind.text
    layout = Layout(
        told.architecture,
        MemoryRange(home.start, _VMCOREINFO),
        CoreLoad(text, _TEXT_AT, LoadKind.TEXT) if with_text else None,
        page_offset,
        (told.region,),
    )
    notes = tuple(
        MemoryRange(home.start + 2 * _VMCOREINFO + at * _NOTE_STRIDE, _NOTE)
        for at in range(told.possible)
    )
    present = tuple(range(told.present))
    return CrashMachine(layout, told.ram, notes, present, told.block_size)


def words_of(step: ScenarioStep) -> str:
    """A step in words."""
    if step.cpu is not None:
        return f"{step.deed} CPU {step.cpu}"
    if not step.memory:
        return _WORDS[step.deed]
    first = step.memory[0]
    place = f"0x{first.start:014_x}-0x{first.end - 1:014_x}"
    more = f" and {len(step.memory) - 1} like it" if len(step.memory) > 1 else ""
    return f"{step.deed} memory {place}{more}"


_WORDS = {
    Deed.LOAD: "load the crash image",
    Deed.BEGIN_LOAD: "begin to load the crash image",
    Deed.END_LOAD: "the load ends",
    Deed.UNLOAD: "unload the crash image",
    Deed.PANIC: "panic",
}


def _moment(
    design: Design,
    kernel: CrashKernel,
    answer: Answer,
    runs: list[tuple[Procedure, Answer]],
) -> Moment:
    messages = dict.fromkeys(message for run, _ in runs for message in run.messages)
    return Moment(
        design=design,
        answer=answer,
        state=kernel.state,
        messages=tuple(messages),
        procedure=tuple(_worst(runs)[0].ran) if runs else (),
        answers=tuple(answer for _, answer in runs),
        hashed=sum(run.hashed for run, _ in runs),
        written=sum(run.written for run, _ in runs),
        verified=kernel.verified if kernel.state is not ImageState.NONE else None,
        dump=kernel.dump(),
    )
