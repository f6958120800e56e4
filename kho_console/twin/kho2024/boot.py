"""Booting a kernel of the series of 2024."""

from kho_console.abi import command_line, runs
from kho_console.abi.command_line import CommandLine
from kho_console.abi.scratch_request import Malformed, ScratchSize
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.twin import crash_region, scratch, showing
from kho_console.twin.allocator import Allocator
from kho_console.twin.arrival import NotTaken
from kho_console.twin.boot_parameters import Start
from kho_console.twin.files import Window
from kho_console.twin.hardware import Hardware
from kho_console.twin.kernel import Kernel
from kho_console.twin.kho2024 import arrival as arrivals
from kho_console.twin.kho2024.arrival import Arrival2024
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.kho2024.ftrace import Ftrace
from kho_console.twin.kho2024.outgoing import INCOMING, Outgoing2024
from kho_console.twin.tracker import coarse

_NONE = MemoryRange(0, 0)


def boot(hardware: Hardware, start: Start) -> Kernel:
    """Boot a kernel to the point where user space runs."""
    options = command_line.parse(start.command_line)
    log = showing.first_lines(start.release, start.command_line)
    arrival = _arrival(hardware, start, log)
    showing.clear(hardware, start)
    area_in = None if arrival is None else (arrival.scratch,)
    crash_region.reserve(hardware, options, area_in, start.segments, log)
    came = runs.empty() if arrival is None else arrival.kept
    kept = hardware.kept + coarse(came)
    # The option is ignored where a tree came in.
    area = _reserved(hardware, start, options, kept, log) if arrival is None else arrival.scratch
    allocator = Allocator(hardware.memory, hardware.nodes, (*kept, area))
    kernel = Kernel(
        start.row,
        start.release,
        start.command_line,
        options,
        hardware,
        allocator,
        start.boot_id,
        came=came,
        log=log,
    )
    hand = kernel.inline = Outgoing2024(hardware, allocator, area)
    hand.arrival = arrival
    restored = () if arrival is None else arrival.restored
    hand.producers.append(Ftrace.started(hardware, allocator, restored).node)
    hand.show()
    if arrival is not None:
        hardware.files.put(f"{INCOMING}/dt", Window(arrival.tree.start, arrival.tree.size))
    showing.show(kernel, None, (), start)
    return kernel


def _arrival(hardware: Hardware, start: Start, log: list[str]) -> Arrival2024 | None:
    """What came in; a handover of mainline has another form, and is none."""
    if start.carried is None:
        return None
    if not isinstance(start.carried, Carried2024):
        if hardware.x86:
            log.append("KHO: setup: handover data of another form. disabling KHO revival")
        return None
    try:
        found = arrivals.take(hardware, start.carried)
    except NotTaken as refusal:
        log += [*refusal.lines, f"KHO: disabling KHO revival: -{refusal.errno}"]
        return None
    log.append("KHO: found kexec handover data. Will skip init for some devices")
    log += found.lines
    return found


def _reserved(
    hardware: Hardware,
    start: Start,
    options: CommandLine,
    taken: tuple[MemoryRange, ...],
    log: list[str],
) -> MemoryRange:
    """The one area, at the highest address with room for it; without the option there is none."""
    if not any(item.option == b"kho_scratch" for item in options.scratch):
        return _NONE
    wanted, refused = scratch.request(start.row, options)
    log += ["Malformed early option 'kho_scratch'"] * len(refused)
    if isinstance(wanted, Malformed) or not isinstance(wanted, ScratchSize) or not wanted.size:
        return _NONE
    unit = hardware.page_size * (hardware.page_size // 8)
    size = -(-wanted.size // unit) * unit
    for hole in reversed(without(merged(list(hardware.ram)), merged(list(taken)))):
        at = (hole.end - size) // unit * unit
        if at >= hole.start:
            return MemoryRange(at, size)
    log.append("cma: Failed to reserve memory for kho")
    return _NONE
