"""The crash image of a twin: its core header in the crash region, kept up by its kernel.

Only x86_64 has its header where the region starts; a twin of another architecture writes none.
"""

import re

from kho_console.abi import crash_files, elf, elfcorehdr, elfcorehdr_size, iomem, number_list
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.model.crash import CoreHeader, CoreLoad, LoadKind
from kho_console.model.memory import MemoryRange, merged
from kho_console.source.protocol import SMALL_FILE, SourceError
from kho_console.twin.crash.image import Image, Part, Registers, Segment
from kho_console.twin.crash.layout import X86, Layout
from kho_console.twin.crash.loading import put
from kho_console.twin.crash.machine import CrashMachine, Event
from kho_console.twin.crash.mainline import Mainline
from kho_console.twin.hardware import Hardware

UPDATES = "/sys/devices/system/memory/crash_hotplug"
"""The file that a kernel shows which keeps the header of a loaded image up, since 6.6."""

_CPU = "/sys/devices/system/cpu"
_CMA = "/sys/kernel/kexec/crash_cma_ranges"
_BLOCK_SIZE = 128 << 20
_NOTES = 368
_ROOM = 921_600
_PAGE_OFFSET = 0xFFFF888000000000
_TEXT_AT = 0xFFFFFFFF81000000
_KERNEL = re.compile(r"Kernel (code|rodata|data|bss)")
_NO_REGISTERS = Registers(0, 0, 0, 0)


def write_header(hardware: Hardware) -> None:
    """What a load of a crash image leaves at the start of the region."""
    segment = _segment(hardware)
    machine = machine_of(hardware)
    if segment is None or machine is None:
        return
    header = Mainline(machine, hardware.memory, segment.range).header(file_mode=True)
    put(hardware.memory, segment, header)


def answer(hardware: Hardware, event: Event) -> list[str]:
    """Let the kernel answer an event, where an image is loaded: what it logs."""
    segment = _segment(hardware)
    machine = machine_of(hardware)
    if segment is None or machine is None or not _updated(hardware):
        return []
    kernel = Mainline(machine, hardware.memory, segment.range)
    kernel.image = Image(True, True, (segment,), _NO_REGISTERS, 0, None)
    kernel.found = True
    run = kernel.procedure((), None)
    kernel.answer(event, run)
    return run.messages


def _updated(hardware: Hardware) -> bool:
    """Whether the kernel keeps the image up; an image from kexec_load may be none it does."""
    try:
        return _read(hardware, UPDATES) == b"1\n"
    except SourceError:
        return False


def machine_of(hardware: Hardware) -> CrashMachine | None:
    """The machine as its files tell; None where these do not tell what a header holds."""
    try:
        notes = _notes(hardware)
        vmcoreinfo = crash_files.vmcoreinfo(_read(hardware, "/sys/kernel/vmcoreinfo"))
        entries = iomem.parse(_read(hardware, "/proc/iomem"))
    except (SourceError, FormatError):
        return None
    if not hardware.crash or iomem.masked(entries):
        return None
    text, page_offset = _mapped(hardware)
    if text is None:
        kernel = [item.range for item in entries if _KERNEL.fullmatch(item.name)]
        whole = merged(kernel)
        if not whole:
            return None
        place = MemoryRange(whole[0].start, whole[-1].end - whole[0].start)
        text = CoreLoad(place, _TEXT_AT, LoadKind.TEXT)
    layout = Layout(
        hardware.architecture, vmcoreinfo, text, page_offset, (*hardware.crash, *_cma(hardware))
    )
    ram = iomem.system_ram(entries)
    return CrashMachine(layout, ram, notes, tuple(range(len(notes))), _BLOCK_SIZE)


def _segment(hardware: Hardware) -> Segment | None:
    """The header's place: what sysfs tells of its size, in the region that is above the other."""
    if hardware.architecture != X86 or not hardware.crash:
        return None
    region = max(hardware.crash)
    kind = elfcorehdr_size.architecture(hardware.architecture)
    assert kind is not None
    try:
        told = int(_read(hardware, "/sys/kernel/crash_elfcorehdr_size"))
        room = elfcorehdr_size.segment_size(kind, told)
    except (SourceError, ValueError):
        room = _ROOM
    return Segment(Part.HEADER, MemoryRange(region.start, min(room, region.size)), room)


def _notes(hardware: Hardware) -> tuple[MemoryRange, ...]:
    """Where each possible CPU keeps its notes; a CPU that is not there has no file to say so."""
    possible = number_list.numbers(_read(hardware, f"{_CPU}/possible"))
    seen = _header(hardware)
    known = () if seen is None else seen.notes[:-1]
    if len(known) == len(possible):
        return known
    return tuple(
        MemoryRange(number_list.hexadecimal(_read(hardware, f"{_CPU}/cpu{cpu}/crash_notes")), size)
        for cpu in possible
        for size in (_note_size(hardware, cpu),)
    )


def _note_size(hardware: Hardware, cpu: int) -> int:
    try:
        return int(_read(hardware, f"{_CPU}/cpu{cpu}/crash_notes_size"))
    except (SourceError, ValueError):
        return _NOTES


def _mapped(hardware: Hardware) -> tuple[CoreLoad | None, int]:
    """Where the kernel's text lies and where it maps memory: nothing but a header tells."""
    seen = _header(hardware)
    if seen is None:
        return None, _PAGE_OFFSET
    text = next((item for item in seen.loads if item.kind is LoadKind.TEXT), None)
    memory = next((item for item in seen.loads if item.kind is LoadKind.MEMORY), None)
    offset = _PAGE_OFFSET if memory is None else memory.virtual - memory.range.start
    return text, offset


def _header(hardware: Hardware) -> CoreHeader | None:
    """The header that lies in the region now, of a loaded image or one that is gone."""
    if not hardware.crash:
        return None
    place = max(hardware.crash)
    try:
        first = hardware.memory.read(place.start, min(place.size, elfcorehdr.ALIGN))
        header = elf.read_header(first)
        size = min(header.table_offset + header.table_size, place.size)
        return elfcorehdr.read(hardware.memory.read(place.start, size))
    except (FormatError, MissingMemory):
        return None


def _cma(hardware: Hardware) -> tuple[MemoryRange, ...]:
    try:
        return crash_files.cma_ranges(_read(hardware, _CMA))
    except (SourceError, FormatError):
        return ()


def _read(hardware: Hardware, path: str) -> bytes:
    return hardware.files.read(path, SMALL_FILE)
