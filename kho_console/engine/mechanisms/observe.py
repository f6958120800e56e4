"""Which mechanisms beside the handover a machine shows, and what they hold.

Their decoders are imported where there is something to decode: most machines have neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager
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
from kho_console.model.finding import Evidence
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
    if place.address is None:
        raise CannotOpenError(f"{source.name}: {evidence.value} names no address")
    return _reader(source.memory, version, place.address, place.size), version


def _given(line: Maybe[bytes]) -> dict[bytes, bytes | None]:
    words = () if isinstance(line, Unknown) else command_line.parse(line.strip()).arguments
    return {item.name: item.value for item in words}


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
    try:
        pfn = int(raw, 16)
    except ValueError:
        pfn = -1
    if not 0 <= pfn < 1 << 64 - _SHIFT:
        return PkramSeen(0, evidence, Unknown(Cause.INVALID, "no page frame number"))
    if not pfn:
        return PkramSeen(0, evidence, Unknown(Cause.ABSENT, "there is no super block"))
    try:
        source.memory.read(pfn << _SHIFT, 1 << _SHIFT)
    except MissingMemory as error:
        return PkramSeen(pfn, evidence, Unknown(Cause.NOT_RECORDED, error.reason, error.address))
    from kho_console.engine.formats import pkram

    image, findings = pkram.read(source.memory, pfn, None)
    return PkramSeen(pfn, evidence, image, tuple(findings))


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
            return version, parse(raw, version), evidence
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


def _reader(memory: PhysicalMemory, version: KstateVersion, start: int, size: int) -> Reader:
    """The bytes from `start` on; v1 never looks at the size, and nothing tells that of v3."""
    if version is KstateVersion.V1:
        return _InMemory(memory, start, _V1_SEGMENT)
    found = _InMemory(memory, start, min(size, _LARGEST))
    if version is KstateVersion.V3:
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
    if place.address is None:
        why = Unknown(Cause.INVALID, "the option names no address")
        return KstateSeen(version, "nowhere", evidence, why)
    where = f"0x{place.address:x}"
    try:
        memory.read(place.address, 4)
    except MissingMemory as error:
        why = Unknown(Cause.NOT_RECORDED, error.reason, error.address)
        return KstateSeen(version, where, evidence, why)
    try:
        reader = _reader(memory, version, place.address, place.size)
    except FormatError as error:
        return KstateSeen(version, where, evidence, Unknown(Cause.INVALID, error.reason))
    from kho_console.engine.formats.kstate import KstateStream

    return _read(KstateStream(reader, version, placed=True), where, evidence)


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
