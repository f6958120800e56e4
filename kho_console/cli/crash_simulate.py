"""The verb `crash simulate`: a scenario of crash hotplug under two designs, side by side."""

from argparse import Namespace
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from textwrap import wrap

from kho_console import text, text_simulation
from kho_console.cli import exit_code, output
from kho_console.documents import crash_simulation as documents
from kho_console.engine.crash.scenario_table import ScenarioError
from kho_console.engine.crash.scenarios import CannotReadError, content, scenario, shipped
from kho_console.engine.crash.simulation import simulate
from kho_console.model.crash_simulation import (
    CrashSimulation,
    Deed,
    Dump,
    DumpEnd,
    ImageState,
    Moment,
)
from kho_console.model.memory import MemoryRange

_COLUMN = 38
_WIDTH = 2 * _COLUMN + 2
_MOST_RANGES = 4


def crash_simulate(wanted: Namespace) -> int:
    """Run a scenario, or show its file; without one, name those that are shipped."""
    if wanted.source or wanted.twin or wanted.rehearse:
        output.say("crash simulate opens no machine: leave --source, --twin and --rehearse out")
        return exit_code.USAGE
    if wanted.scenario is None and not wanted.show:
        rows = ((name, scenario(name).about) for name in shipped())
        for name, about in rows:
            output.line(name)
            for words in wrap(text.harmless(about), _WIDTH - 2):
                output.line(f"  {words}")
        return exit_code.DONE
    try:
        if wanted.show:
            for line in content(wanted.show).decode(errors="replace").splitlines():
                output.line(line.expandtabs())
            return exit_code.DONE
        found = simulate(scenario(wanted.scenario))
    except ScenarioError as error:
        output.say(f"{text.escaped(wanted.scenario)}: {error}")
        return exit_code.USAGE
    except CannotReadError as error:
        names = ", ".join(shipped())
        output.say(f"{text.escaped(str(error))}; scenarios that are shipped: {names}")
        return exit_code.NOT_AVAILABLE
    if wanted.json:
        output.document(documents.crash_simulation(found))
    else:
        _print(found)
    return exit_code.DONE


def _print(found: CrashSimulation) -> None:
    output.line(text.escaped(found.name))
    for words in wrap(found.about, _WIDTH):
        output.line(words)
    for step in found.steps:
        output.line()
        output.line(f"step {step.number}: {step.words}")
        if step.deed is Deed.PANIC:
            continue
        if step.number == 1:
            _beside(["the design of 2021"], ["mainline"])
        left, right = map(_moment, step.moments)
        _beside(left, right)
    output.line()
    output.line("the dump would contain")
    left, right = (_contents(moment.dump, found.possible) for moment in found.end.moments)
    _beside(left, right)
    states = {moment.state for step in found.steps for moment in step.moments}
    output.line()
    for state, meaning in text_simulation.MEANINGS.items():
        if state in states:
            output.line(f"({state.letter}) {state}: {meaning}")


def _beside(left: Iterable[str], right: Iterable[str]) -> None:
    columns = (
        [part for line in lines for part in wrap(line, _COLUMN - 2, subsequent_indent="  ")]
        for lines in (left, right)
    )
    for one, other in zip_longest(*columns, fillvalue=""):
        output.line(f"  {one.ljust(_COLUMN)}{other}".rstrip())


def _moment(moment: Moment) -> Iterator[str]:
    yield text_simulation.answered(moment)
    if moment.written:
        yield text_simulation.cost(moment)
    if moment.state is not ImageState.NONE:
        letter = f" ({moment.state.letter})" if moment.state.letter else ""
        yield f"image: {moment.state}{letter}"
    yield from text_simulation.failures(moment)
    yield from moment.messages
    yield f"a panic now: {_end(moment.dump)}"


def _end(dump: Dump) -> str:
    faults = [
        words
        for words in (
            _faulty("misses", dump.missing),
            _faulty("describes", dump.stale, " that is gone"),
            f"lacks notes of {text.count(len(dump.without), 'CPU')}" if dump.without else "",
        )
        if words
    ]
    if dump.end is not DumpEnd.DUMP:
        return f"{dump.end}, {dump.why}"
    return "complete dump" if dump.complete else f"dump that {', '.join(faults)}"


def _faulty(what: str, ranges: tuple[MemoryRange, ...], behind: str = "") -> str:
    return f"{what} {text.size(text.total(ranges))}{behind}" if ranges else ""


def _contents(dump: Dump, possible: int) -> Iterator[str]:
    if dump.end is not DumpEnd.DUMP:
        yield f"nothing: {dump.end}"
        yield dump.why
        return
    yield dump.why
    yield text_simulation.notes(dump, possible)
    for name, ranges in (
        ("described", dump.described),
        ("missing", dump.missing),
        ("stale", dump.stale),
    ):
        if ranges:
            yield f"{name} {text.exact(text.total(ranges))}"
            yield from (
                f"  {text.address(item.start)} {text.size(item.size)}"
                for item in ranges[:_MOST_RANGES]
            )
            if len(ranges) > _MOST_RANGES:
                yield f"  and {len(ranges) - _MOST_RANGES:,} more"
