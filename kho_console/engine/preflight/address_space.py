"""What is left for the next kernel, over one handover and over ten.

After a handover a kernel takes all memory that it needs while it starts from scratch, until its
page allocator runs (`memblock_set_kho_scratch_only`, mm/memblock.c, 6.16 to 7.3): crash memory,
new `reserve_mem` regions and gigantic pages too. Scratch is handed on unchanged, so that is the
same after ten handovers. Memory outside it shrinks by what each handover leaves behind.
"""

from collections.abc import Iterator

from kho_console.abi import crashkernel, hugepages
from kho_console.abi.crashkernel import CrashKernelKind
from kho_console.abi.scratch_request import Malformed
from kho_console.engine.findings.words import size
from kho_console.engine.preflight import free_memory, regions, scratch
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.unknown import Maybe, Unknown

HANDOVERS = 10

_PAGE_ORDERS = 10
"""MAX_PAGE_ORDER: larger pages are gigantic, and come from memory taken at boot."""

_DEFAULT_HUGE = 2 << 20


def free(now: Situation) -> Iterator[Check]:
    """The largest free piece of each node, now and after ten handovers."""
    if not now.hands_over:
        return
    name, nodes = "address-space", free_memory.by_node(now)
    if isinstance(nodes, Unknown):
        text = "what is left for the next kernel is not known"
        yield Check(name, Result.UNKNOWN, text, nodes.reason)
        return
    evidence = "; ".join(
        f"{'memory' if item.node is None else f'node {item.node}'}: {size(item.largest.size)} at "
        f"0x{item.largest.start:x}"
        for item in nodes
    )
    lost = _left_behind(now)
    room = sum(item.largest.size for item in nodes)
    if lost * HANDOVERS > room:
        text = f"{size(lost)} are left behind at each handover: {HANDOVERS} of them fill the memory"
        remedy = "let the next kernel take over what is reserved here"
        yield Check(name, Result.WARNING, text, evidence, remedy)
        return
    largest = max((item.largest.size for item in nodes), default=0)
    text = f"up to {size(largest)} stay free in one piece beside preserved memory and scratch"
    if lost:
        text += f"; {size(lost)} are left behind at each handover"
    yield Check(name, Result.PASS, text, evidence)


def _left_behind(now: Situation) -> int:
    """Bytes that stay reserved after each handover, and that nobody can use."""
    return sum(region.size for region, _ in regions.left_behind(now))


def crash_kernel(now: Situation) -> Iterator[Check]:
    """Whether the next kernel finds memory for its crash kernel."""
    if not now.hands_over:
        return
    name, wanted = "crashkernel", _crash_size(now)
    given = _given(now, b"crashkernel")
    if wanted is None:
        text = "crashkernel= is malformed where it counts: the next kernel reserves no crash memory"
        yield Check(name, Result.WARNING, text, given, "write crashkernel=SIZE")
    elif isinstance(wanted, Unknown):
        text = "how much crash memory the next kernel reserves depends on its memory: not known"
        yield Check(name, Result.UNKNOWN, text, f"{given}; {wanted.reason}")
    elif not wanted:
        here = now.snapshot.kexec.crash_size
        if isinstance(here, int) and here:
            text = "the next kernel reserves no crash memory: its panics leave no dump"
            evidence = f"{size(here)} are reserved here; {given}"
            yield Check(name, Result.WARNING, text, evidence, f"add crashkernel={here >> 20}M")
        else:
            yield Check(name, Result.PASS, "no crash memory is asked for", given)
    else:
        yield _from_scratch(now, name, "the crash memory", wanted, given)


def new_regions(now: Situation) -> Iterator[Check]:
    """Whether the next kernel finds memory for regions that it has to make."""
    wanted = regions.fresh(now) if now.hands_over else ()
    if wanted:
        largest = max(item.size for item in wanted)
        given = ", ".join(size(item.size) for item in wanted)
        yield _from_scratch(now, "reserve-mem-new", "a new reserve_mem region", largest, given)


def gigantic_pages(now: Situation) -> Iterator[Check]:
    """Whether gigantic pages that the command line asks for can still be had."""
    if not now.hands_over:
        return
    least = now.snapshot.machine.page_size << _PAGE_ORDERS
    asked = hugepages.asked(now.line.arguments, _DEFAULT_HUGE)
    wanted = {page: number for page, number in asked.items() if page > least and number}
    if not wanted:
        return
    name, nodes = "gigantic-pages", free_memory.by_node(now)
    if isinstance(nodes, Unknown):
        text = "whether gigantic pages can still be had is not known"
        yield Check(name, Result.UNKNOWN, text, nodes.reason)
        return
    for page, number in sorted(wanted.items()):
        beside = free_memory.slots(now, nodes, page)
        later = max(beside - -(-_grown(now) // page), 0)
        inside = sum(
            max(area.end // page - -(-area.start // page), 0) for area in scratch.ranges(now)
        )
        evidence = (
            f"{number} of {size(page)} asked for; free beside preserved memory and scratch: "
            f"{beside}, after {HANDOVERS} handovers {later}; in scratch: {inside}"
        )
        if number > beside + inside:
            text = "the gigantic pages do not fit beside what is handed over"
        elif number > inside:
            text = "gigantic pages come from scratch after a handover (6.16 to 7.3): too few fit"
        elif number > later + inside:
            text = f"the gigantic pages fit now, but not after {HANDOVERS} handovers"
        else:
            yield Check(name, Result.PASS, "the gigantic pages fit", evidence)
            continue
        remedy = "ask for fewer, allocate them after boot, or boot cold with larger scratch areas"
        yield Check(name, Result.WARNING, text, evidence, remedy)


def _grown(now: Situation) -> int:
    """Bytes that more handovers take at worst: what is preserved comes anew each time."""
    found = now.snapshot.inventory.preserved
    return 0 if isinstance(found, Unknown) else found.bytes * (HANDOVERS - 1)


def _from_scratch(now: Situation, name: str, what: str, wanted: int, given: str) -> Check:
    """Whether one piece of `wanted` bytes fits an area beside the kernel that runs in it."""
    areas = scratch.ranges(now)
    if not areas:
        text = f"whether there is room for {what} is not known: the scratch areas cannot be seen"
        return Check(name, Result.UNKNOWN, text, given)
    image = now.image.memory_size
    kernel = 0 if isinstance(image, Unknown) else image
    room = max(area.size for area in areas)
    evidence = (
        f"{given}: {size(wanted)}; largest scratch area {size(room)}, the kernel {size(kernel)}"
    )
    remedy = "ask for less, or boot cold with larger scratch areas"
    if wanted > max(room - kernel, 0):
        text = (
            f"there is no room for {what}: after a handover the next kernel takes it from "
            "scratch, on this and on every later one"
        )
        return Check(name, Result.WARNING, text, evidence, remedy)
    if 2 * wanted > room - kernel:
        text = f"whether there is room for {what} depends on where the kernel lies in scratch"
        return Check(name, Result.WARNING, text, evidence, remedy)
    text = f"scratch has room for {what}, after {HANDOVERS} handovers, too"
    return Check(name, Result.PASS, text, evidence)


def _crash_size(now: Situation) -> Maybe[int] | None:
    """Bytes of the largest piece asked for; 0 for none, None where what counts is malformed."""
    option, ram = crashkernel.counting(now.line.crashkernel), now.snapshot.memory.ram
    if option is None or isinstance(option, Malformed):
        return None if option else 0
    if isinstance(ram, Unknown) and option.kind is CrashKernelKind.RANGES:
        return ram
    total = 0 if isinstance(ram, Unknown) else sum(item.size for item in ram)
    return crashkernel.size_for(option.sizes, total)


def _given(now: Situation, name: bytes) -> str:
    found = [
        "" if item.value is None else item.value.decode("ascii", "backslashreplace")
        for item in now.line.arguments
        if item.name == name
    ]
    words = " ".join(f"{name.decode()}={value}" for value in found)
    return words or f"no {name.decode()}= on the command line"
