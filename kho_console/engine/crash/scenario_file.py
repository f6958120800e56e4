"""Scenario files of `crash simulate`: TOML, checked key by key."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from kho_console.engine.crash import scenario_values as values
from kho_console.engine.crash.scenario import (
    Scenario,
    ScenarioImage,
    ScenarioMachine,
    ScenarioStep,
)
from kho_console.engine.crash.scenario_table import ScenarioError, Table, lines_of
from kho_console.model.crash_simulation import Deed, Design, Fault
from kho_console.model.memory import MemoryRange, merged, without

LARGEST = 1 << 18
"""Bytes that a scenario file may have."""

_ARCHITECTURES = ("x86_64", "ppc64le", "aarch64", "riscv64", "s390x")
_LONGEST_LINE = 1 << 10
"""Bytes of a line: a key of many parts takes time with the square of their number."""

_MOST_STEPS = 1_000
_MOST_EVENTS = 4_096
_MOST_DIGESTED = 4 << 30
"""Bytes of the image times the steps, at each of which its digest is looked at."""

_MOST_CPUS = 8_192
_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")
_WHOLE_KEYS = ("name", "about", "machine", "image", "rfc2021", "step")
_MACHINE_KEYS = ("architecture", "possible", "present", "ram", "region", "block")
_IMAGE_KEYS = ("mode", "hotplug", "elfcorehdr", "purgatory", "parameters", "kernel", "initrd")
_DESIGN_KEYS = ("caller-locks",)
_PLUG_KEYS = ("do", "memory", "count", "every", "cpu")
_SWITCH_KEYS = (*_PLUG_KEYS, "faults", "during")
_STEP_KEYS = {
    **{deed.value: ("do",) for deed in Deed},
    **dict.fromkeys((Deed.ADD.value, Deed.REMOVE.value), _PLUG_KEYS),
    **dict.fromkeys((Deed.ONLINE.value, Deed.OFFLINE.value), _SWITCH_KEYS),
}
_EMPTY: dict[str, Any] = {}
_NO_FAULT: frozenset[Fault] = frozenset()
_NOWHERE: tuple[tuple[Design, int], ...] = ()


def parse(data: bytes, name: str) -> Scenario:
    """The scenario of a file.

    Args:
        data: Its content.
        name: What the scenario is called where it has no name of its own.

    Raises:
        ScenarioError: It is no scenario.
    """
    if len(data) > LARGEST:
        raise ScenarioError(None, f"it is longer than {LARGEST} bytes")
    for number, content in enumerate(data.split(b"\n"), 1):
        if len(content) > _LONGEST_LINE:
            raise ScenarioError(number, f"it is longer than {_LONGEST_LINE} bytes")
    try:
        text = data.decode("utf-8")
        found = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError(line, "it is no UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        words = _PLACE.sub("", str(error)).removesuffix(" (at end of document)")
        raise ScenarioError(int(place[1]) if place else None, f"no TOML: {words}") from error
    except RecursionError as error:
        raise ScenarioError(None, "tables or lists lie too deep in each other") from error
    except ValueError as error:
        raise ScenarioError(None, "a number has too many digits") from error
    return _scenario(found, lines_of(text), name)


def _scenario(found: dict[str, Any], lines: Mapping[tuple[str, str], int], name: str) -> Scenario:
    whole = Table(found, "", lines, _WHOLE_KEYS)
    name = whole.take("name", values.words, name)
    about = whole.take("about", values.words, " ")

    def section(key: str, keys: tuple[str, ...], default: dict[str, Any] | None = None) -> Table:
        return Table(whole.take(key, values.table(key), default), key, lines, keys)

    machine = _machine(section("machine", _MACHINE_KEYS))
    image = _image(section("image", _IMAGE_KEYS, _EMPTY))
    locks = section("rfc2021", _DESIGN_KEYS, _EMPTY).take("caller-locks", values.flag, True)
    steps = _steps(whole.take("step", values.tables), machine, lines)
    if len(steps) * image.size > _MOST_DIGESTED:
        raise ScenarioError(
            lines.get(("image", "")),
            f"{len(steps)} steps with an image of {image.size} bytes are too many",
        )
    return Scenario(name, about.strip(), machine, image, locks, steps)


def _machine(table: Table) -> ScenarioMachine:
    possible = table.take("possible", values.number(1, _MOST_CPUS), 2)
    block = table.take("block", values.size, 128 << 20)
    if block % values.PAGE or not block:
        table.wrong("block", "a memory block is whole pages")
    ram = table.take("ram", values.memories)
    if sum(item.size for item in ram) != sum(item.size for item in merged(list(ram))):
        table.wrong("ram", "ranges overlap")
    region = table.take("region", values.memory)
    if not any(item.contains(region) for item in ram):
        table.wrong("region", "it lies in no range of ram")
    machine = ScenarioMachine(
        architecture=table.take("architecture", values.one_of(_ARCHITECTURES), "x86_64"),
        possible=possible,
        present=table.take("present", values.number(1, possible), possible),
        ram=tuple(sorted(ram)),
        region=region,
        block_size=block,
    )
    if not without(machine.ram, (MemoryRange(0, 1 << 20), region)):
        table.wrong("ram", "besides the crash region there is no memory above 1 MiB")
    return machine


def _image(table: Table) -> ScenarioImage:
    image = ScenarioImage(
        file_mode=table.take("mode", values.one_of(("file", "load")), "file") == "file",
        hotplug=table.take("hotplug", values.flag, True),
        header_room=table.take("elfcorehdr", values.part, 0x71000),
        purgatory=table.take("purgatory", values.part, 16 << 10),
        parameters=table.take("parameters", values.part, 16 << 10),
        kernel=table.take("kernel", values.part, 256 << 10),
        initrd=table.take("initrd", values.size, 128 << 10),
    )
    if image.initrd > values.LARGEST_PART:
        table.wrong("initrd", f"more than {values.LARGEST_PART} bytes")
    return image


def _steps(
    found: list[dict[str, Any]], machine: ScenarioMachine, lines: Mapping[tuple[str, str], int]
) -> tuple[ScenarioStep, ...]:
    if len(found) > _MOST_STEPS:
        raise ScenarioError(None, f"more than {_MOST_STEPS} steps")
    steps: list[ScenarioStep] = []
    for number, item in enumerate(found):
        keys = _STEP_KEYS.get(str(item.get("do")), _SWITCH_KEYS)
        table = Table(item, f"step#{number}", lines, keys)
        if steps and (steps[-1].deed is Deed.PANIC or steps[-1].during):
            raise ScenarioError(table.line(), "nothing happens after the panic")
        steps.append(_step(table, machine))
    if sum(len(step.memory) for step in steps) > values.MOST_PIECES:
        raise ScenarioError(None, f"more than {values.MOST_PIECES} pieces of memory")
    if sum(_events(step, machine) for step in steps) > _MOST_EVENTS:
        raise ScenarioError(None, f"more than {_MOST_EVENTS} CPUs and memory blocks that switch")
    return tuple(steps)


def _events(step: ScenarioStep, machine: ScenarioMachine) -> int:
    if step.deed not in (Deed.ONLINE, Deed.OFFLINE):
        return 0
    blocks = sum(item.size // machine.block_size for item in step.memory)
    return blocks + (step.cpu is not None)


def _step(table: Table, machine: ScenarioMachine) -> ScenarioStep:
    deed = Deed(table.take("do", values.one_of(tuple(item.value for item in Deed))))
    memory: tuple[MemoryRange, ...] = ()
    cpu: int | None = None
    if "cpu" in _STEP_KEYS[deed]:
        if table.has("memory") == table.has("cpu"):
            raise ScenarioError(table.line(), f"{deed} is done to memory or to a cpu")
        if table.has("cpu"):
            for key in filter(table.has, ("count", "every")):
                table.wrong(key, "it goes with memory, not with a cpu")
            cpu = table.take("cpu", values.number(0, _MOST_CPUS))
        else:
            memory = _pieces(table, machine)
    answered = deed in (Deed.ONLINE, Deed.OFFLINE)
    faults = table.take("faults", values.faults, _NO_FAULT) if answered else _NO_FAULT
    during = table.take("during", values.during, _NOWHERE) if answered else _NOWHERE
    return ScenarioStep(deed, memory, cpu, faults, during, table.line() or 0)


def _pieces(table: Table, machine: ScenarioMachine) -> tuple[MemoryRange, ...]:
    first = table.take("memory", values.memory)
    count = table.take("count", values.number(1, values.MOST_PIECES), 1)
    every = table.take("every", values.size, first.size)
    if every < first.size:
        table.wrong("every", "the pieces would overlap")
    if first.start + count * every > values.ADDRESSES:
        table.wrong("count", "it goes beyond all addresses")
    if count * first.size // machine.block_size > values.MOST_PIECES:
        table.wrong("memory", f"more than {values.MOST_PIECES} memory blocks")
    return tuple(MemoryRange(first.start + at * every, first.size) for at in range(count))
