"""A twin from any fixture: the state of its kernel is read back from its files and memory."""

import dataclasses
from collections.abc import Mapping, Sequence

from kho_console.abi import chunk_list, command_line, scratch
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.abi.scratch_request import ScratchScale
from kho_console.model.change import KexecImage
from kho_console.model.generation import Protocol
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source
from kho_console.twin import scratch as reserving
from kho_console.twin import takeover
from kho_console.twin.allocator import Allocator
from kho_console.twin.hardware import Hardware, Reserved
from kho_console.twin.image import Tell, simulated, told_of
from kho_console.twin.kernel import Kernel
from kho_console.twin.kho2024 import takeover as inline_takeover
from kho_console.twin.kho2024.outgoing import FOLDER
from kho_console.twin.loading import Loaded
from kho_console.twin.machine import Twin
from kho_console.twin.platform import hardware as hardware_of
from kho_console.twin.platform import read_bytes
from kho_console.twin.refused import Refused
from kho_console.twin.release import RELEASES, Release, release_of
from kho_console.twin.sessions import SessionFiles, take_sessions

_SYSCTL = "/proc/sys/kernel"


class CannotSimulate(Exception):
    """A machine of which no twin can be made, and why."""


def twin_of(
    source: Source,
    *,
    tell: Tell = simulated,
    files: SessionFiles | None = None,
    regions: Mapping[bytes, int] | None = None,
    reserved: Reserved | None = None,
) -> Twin:
    """A twin that goes on from where a fixture stands; a fresh look at it shows the fixture.

    Args:
        source: The fixture.
        tell: Says what an image is that is loaded.
        files: Token and size of the files of each outgoing session, which no interface tells.
        regions: Where `reserve_mem` regions lie, where nothing tells.
        reserved: What the kernel had reserved when it sized its scratch; else taken from the
            areas that it made of it.

    Raises:
        CannotSimulate: It is no fixture of a kernel whose behaviour is known.
    """
    facts = source.facts()
    machine = hardware_of(source)
    row = _row(source, facts.release, machine)
    machine.regions.update(regions or {})
    machine.built = row.name
    text = (read_bytes(source, "/proc/cmdline") or b"").rstrip(b"\n")
    options = command_line.parse(text)
    areas = _scratch(source, machine, row)
    machine.firmware_reserved = reserved or _reserved(row, machine, options, areas)
    allocator = Allocator(machine.memory, machine.nodes, machine.kept + (areas or ()))
    boot_id = (read_bytes(source, f"{_SYSCTL}/random/boot_id") or b"").decode("latin-1").strip()
    kernel = Kernel(row, facts.release, text, options, machine, allocator, boot_id)
    assumptions: list[str] = []
    if read_bytes(source, "/proc/iomem") is None:
        assumptions.append("where memory lies is not recorded, and was made up")
    if areas is not None:
        try:
            take = inline_takeover.take if row.inline else takeover.take
            take(source, kernel, areas, assumptions)
        except (Refused, FormatError, MissingMemory) as error:
            raise CannotSimulate(f"its handover cannot be taken over: {error}") from error
    _limits(source, kernel)
    _images(source, kernel, assumptions)
    twin = Twin(source, kernel, tell, assumptions)
    take_sessions(source, twin, files or {})
    total = source.memory_total()
    twin.memory_total = None if isinstance(total, Unknown) else total
    return twin


def _row(source: Source, release: str, machine: Hardware) -> Release:
    if source.exists(f"{FOLDER}/active") is True:
        return RELEASES[Protocol.RFC_2024]
    if source.exists(f"{FOLDER}/finalize") is True:
        raise CannotSimulate("how the v5 series of 2025 behaves is not known here")
    row = release_of(release)
    shown = source.exists(f"{machine.kho}/out/finalize") is True
    if row is not None and row.word is None and shown:
        return RELEASES["v6"]
    if row is None:
        raise CannotSimulate(f"how a kernel {release} behaves is not known here")
    if row.map is None or row.stateless or not row.reversible:
        return row
    return _with_bitmaps(source, row, machine)


def _with_bitmaps(source: Source, row: Release, machine: Hardware) -> Release:
    """The row with the bitmaps that the kernel's own map proves: stable kernels changed them."""
    tree = takeover.root_tree_of(source, machine)
    head = None if tree is None else tree.map_address
    if not isinstance(head, int) or not head:
        return row
    page_size = machine.page_size
    try:
        found = chunk_list.read(
            source.memory,
            head,
            page_size,
            release_has_small_bitmaps=row.map is RELEASES["6.17"].map,
            known=takeover.known_ranges(source, machine),
            ram=machine.ram,
        )
    except (FormatError, LookupError):
        return row
    return dataclasses.replace(row, map=found.format)


def _scratch(source: Source, machine: Hardware, row: Release) -> tuple[MemoryRange, ...] | None:
    if row.word is None:
        return None
    out = FOLDER if row.inline else f"{machine.kho}/out"
    phys = read_bytes(source, f"{out}/scratch_phys")
    sizes = read_bytes(source, f"{out}/scratch_len")
    if phys is None or sizes is None:
        return None
    try:
        return scratch.parse(phys, sizes)
    except FormatError:
        return None


def _reserved(
    row: Release,
    machine: Hardware,
    options: command_line.CommandLine,
    areas: Sequence[MemoryRange] | None,
) -> Reserved:
    """What had been reserved, worked back from areas that are a percentage of it."""
    wanted, _ = reserving.request(row, options)
    if row.inline or not areas or not isinstance(wanted, ScratchScale) or not wanted.percent:
        return Reserved()

    def amount(size: int) -> int:
        return size * 100 // wanted.percent

    by_node = zip((node.number for node in machine.nodes), areas[2:], strict=False)
    return Reserved(
        amount(areas[0].size),
        amount(areas[0].size + (areas[1].size if len(areas) > 1 else 0)),
        tuple((number, amount(area.size)) for number, area in by_node),
    )


def _limits(source: Source, kernel: Kernel) -> None:
    def number(name: str, missing: int) -> int:
        try:
            return int(read_bytes(source, f"{_SYSCTL}/kexec_load_{name}") or b"")
        except ValueError:
            return missing

    kernel.limits.disabled = bool(number("disabled", 0))
    kernel.limits.reboot = number("limit_reboot", -1)
    kernel.limits.panic = number("limit_panic", -1)


def _images(source: Source, kernel: Kernel, assumptions: list[str]) -> None:
    """Nothing tells which images are loaded: they are taken to be of the running kernel."""
    image = KexecImage(f"twin:{kernel.release}", None, kernel.command_line)
    told = told_of(kernel.row, kernel.release)
    if read_bytes(source, "/sys/kernel/kexec_crash_loaded") == b"1\n":
        kernel.crash = Loaded(dataclasses.replace(image, crash=True), told)
    if read_bytes(source, "/sys/kernel/kexec_loaded") == b"1\n":
        assumptions.append(
            f"the image that is loaded is a {kernel.release} with this kernel's command line,"
            " loaded by kexec_file_load in the present state"
        )
        try:
            kernel.loaded = kernel.place(image, told)
        except Refused:
            kernel.loaded = Loaded(image, told)
