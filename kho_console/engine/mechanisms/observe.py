"""Which mechanisms beside the handover a machine shows, and what they hold.

Their decoders are imported where there is something to decode: most machines have neither.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from kho_console.abi import command_line
from kho_console.abi.error import FormatError
from kho_console.abi.kstate.command_line import OPTIONS, StreamPlace, parse
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.reader import Reader
from kho_console.abi.setup_data import SetupHandover
from kho_console.engine import files, offer, paths
from kho_console.engine.opening import CannotOpenError, fixture
from kho_console.model.finding import About, Evidence, Finding, Severity
from kho_console.model.kstate import KstateVersion
from kho_console.model.mechanism import KstateSeen, Mechanisms, PkramSeen
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source
from kho_console.source.regular_file import RegularFile

if TYPE_CHECKING:
    from kho_console.engine.formats.kstate import KstateStream

PKRAM = "/sys/kernel/pkram"
MOST_ENTRIES = 10_000
_V1_SEGMENT = 8 << 20
_LARGEST = 64 << 20
_POINTER = 8
_SHIFT = 12
_FRAME = re.compile(rb"(?:0[xX])?[0-9a-fA-F]{1,16}")

_UNRESERVED = Finding(
    "kstate-unreserved",
    Severity.WARNING,
    "stream",
    "kstate_stream= has no size: the kernel reserves nothing of the stream, and may overwrite it",
    (),
    "hand over kstate_stream=ADDRESS@SIZE, as the kernel before writes it",
    About.KSTATE,
)


def mechanisms(
    source: Source, line: Maybe[bytes], offered: Maybe[SetupHandover] | None = None
) -> Mechanisms:
    """Look for PKRAM and for a stream of kstate.

    Args:
        source: The machine.
        line: Its command line.
        offered: What the boot protocol carried.
    """
    given = _given(line)
    return Mechanisms(_pkram(source, given), _kstate(source, given, offered))


def super_block(source: Source) -> int:
    """Page frame number of the super block of PKRAM on a machine.

    Raises:
        CannotOpenError: Nothing names one.
    """
    seen = _pkram(source, _given(files.raw(source, paths.CMDLINE)))
    if seen is None:
        raise CannotOpenError(f"{source.name}: neither {PKRAM} nor pkram= names a super block")
    if not seen.pfn and isinstance(seen.image, Unknown):
        raise CannotOpenError(f"{source.name}: {seen.evidence.path}: {seen.image.reason}")
    return seen.pfn


@contextmanager
def stream(path: str) -> Iterator[tuple[Reader, KstateVersion | None]]:
    """A stream in a file, or the one that the machine of a fixture was handed, with its series.

    Raises:
        CannotOpenError: Nothing names one.
        OSError: It cannot be read.
    """
    machine = fixture(path)
    if machine is not None:
        yield _handed(machine)
        return
    with RegularFile(path) as reader:
        yield reader, None


def _handed(source: Source) -> tuple[Reader, KstateVersion]:
    given = _given(files.raw(source, paths.CMDLINE))
    found = _place(source.memory, given, offer.offered(source))
    if found is None:
        raise CannotOpenError(
            f"{source.name}: neither the command line nor the boot protocol names a stream"
        )
    version, place, evidence = found
    unseen = _unseen(source.memory, place)
    if unseen is not None:
        raise CannotOpenError(f"{source.name}: {evidence.value}: {unseen.reason}")
    assert place.address is not None
    return _reader(source.memory, version, place.address, place.size), version


def _given(line: Maybe[bytes]) -> dict[bytes, bytes | None]:
    """The last value of each option; one without `=` is refused, and leaves what stood before."""
    found: dict[bytes, bytes | None] = {}
    words = () if isinstance(line, Unknown) else command_line.parse(line.strip()).arguments
    for item in words:
        name = item.name.replace(b"-", b"_")
        found[name] = found.get(name) if item.value is None else item.value
    return found


def read_file(path: str, version: KstateVersion | None = None) -> KstateSeen:
    """A stream in a file.

    Raises:
        FormatError: It cannot be one.
        OSError: It cannot be read.
    """
    from kho_console.engine.formats.kstate import KstateStream

    with RegularFile(path) as reader:
        stream = KstateStream(reader, version, placed=True)
        return _read(stream, path, Evidence(path, f"{reader.size} bytes"))


def _pkram(source: Source, given: dict[bytes, bytes | None]) -> PkramSeen | None:
    shown, option = files.raw(source, PKRAM), given.get(b"pkram")
    if isinstance(shown, Unknown) and shown.cause in (Cause.ABSENT, Cause.NOT_RECORDED):
        if option is None:
            return None
        raw, evidence = (
            option,
            Evidence(paths.CMDLINE, f"pkram={option.decode('ascii', 'replace')}"),
        )
    elif isinstance(shown, Unknown):
        return PkramSeen(0, Evidence(PKRAM, shown.reason), shown)
    else:
        raw, evidence = shown.strip(), Evidence(PKRAM, shown.strip().decode("ascii", "replace"))
    pfn = int(raw, 16) if _FRAME.fullmatch(raw) else -1
    if not 0 <= pfn < 1 << 64 - _SHIFT:
        return PkramSeen(0, evidence, Unknown(Cause.INVALID, "no page frame number"))
    if not pfn:
        return PkramSeen(0, evidence, Unknown(Cause.ABSENT, "there is no super block"))
    from kho_console.engine.formats import pkram

    try:
        source.memory.read(pfn << _SHIFT, 1 << _SHIFT)
    except MissingMemory as error:
        reason = error.reason + pkram.mistaken(source.memory, pfn)
        return PkramSeen(pfn, evidence, Unknown(Cause.NOT_RECORDED, reason, error.address))
    image, findings = pkram.read(source.memory, pfn, None)
    why, said = image.regions, tuple(findings)
    if not image.nodes and isinstance(why, Unknown) and why.cause is Cause.INVALID:
        return PkramSeen(pfn, evidence, why, said)
    return PkramSeen(pfn, evidence, image, said)


def _kstate(
    source: Source, given: dict[bytes, bytes | None], offered: Maybe[SetupHandover] | None
) -> KstateSeen | None:
    found = _place(source.memory, given, offered)
    return None if found is None else _at(source.memory, *found)


def _place(
    memory: PhysicalMemory,
    given: dict[bytes, bytes | None],
    offered: Maybe[SetupHandover] | None,
) -> tuple[KstateVersion, StreamPlace, Evidence] | None:
    for version in (KstateVersion.V1, KstateVersion.V2):
        option = OPTIONS[version]
        if option in given:
            raw = given[option]
            said = option if raw is None else option + b"=" + raw
            evidence = Evidence(paths.CMDLINE, said.decode("ascii", "backslashreplace"))
            place = parse(raw, version)
            return _series(memory, version, place), place, evidence
    if offered is None or isinstance(offered, Unknown):
        return None
    from kho_console.abi.kstate.stream import MAGIC

    try:
        # v3 hands over a page that holds the address of the stream, where others have the tree.
        page = memory.read(offered.fdt_address, _POINTER)
        address = int.from_bytes(page, "little")
        if int.from_bytes(memory.read(address, 4), "little") != MAGIC:
            return None
    except MissingMemory:
        return None
    evidence = Evidence(paths.SETUP_DATA, f"0x{offered.fdt_address:x} leads to 0x{address:x}")
    return KstateVersion.V3, StreamPlace(address, _LARGEST), evidence


def _series(memory: PhysicalMemory, version: KstateVersion, place: StreamPlace) -> KstateVersion:
    """The series; the unposted step behind v2 has the option of v2, and another stream."""
    if version is KstateVersion.V1 or place.address is None or not place.migrated:
        return version
    from kho_console.abi.kstate.detect import detect

    found, doubt = detect(_reader(memory, version, place.address, place.size))
    return found if found is KstateVersion.DEV and doubt is None else version


def _unseen(memory: PhysicalMemory, place: StreamPlace) -> Unknown | None:
    """Why there is no stream to read, None where there is one."""
    if place.address is None or not place.migrated:
        return Unknown(Cause.INVALID, "the option names no address, and the kernel has no stream")
    if place.refused:
        said = "the option is no number: the kernel refuses it, and takes 0x0 for the address"
        return Unknown(Cause.INVALID, said)
    try:
        memory.read(place.address, 4)
    except MissingMemory as error:
        said = f"memory at 0x{error.address:x}: {error.reason}"
        return Unknown(Cause.NOT_RECORDED, said, error.address)
    return None


def _reader(memory: PhysicalMemory, version: KstateVersion, start: int, size: int) -> Reader:
    """The bytes from `start` on; v1 never looks at the size, and nothing tells that of v3.

    Where the option has no size, kernels read from there all the same.
    """
    if version is KstateVersion.V1:
        return _InMemory(memory, start, _V1_SEGMENT)
    found = _InMemory(memory, start, min(size or _LARGEST, _LARGEST))
    if version is KstateVersion.V3 or not size:
        from kho_console.abi.kstate.stream import Walk

        walk = Walk(found, version)
        for _ in walk.entries():
            pass
        return _InMemory(memory, start, walk.end) if walk.terminated else found
    return found


def _at(
    memory: PhysicalMemory, version: KstateVersion, place: StreamPlace, evidence: Evidence
) -> KstateSeen:
    """The stream at a place in memory."""
    nowhere = place.refused or place.address is None or not place.migrated
    where = "nowhere" if nowhere else f"0x{place.address:x}"
    unseen = _unseen(memory, place)
    if unseen is not None:
        return KstateSeen(version, where, evidence, unseen)
    assert place.address is not None
    try:
        reader = _reader(memory, version, place.address, place.size)
    except FormatError as error:
        return KstateSeen(version, where, evidence, Unknown(Cause.INVALID, error.reason))
    from kho_console.engine.formats.kstate import KstateStream

    found = _read(KstateStream(reader, version, placed=True), where, evidence)
    if version in (KstateVersion.V2, KstateVersion.DEV) and not place.size:
        findings = (*found.findings, _UNRESERVED)
        return replace(found, findings=findings)
    return found


def _read(stream: "KstateStream", place: str, evidence: Evidence) -> KstateSeen:
    try:
        entries = tuple(islice(stream.entries(), MOST_ENTRIES + 1))
        findings = tuple(stream.findings())
    except (FormatError, MissingMemory) as error:
        why = Unknown(Cause.INVALID, error.reason)
        return KstateSeen(stream.version, place, evidence, why)
    cut = len(entries) > MOST_ENTRIES
    return KstateSeen(
        stream.version, place, evidence, entries[:MOST_ENTRIES], cut, stream.terminated, findings
    )


class _InMemory(Reader):
    """A stretch of physical memory, as far as it can be read."""

    def __init__(self, memory: PhysicalMemory, start: int, size: int) -> None:
        self._memory = memory
        self._start = start
        self._size = size

    @property
    def size(self) -> int:
        """Bytes that may be there."""
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`."""
        first, wanted = self._start + offset, max(min(size, self._size - offset), 0)
        try:
            return self._memory.read(first, wanted)
        except MissingMemory as error:
            there = error.address - first
            return self._memory.read(first, there) if 0 < there < wanted else b""
