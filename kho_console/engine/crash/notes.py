"""The notes of the ELF core header: registers of CPUs, and vmcoreinfo."""

from kho_console.abi import crash_files, number_list
from kho_console.engine import files, paths
from kho_console.model.crash import CoreHeader, CpuNotes
from kho_console.model.machine import Cpus
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

VMCOREINFO = "/sys/kernel/vmcoreinfo"


def vmcoreinfo(source: Source, header: CoreHeader) -> Maybe[bool]:
    """Whether the header has the kernel's own note of vmcoreinfo."""
    found = files.parsed(source, VMCOREINFO, crash_files.vmcoreinfo)
    return found if isinstance(found, Unknown) else found in header.notes


def cpu_notes(source: Source, header: CoreHeader, cpus: Cpus) -> CpuNotes:
    """CPUs against the notes of the header; this reads a file for each CPU.

    The last note is that of vmcoreinfo, unless it is known to be a CPU's.
    """
    places = _places(source, cpus)
    possible = cpus.possible if isinstance(cpus.possible, Unknown) else len(cpus.possible)
    if isinstance(places, Unknown):
        return CpuNotes(max(len(header.notes) - 1, 0), possible, (), places)
    notes = {note.start for note in header.notes}
    ends_with_cpu = bool(header.notes) and header.notes[-1].start in places.values()
    noted = len(header.notes) if ends_with_cpu else max(len(header.notes) - 1, 0)
    without = tuple(number for number, place in places.items() if place not in notes)
    return CpuNotes(noted, possible, without)


def _places(source: Source, cpus: Cpus) -> Maybe[dict[int, int]]:
    """Where the notes of each present CPU lie."""
    if isinstance(cpus.present, Unknown):
        return cpus.present
    found: dict[int, int] = {}
    for number in cpus.present:
        path = f"{paths.CPUS}/cpu{number}/crash_notes"
        place = files.parsed(source, path, number_list.hexadecimal)
        if isinstance(place, Unknown):
            return place
        found[number] = place
    return found or Unknown(Cause.ABSENT, "no CPU is present")
