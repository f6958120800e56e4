"""The header of the crash image in memory, found and compared with the machine."""

import errno
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine.crash.image import crash_image
from kho_console.engine.crash.recheck import recheck
from kho_console.engine.observe import observe
from kho_console.model.crash import Coverage, CpuNotes, CrashImage, LoadKind, Room
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceKind
from tests.engine.crash_machines import (
    CPUS,
    GIB,
    LOADED,
    MIB,
    REGION,
    VMCOREINFO,
    Span,
    core_header,
    crash_machine,
)
from tests.fixture_folder import FixtureFolder
from tests.recordings import RECORDINGS, folder

LOW: Span = (0x1000, 0x9_FC00)
RAM: tuple[Span, ...] = (LOW, (MIB, 0x7FFE_0000), (4 * GIB, 6 * GIB), (7 * GIB, 8 * GIB))
"""With a hole between 2 and 4 GiB, and one between 6 and 7 GiB."""

DUMPED = ((MIB, REGION[0]), (REGION[1], 0x7FFE_0000), *RAM[2:])


def span(item: MemoryRange) -> Span:
    return item.start, item.end


def covered(image: CrashImage) -> Coverage:
    assert not isinstance(image.coverage, Unknown), image.coverage
    return image.coverage


def cause(value: object) -> Cause:
    assert isinstance(value, Unknown), value
    return value.cause


def at_the_first_byte(place: Path, content: bytes | None = None) -> FixtureFolder:
    header = core_header(DUMPED) if content is None else content
    return crash_machine(place, RAM, [REGION], {REGION[0]: header})


@pytest.mark.parametrize(
    ("name", "described", "entries", "text"),
    [
        # Numbers of `readelf -hl` over the recorded page, and of /proc/iomem.
        ("linux-6.17.8/crash-loaded", 1_877_864_448, 6, None),
        ("linux-6.18.15/hotplugged", 2_414_739_456, 7, (0x3040_0000, 0xE2_0000)),
        ("linux-7.1.13/hotplugged", 2_414_739_456, 7, (0x32E0_0000, 0xCF_2000)),
        ("linux-7.3.4/crash-loaded", 1_877_868_544, 6, (0x69A0_0000, 0xAF_2000)),
        ("linux-7.3.4/ready", 2_414_739_456, 7, (0x69A0_0000, 0xAF_2000)),
    ],
)
def test_recorded_images(name: str, described: int, entries: int, text: Span | None) -> None:
    image = observe(FixtureSource(folder(name))).crash
    assert not isinstance(image.header, Unknown)
    assert (image.armed, image.address, image.header.entries) == (True, 0x6F00_0000, entries)
    assert covered(image) == Coverage(described, described, (), (), ())
    assert image.cpus == CpuNotes(2, 2, ())
    assert image.vmcoreinfo is True
    assert image.room == Room(4096, 462_848, entries - 4, 8260)
    found = [load.range for load in image.header.loads if load.kind is LoadKind.TEXT]
    assert text is None or found == [MemoryRange(*text)]


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording_with_an_image_would_leave_a_complete_dump(name: str) -> None:
    snapshot = observe(FixtureSource(folder(name)))
    image = snapshot.crash
    assert image.armed is snapshot.kexec.crash_loaded
    assert image.residue is False
    if image.armed:
        assert (covered(image).missing, covered(image).stale) == ((), ())
    else:
        assert cause(image.header) is cause(image.coverage) is Cause.ABSENT


def test_memory_above_4_gib_with_holes(tmp_path: Path) -> None:
    image = observe(at_the_first_byte(tmp_path).open()).crash
    found = covered(image)
    assert found.described == found.expected == sum(end - start for start, end in DUMPED)
    assert (found.missing, found.stale, found.offline) == ((), (), ())


def test_what_is_missing_gone_and_offline(tmp_path: Path) -> None:
    """One DIMM came unseen, another went and is described still, a block is offline."""
    described = (
        (MIB, REGION[0]),
        (REGION[1], 0x7FFE_0000),
        (4 * GIB, 6 * GIB),
        (9 * GIB, 10 * GIB),
    )
    machine = at_the_first_byte(tmp_path, core_header(described))
    machine.file("/sys/devices/system/memory/memory32/state", "offline\n")
    found = covered(observe(machine.open()).crash)
    assert [span(item) for item in found.missing] == [(7 * GIB, 8 * GIB)]
    assert [span(item) for item in found.stale] == [(9 * GIB, 10 * GIB)]
    assert [span(item) for item in found.offline] == [(4 * GIB, 4 * GIB + 128 * MIB)]
    assert found.expected - found.described == GIB


def test_memory_of_drivers_belongs_to_a_dump(tmp_path: Path) -> None:
    machine = at_the_first_byte(tmp_path)
    iomem = (tmp_path / "root/proc/iomem").read_text()
    added = f"{9 * GIB:x}-{10 * GIB - 1:x}"
    driver = f"{added} : dax0.0\n  {added} : System RAM (kmem)\n"
    machine.file("/proc/iomem", iomem + driver)
    missing = covered(observe(machine.open()).crash).missing
    assert [span(item) for item in missing] == [(9 * GIB, 10 * GIB)]


def test_memory_from_cma_is_left_out(tmp_path: Path) -> None:
    cut = ((MIB, REGION[0]), (REGION[1], 0x7FFE_0000), (5 * GIB, 6 * GIB), (7 * GIB, 8 * GIB))
    machine = at_the_first_byte(tmp_path, core_header(cut))
    machine.file("/proc/cmdline", "crashkernel=256M crashkernel=1G,cma\n")
    before = observe(machine.open()).crash.coverage
    assert cause(before) is Cause.UNSUPPORTED
    machine.file("/sys/kernel/kexec/crash_cma_ranges", f"{4 * GIB:08x}-{5 * GIB - 1:08x}\n")
    found = covered(observe(machine.open()).crash)
    assert (found.missing, found.stale) == ((), ())


def test_a_low_and_a_high_region(tmp_path: Path) -> None:
    """The image lies in the high one; bytes of an older one in the low one do not count."""
    low, high = (0x6F00_0000, 0x7F00_0000), (5 * GIB, 5 * GIB + 256 * MIB)
    dumped = (
        *((MIB, low[0]), (low[1], 0x7FFE_0000)),
        *((4 * GIB, high[0]), (high[1], 6 * GIB), (7 * GIB, 8 * GIB)),
    )
    pages = {low[0]: core_header(((MIB, 2 * MIB),)), high[0]: core_header(dumped)}
    image = observe(crash_machine(tmp_path, RAM, [low, high], pages).open()).crash
    assert image.address == high[0]
    assert (covered(image).missing, covered(image).stale) == ((), ())


def test_an_image_of_kexec_load_is_searched_from_the_top(tmp_path: Path) -> None:
    """It has the low 640 KiB as a copy; another ELF file lies above it."""
    at, elf = REGION[1] - 3 * MIB, REGION[1] - MIB
    other = bytearray(core_header(DUMPED))
    other[16] = 2
    content = core_header(DUMPED, backup=REGION[1] - 2 * MIB)
    pages = {REGION[0]: bytes(4096), at: content, elf: bytes(other)}
    image = observe(crash_machine(tmp_path, RAM, [REGION], pages).open()).crash
    assert (image.armed, image.address) == (True, at)
    assert (covered(image).missing, covered(image).stale) == ((), ())
    assert cause(image.room) is Cause.UNSUPPORTED


@pytest.mark.parametrize(("updatable", "there"), [("0\n", True), ("1\n", False)])
def test_what_an_earlier_image_left_at_the_first_byte(
    tmp_path: Path, updatable: str, there: bool
) -> None:
    """The kernel updates what kexec_file_load loaded: where it does not, the image is elsewhere."""
    at = REGION[1] - 3 * MIB
    pages = {REGION[0]: core_header(((MIB, 2 * MIB),)), at: core_header(DUMPED)}
    machine = crash_machine(tmp_path, RAM, [REGION], pages)
    machine.file("/sys/devices/system/memory/crash_hotplug", updatable)
    source = machine.open()
    snapshot = observe(source)
    assert snapshot.crash.address == (at if there else REGION[0])
    assert (covered(snapshot.crash).missing == ()) is there
    assert recheck(source, snapshot, ()).crash.address == snapshot.crash.address


def test_what_an_unloaded_image_left(tmp_path: Path) -> None:
    machine = at_the_first_byte(tmp_path)
    machine.file(LOADED, "0\n")
    image = observe(machine.open()).crash
    assert (image.armed, image.residue, image.address) == (False, True, REGION[0])
    assert not isinstance(image.header, Unknown)
    for value in (image.coverage, image.cpus, image.vmcoreinfo, image.room):
        assert cause(value) is Cause.ABSENT


@pytest.mark.parametrize(
    ("name", "machine", "order", "low"),
    [
        ("aarch64", 183, "<", [LOW]),
        ("riscv64", 243, "<", [LOW]),
        ("ppc64le", 21, "<", None),
        ("s390x", 22, ">", None),
    ],
)
def test_other_architectures(
    tmp_path: Path, name: str, machine: int, order: str, low: list[Span] | None
) -> None:
    """Where the reference tells no rule, coverage is not known; nowhere else goes the first MiB."""
    content = core_header(DUMPED, machine=machine, order=order)
    made = crash_machine(tmp_path, RAM, [REGION], {REGION[0]: content}, machine=name)
    image = observe(made.open()).crash
    assert not isinstance(image.header, Unknown)
    assert image.cpus == CpuNotes(2, 2, ())
    if low is None:
        assert cause(image.coverage) is Cause.UNSUPPORTED
    else:
        assert [span(item) for item in covered(image).missing] == low


def test_a_header_of_another_machine_is_none(tmp_path: Path) -> None:
    image = observe(at_the_first_byte(tmp_path, core_header(DUMPED, machine=183)).open()).crash
    assert image.armed is True
    assert cause(image.header) is cause(image.coverage) is Cause.INVALID


def test_notes_that_are_not_this_kernels(tmp_path: Path) -> None:
    other = MemoryRange(VMCOREINFO.start + 4096, VMCOREINFO.size)
    content = core_header(DUMPED, cpus=CPUS[:1], vmcoreinfo=other)
    image = observe(at_the_first_byte(tmp_path, content).open()).crash
    assert image.cpus == CpuNotes(1, 2, (1,))
    assert image.vmcoreinfo is False


def test_notes_that_may_not_be_read(tmp_path: Path) -> None:
    machine = at_the_first_byte(tmp_path)
    path = "/sys/devices/system/cpu/cpu1/crash_notes"
    (tmp_path / "root" / path[1:]).unlink()
    machine.unreadable(path, errno.EACCES)
    found = observe(machine.open()).crash.cpus
    assert not isinstance(found, Unknown)
    assert (found.noted, found.possible, found.without) == (2, 2, ())
    assert cause(found.unread) is Cause.NOT_PERMITTED


def test_reasons(tmp_path: Path) -> None:
    """Masked addresses, pages nobody recorded, no region at all."""
    made = at_the_first_byte(tmp_path / "a")
    made.file("/proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Crash kernel\n")
    assert cause(observe(made.open()).crash.header) is Cause.NOT_PERMITTED
    made = crash_machine(tmp_path / "b", RAM, [REGION], {})
    assert cause(observe(made.open()).crash.coverage) is Cause.NOT_RECORDED
    made = crash_machine(tmp_path / "c", RAM, [], {}, loaded="0\n")
    image = observe(made.open()).crash
    assert isinstance(image.header, Unknown)
    assert "no memory is reserved" in image.header.reason


class Live(FixtureSource):
    """A machine that runs: answers of `crash_loaded` and of memory follow one another."""

    kind = SourceKind.LIVE
    loaded: Iterator[bytes]
    torn: PhysicalMemory | None = None
    read_at: list[float]

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        if path != LOADED:
            return super().read(path, limit)
        self.read_at.append(time.monotonic())
        return next(self.loaded)

    @property
    def memory(self) -> PhysicalMemory:  # type: ignore[override]
        return self.torn or super().memory


def live(machine: FixtureFolder, *loaded: bytes) -> Live:
    machine.open()
    source = Live(machine.place)
    source.loaded, source.read_at = iter(loaded), []
    return source


@pytest.mark.parametrize(
    ("answers", "armed"), [((b"0\n", b"1\n"), True), ((b"0\n", b"0\n"), False)]
)
def test_a_zero_is_read_twice_on_a_live_machine(
    tmp_path: Path, answers: tuple[bytes, ...], armed: bool
) -> None:
    """The kernel shows 0 for an instant while it rewrites the header (fact 7)."""
    source = live(at_the_first_byte(tmp_path), *answers)
    image = observe(source).crash
    assert (image.armed, image.residue) == (armed, not armed)
    first, second = source.read_at
    assert second - first >= 0.010


def test_an_image_that_fell_is_read_twice(tmp_path: Path) -> None:
    """Also where no header shows: it was armed a moment ago."""
    source = live(crash_machine(tmp_path, RAM, [REGION], {}), b"1\n", b"0\n", b"1\n")
    before = observe(source)
    again = observe(source, before, walk=True)
    assert (before.crash.armed, again.crash.armed) == (True, True)


class Torn:
    """Memory of which each read gives the next copy."""

    def __init__(self, *copies: bytes) -> None:
        self._copies = copies
        self._reads = 0

    def read(self, address: int, size: int) -> bytes:
        if address != REGION[0]:
            raise MissingMemory(address, "not there")
        copy = self._copies[min(self._reads // 2, len(self._copies) - 1)]
        self._reads += 1
        return copy[:size].ljust(size, b"\0")


def test_a_torn_copy_is_read_again(tmp_path: Path) -> None:
    """Half of a header with other ranges, then twice the same."""
    whole, torn = core_header(DUMPED), bytearray(core_header(DUMPED))
    torn[-8:] = bytes(8)
    torn[-24:-16] = bytes(8)
    source = live(at_the_first_byte(tmp_path), b"1\n")
    source.torn = Torn(bytes(torn), whole)
    assert covered(observe(source).crash).missing == ()


def test_a_header_that_never_stands_still(tmp_path: Path) -> None:
    copies = [core_header(((MIB, REGION[0]), (4 * GIB, 4 * GIB + at * MIB))) for at in range(1, 40)]
    source = live(at_the_first_byte(tmp_path), b"1\n")
    source.torn = Torn(*copies)
    header = observe(source).crash.header
    assert isinstance(header, Unknown)
    assert "rewriting" in header.reason


class Closed:
    """Memory that lockdown closes."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        self.reads += 1
        raise MissingMemory(address, "/proc/kcore: not permitted (EPERM)", permission=True)


def test_memory_that_lockdown_closes_is_not_searched(tmp_path: Path) -> None:
    machine = at_the_first_byte(tmp_path)
    machine.file("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n")
    source = live(machine, b"1\n")
    snapshot = observe(source)
    source.torn = closed = Closed()
    image = crash_image(source, snapshot.kexec, snapshot.memory, snapshot.cpus)
    assert isinstance(image.header, Unknown)
    assert (image.header.cause, "lockdown" in image.header.reason) == (Cause.NOT_PERMITTED, True)
    assert closed.reads < 10


class Reopened:
    """Memory as `/proc/kcore` shows it: laid out as it was when it was opened."""

    def __init__(self, memory: PhysicalMemory) -> None:
        self._memory = memory
        self.opened = 0

    def reopen(self) -> None:
        self.opened += 1

    def read(self, address: int, size: int) -> bytes:
        return self._memory.read(address, size)


def test_each_look_opens_memory_anew(tmp_path: Path) -> None:
    source = live(at_the_first_byte(tmp_path), b"1\n", b"1\n")
    source.torn = memory = Reopened(source.memory)
    before = observe(source)
    again = observe(source, before, walk=True)
    assert memory.opened == 2
    assert again.crash.coverage == before.crash.coverage


def test_what_an_unloaded_kexec_load_image_left_is_found_where_it_was(tmp_path: Path) -> None:
    """Nobody searches all of the region for it."""
    at = REGION[1] - 3 * MIB
    machine = crash_machine(tmp_path, RAM, [REGION], {at: core_header(DUMPED)})
    before = observe(machine.open())
    machine.file(LOADED, "0\n")
    again = observe(machine.open(), before, walk=True).crash
    assert (again.armed, again.residue, again.address) == (False, True, at)
    assert isinstance(observe(machine.open()).crash.header, Unknown)


def test_what_looks_like_text_beyond_all_memory_is_described_in_vain(tmp_path: Path) -> None:
    """Only its virtual address tells text from memory, and a range that is gone may have any."""
    content = bytearray(core_header((*DUMPED, (8 * GIB, 9 * GIB))))
    struct.pack_into("<Q", content, len(content) - 56 + 16, 0x1234_5000)
    found = covered(observe(at_the_first_byte(tmp_path, bytes(content)).open()).crash)
    assert found.stale == (MemoryRange(8 * GIB, GIB),)


def test_a_header_larger_than_its_segment_has_no_room_to_tell_of(tmp_path: Path) -> None:
    machine = at_the_first_byte(tmp_path)
    machine.file("/sys/kernel/crash_elfcorehdr_size", "56\n")
    pages = tuple((MIB + at * 8192, MIB + at * 8192 + 4096) for at in range(80))
    machine.pages({REGION[0]: core_header(pages)})
    assert cause(observe(machine.open()).crash.room) is Cause.INVALID


@pytest.mark.parametrize(
    ("start", "seen"), [(0x1800_0000, True), (0x8000_0000, False), (0x1_0F00_0000, True)]
)
def test_of_a_region_of_4_gib_both_ends_are_searched(
    tmp_path: Path, start: int, seen: bool
) -> None:
    """A loader that goes upward has it near the bottom; where it was not looked is not claimed.

    The region is from 256 MiB to 4,352 MiB.
    """
    region = (256 * MIB, 256 * MIB + 4 * GIB)
    content = core_header(((0, region[0]), (region[1], 8 * GIB)), machine=21)
    machine = crash_machine(
        tmp_path,
        ((0, 8 * GIB),),
        [region],
        {region[0]: bytes(4096), start: content},
        machine="ppc64le",
    )
    image = observe(machine.open()).crash
    assert (image.address == start) is seen
    if not seen:
        assert isinstance(image.header, Unknown)
        assert "in the upper and lower 512 MiB" in image.header.reason
