"""Booting: a kernel starts on a machine, with or without a handover in its memory."""

from kho_console.abi import command_line, kexec_metadata, luo, memblock, runs
from kho_console.abi.command_line import CommandLine
from kho_console.abi.error import FormatError
from kho_console.abi.fdt import read as read_tree
from kho_console.abi.memory import MissingMemory
from kho_console.abi.scratch_request import Malformed, ScratchScale, ScratchSizes
from kho_console.model.blob import LuoHeader, ReservedRegion
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from kho_console.twin import arrival as arrivals
from kho_console.twin import crash_region, producers, scratch, showing
from kho_console.twin.allocator import Allocator
from kho_console.twin.arrival import Arrival, NotTaken
from kho_console.twin.boot_parameters import Start
from kho_console.twin.handover import Handover
from kho_console.twin.hardware import Hardware
from kho_console.twin.kernel import Kernel
from kho_console.twin.kho2024 import boot as inline_boot
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.luo import Outgoing
from kho_console.twin.luo_incoming import Incoming
from kho_console.twin.regions import alignment, place
from kho_console.twin.tracker import coarse


def boot(hardware: Hardware, start: Start) -> Kernel:
    """Boot a kernel to the point where user space runs.

    Raises:
        Panic: It gives up.
    """
    if start.row.inline:
        return inline_boot.boot(hardware, start)
    options = command_line.parse(start.command_line)
    log = showing.first_lines(start.release, start.command_line)
    arrival = _arrival(hardware, start, log)
    on = _switched_on(start, options, log)
    showing.clear(hardware, start)
    areas_in = None if arrival is None else arrival.scratch
    crash_region.reserve(hardware, options, areas_in, start.segments, log)
    came = runs.empty() if arrival is None else arrival.kept
    kept = hardware.kept + coarse(came) + (arrival.scratch if arrival else ())
    regions = _regions(hardware, options, arrival, kept, log)
    taken = kept + tuple(MemoryRange(item.start, item.size) for item in regions)
    areas = _areas(hardware, start, options, arrival, taken, log) if on else None
    allocator = Allocator(hardware.memory, hardware.nodes, taken + (areas or ()))
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
    if areas is not None:
        kernel.handover = Handover(start.row, hardware, allocator, areas)
        kernel.handover.regions = regions
        kernel.handover.start()
    _producers(kernel, arrival, regions, log)
    showing.show(kernel, arrival, regions, start)
    return kernel


def _arrival(hardware: Hardware, start: Start, log: list[str]) -> Arrival | None:
    row = start.row
    if start.carried is None or row.word is None or not row.takes_over:
        return None
    if isinstance(start.carried, Carried2024) and not hardware.x86:
        # arm64 calls the properties of the series of 2024 otherwise, so nobody looks at them.
        return None
    try:
        found = arrivals.take(row, hardware, start.carried)
    except NotTaken as refusal:
        log += refusal.lines
        code = "" if row.stateless else f": -{refusal.errno}"
        log.append(f"KHO: disabling KHO revival{code}")
        return None
    more = " Will skip init for some devices" if row.reversible else ""
    log.append(f"KHO: found kexec handover data.{more}")
    return found


def _switched_on(start: Start, options: CommandLine, log: list[str]) -> bool:
    if start.row.word is None:
        return False
    if isinstance(options.kho, Malformed):
        log.append("Malformed early option 'kho'")
    return options.kho if isinstance(options.kho, bool) else start.on_by_default


def _areas(
    hardware: Hardware,
    start: Start,
    options: CommandLine,
    arrival: Arrival | None,
    taken: tuple[MemoryRange, ...],
    log: list[str],
) -> tuple[MemoryRange, ...] | None:
    """Inherited scratch as it is, else fresh; None where KHO switches itself off."""
    wanted, refused = scratch.request(start.row, options)
    log += ["Malformed early option 'kho_scratch'" for _ in refused]
    if isinstance(wanted, ScratchSizes):
        low, whole, node = (size >> 20 for size in (wanted.lowmem, wanted.global_, wanted.node))
        log.append(f"KHO: scratch areas: lowmem: {low}MiB global: {whole}MiB pernode: {node}MiB")
    elif isinstance(wanted, ScratchScale) and options.scratch:
        log.append(f"KHO: scratch scale is {wanted.percent}%")
    if arrival is not None:
        return arrival.scratch
    try:
        return scratch.reserve(start.row, hardware, wanted, taken)
    except scratch.NoScratch as error:
        if start.row.stateless:
            log.append(f"KHO: Failed to reserve {error.area}")
        if start.row.name not in ("v6", "6.16"):
            log.append("KHO: Failed to reserve scratch area, disabling kexec handover")
        return None


def _regions(
    hardware: Hardware,
    options: CommandLine,
    arrival: Arrival | None,
    kept: tuple[MemoryRange, ...],
    log: list[str],
) -> tuple[ReservedRegion, ...]:
    """`reserve_mem=`: adopted where it came in with the very size, else reserved afresh."""
    came = {item.name: item for item in _came(hardware, arrival)}
    found: list[ReservedRegion] = []
    for wanted in options.reserve_mem:
        if isinstance(wanted, Malformed):
            log.append(f"reserve_mem: {wanted.reason}")
            continue
        old = came.get(wanted.name)
        if old is not None and old.size == wanted.size and not old.start % alignment(wanted):
            log.append(f"Revived memory reservation '{wanted.name.decode('latin-1')}' from KHO")
            found.append(old)
            continue
        taken = kept + tuple(MemoryRange(item.start, item.size) for item in found)
        fresh = place(hardware, wanted, taken)
        if fresh is None:
            log.append(f"reserve_mem: memory for {wanted.name.decode('latin-1')} not reserved")
        else:
            found.append(fresh)
    return tuple(found)


def _came(hardware: Hardware, arrival: Arrival | None) -> tuple[ReservedRegion, ...]:
    pointer = arrival.pointer(memblock.NAME) if arrival else None
    if pointer is None or isinstance(pointer.address, Unknown):
        return ()
    try:
        content = hardware.memory.read(pointer.address, hardware.page_size)
        return memblock.decode(read_tree(content)).regions
    except (FormatError, MissingMemory):
        return ()


def _producers(
    kernel: Kernel,
    arrival: Arrival | None,
    regions: tuple[ReservedRegion, ...],
    log: list[str],
) -> None:
    """Who has something to hand on registers, in the order of the kernel's init calls."""
    hand, row = kernel.handover, kernel.row
    wanted = kernel.options.liveupdate is True and row.luo is not None
    count = _count(kernel.hardware, arrival, log) if row.metadata else 0
    if hand is None:
        if wanted:
            log.append("luo: Disabling liveupdate because KHO is disabled")
        return
    if row.metadata:
        producers.add_metadata(hand, kernel.release.encode(), count + 1)
    if arrival is None and not row.reversible:
        # The file is made here and keeps its length; after a handover it is not made at all.
        hand.show_tree()
    came = arrivals.live_update(row, kernel.hardware, arrival) if arrival and row.luo else None
    if came is not None:
        log.append(f"luo: Retrieved live update data, liveupdate number: {came.liveupdate_number}")
        kernel.incoming = Incoming(hand, came)
        _free_header(kernel, arrival)
    if wanted:
        kernel.outgoing = Outgoing.create(hand, _next_number(came))
        kernel.show_device()
    if regions:
        owner = producers.Memblock(hand, regions, kernel.allocator.pages())
        if row.reversible:
            hand.producers.append(owner.register)
        else:
            owner.register(hand)


def _next_number(came: LuoHeader | None) -> int:
    return 1 if came is None else came.liveupdate_number + 1


def _free_header(kernel: Kernel, arrival: Arrival | None) -> None:
    """7.2 and later free the page of the incoming header before user space runs."""
    pointer = arrival.pointer(luo.NAME) if arrival else None
    if kernel.row.luo_struct and pointer and not isinstance(pointer.address, Unknown):
        kernel.allocator.give_back(MemoryRange(pointer.address, kernel.hardware.page_size))


def _count(hardware: Hardware, arrival: Arrival | None, log: list[str]) -> int:
    """Handovers up to this boot, as the kernel before told."""
    pointer = arrival.pointer(kexec_metadata.NAME) if arrival else None
    if pointer is None or isinstance(pointer.address, Unknown):
        return 0
    try:
        content = hardware.memory.read(pointer.address, kexec_metadata.SIZE)
        told = kexec_metadata.decode(content)
    except (FormatError, MissingMemory):
        return 0
    if isinstance(told.kexec_count, Unknown) or isinstance(told.previous_release, Unknown):
        return 0
    release = told.previous_release.decode("latin-1")
    log.append(f"KHO: exec from: {release} (count {told.kexec_count})")
    return told.kexec_count
