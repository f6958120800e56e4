"""A stream of kstate in a file, entry by entry, with what is wrong in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kho_console import resources
from kho_console.abi.error import FormatError
from kho_console.abi.kstate import decode, encode, toml
from kho_console.abi.kstate.description import Description, Registry
from kho_console.abi.kstate.detect import detect
from kho_console.abi.kstate.fixed import Fixed, compiled
from kho_console.abi.kstate.stream import END_MARK, Walk, write
from kho_console.abi.reader import Ahead, Bytes, Reader
from kho_console.engine.findings.words import count
from kho_console.engine.formats.kstate_defects import SMALL, of_entry, of_stream, telling
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.kstate import DecodedEntry, KstateEntry, KstateVersion, StateValue
from kho_console.model.tree import Fault
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.regular import read_regular

LARGEST_SHOWN = 16 << 20
"""Bytes of an entry that are read for its fields, at most."""

_MOST_FINDINGS = 200
_MOST_KEYS = 1 << 20
_PIECE = 1 << 20
_DESCRIPTIONS_LIMIT = 1 << 20


def descriptions(version: KstateVersion, path: str | None = None) -> Registry:
    """The descriptions of a file, or those that come with the console; none for some series.

    Raises:
        FormatError: The file says something that is no description, or is of another series.
        SourceError: It cannot be read.
    """
    if path is None:
        shipped = resources.descriptions(f"kstate-{version}")
        return Registry(version, ()) if shipped is None else toml.parse(shipped)
    place = str(Path(path).absolute())
    text = read_regular(place, path, _DESCRIPTIONS_LIMIT).decode("utf-8", "replace")
    found = toml.parse(text)
    if found.version is not version:
        raise FormatError(0, f"descriptions of {found.version}, the stream is of {version}")
    return found


class KstateStream:
    """A stream that is being read.

    Attributes:
        version: Its series.
        end: Offset behind what was read so far.
        terminated: Whether it came to its end mark.
    """

    def __init__(
        self,
        reader: Reader,
        version: KstateVersion | None = None,
        registry: Registry | None = None,
        *,
        strict: bool = False,
        placed: bool = False,
    ) -> None:
        """Begin to read.

        Args:
            reader: Its bytes.
            version: Its series, where that is known.
            registry: Descriptions; None for those that come with the console.
            strict: Whether an entry has no fields where the kernel would only warn.
            placed: Whether it is told where each field is.
        """
        self._notes = _Notes()
        if version is None:
            version, doubt = detect(reader)
            if doubt is not None:
                said = f"taken for a stream of {version}: {doubt}; --version says what it is"
                self._notes.add("kstate-version-guessed", Severity.WARNING, "stream", said)
        self.version = version
        self._registry = registry or descriptions(version)
        self._reader = Ahead(reader)
        self._strict = strict
        self._placed = placed
        self._fixed: dict[int, Fixed | None] = {}
        self._telling: dict[int, bool] = {}
        self._walk = Walk(self._reader, version)

    @property
    def end(self) -> int:
        """See the class."""
        return self._walk.end

    @property
    def terminated(self) -> bool:
        """See the class."""
        return self._walk.terminated

    def entries(self) -> Iterator[DecodedEntry]:
        """The entries, one after the other; to be taken once."""
        seen: set[tuple[int | None, int, int]] = set()
        for entry in self._walk.entries():
            found = self._decoded(entry)
            self._note(found)
            key = (entry.section, entry.state_id, entry.instance_id)
            if key in seen:
                wins = "the first" if self.version is KstateVersion.V3 else "the last"
                said = f"instance {entry.instance_id} is there already; {wins} one counts"
                self._notes.add("kstate-duplicate", Severity.WARNING, _subject(entry), said)
            elif len(seen) < _MOST_KEYS:
                seen.add(key)
            yield found

    def findings(self) -> list[Finding]:
        """What is wrong, once all entries have been taken."""
        notes = self._notes
        for fault in self._walk.faults:
            notes.add("kstate-damaged", Severity.ERROR, "stream", _said(fault))
        for name, severity, said in of_stream(self.version, self._walk, self._reader):
            notes.add(name, severity, "stream", said)
        behind = self._reader.size - self._walk.end
        if self._walk.terminated and behind:
            said = f"{count(behind, 'byte')} behind the end mark mean nothing"
            notes.add("kstate-behind-the-end", Severity.INFO, "stream", said)
        return notes.findings()

    def behind(self, most: int) -> tuple[Maybe[bytes], int]:
        """What follows what was read, and how many zeros follow that.

        Zeros are counted alone where there are more than `most` bytes; others are not given then.
        """
        end, whole = self._walk.end, self._reader.size
        if whole - end <= most:
            return self._reader.read(end, whole - end), 0
        pieces = (self._reader.read(at, _PIECE) for at in range(end, whole, _PIECE))
        zeros = bytes(_PIECE)
        if not all(map(zeros.startswith, pieces)):
            why = f"{whole - end} bytes are too many to print"
            return Unknown(Cause.UNSUPPORTED, why), 0
        return b"", whole - end

    def _decoded(self, entry: KstateEntry) -> DecodedEntry:
        description = self._registry.get(entry.state_id)
        if entry.size > LARGEST_SHOWN:
            why = Unknown(Cause.UNSUPPORTED, f"{entry.size} bytes are too many to print")
            unnamed = _no_description(entry)
            return DecodedEntry(entry, description.name if description else unnamed, why, why)
        data = self._reader.read(entry.data, entry.size)
        if description is None:
            return DecodedEntry(entry, _no_description(entry), _no_description(entry), data)
        name = description.name
        fields = self._in_one_go(description, entry, data)
        if fields is not None:
            return DecodedEntry(entry, name, fields, data, (), (), ())
        decoder = decode.Decoder(self._registry, data, entry.data, placed=self._placed)
        try:
            if self._strict:
                return DecodedEntry(entry, name, decode.strictly(self._registry, entry, data), data)
            fields = decoder.fields(description, entry.version_id, entry.size)
        except FormatError as error:
            fault = Fault(error.offset, error.reason)
            why = Unknown(Cause.INVALID, error.reason, error.offset)
            return DecodedEntry(entry, name, why, data, (fault,), tuple(decoder.warnings))
        warnings = tuple(decoder.warnings)
        faults, lines = tuple(decoder.faults), tuple(decoder.lines)
        return DecodedEntry(entry, name, fields, data, faults, warnings, lines)

    def _in_one_go(
        self, description: Description, entry: KstateEntry, data: bytes
    ) -> dict[str, StateValue] | None:
        """The fields of an entry that is as described, None where they are to be looked for."""
        if self._placed or entry.version_id != description.version_id:
            return None
        if description.id not in self._fixed:
            self._fixed[description.id] = compiled(self._registry, description)
        fixed = self._fixed[description.id]
        return fixed.fields(data) if fixed is not None and fixed.size == len(data) else None

    def _note(self, found: DecodedEntry) -> None:
        entry, faults, warnings = found.entry, found.faults, found.warnings
        description = self._registry.get(entry.state_id)
        tells = description is not None and self._tells(description, entry.size)
        if not (faults or warnings or tells or description is None):
            return
        subject = _subject(entry)
        for fault in faults:
            self._notes.add("kstate-does-not-fit", Severity.ERROR, subject, _said(fault))
        for fault in warnings:
            said = f"{_said(fault)}; kernels warn once and go on"
            self._notes.add("kstate-version-mismatch", Severity.WARNING, subject, said)
        if isinstance(found.name, Unknown):
            said = f"{found.name.reason}: its {count(entry.size, 'byte')} mean nothing here"
            self._notes.add("kstate-no-description", Severity.INFO, subject, said)
        if description is not None and tells:
            for name, severity, said in of_entry(self._registry, description, found):
                self._notes.add(name, severity, subject, said)

    def _tells(self, description: Description, entry_size: int) -> bool:
        if description.id not in self._telling:
            self._telling[description.id] = telling(self._registry, description)
        return self._telling[description.id] or entry_size > SMALL


def decoded(stream: bytes, version: KstateVersion, registry: Registry) -> Iterator[DecodedEntry]:
    """The entries of a stream that was encoded."""
    return KstateStream(Bytes(stream), version, registry).entries()


def encoded(
    version: KstateVersion,
    entries: Iterable[tuple[KstateEntry, bytes | Mapping[str, StateValue]]],
    registry: Registry | None = None,
    ending: bytes = END_MARK,
    *,
    magic: bool = True,
) -> Iterator[bytes]:
    """A stream, piece by piece; what is behind a header are bytes, or fields to be written.

    Raises:
        FormatError: Fields have no description, or do not fit it.
    """
    registry = registry or descriptions(version)
    return write(version, (_pieces(registry, *item) for item in entries), ending, magic=magic)


def _pieces(
    registry: Registry, entry: KstateEntry, content: bytes | Mapping[str, StateValue]
) -> tuple[KstateEntry, bytes]:
    if isinstance(content, bytes):
        return entry, content
    description = registry.get(entry.state_id)
    if description is None:
        raise FormatError(entry.offset, f"no description of state id {entry.state_id}")
    try:
        return encode.entry(
            registry, description, content, entry.instance_id, subsection=entry.section == 1
        )
    except ValueError as error:
        raise FormatError(entry.offset, str(error)) from error


class _Notes:
    """Findings, no more of them than anybody reads."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._more: Counter[str] = Counter()
        self._worst: dict[str, Severity] = {}

    def add(self, name: str, severity: Severity, subject: str, said: str) -> None:
        self._more[name] += 1
        self._worst[name] = severity
        if self._more[name] <= _MOST_FINDINGS:
            self._found.append(Finding(name, severity, subject, said, (), None, About.FILE))

    def findings(self) -> list[Finding]:
        found = list(self._found)
        for name, number in self._more.items():
            if number > _MOST_FINDINGS:
                said = f"{number - _MOST_FINDINGS} more of this kind are not listed"
                found.append(Finding(name, self._worst[name], "stream", said, (), None, About.FILE))
        return found


def _no_description(entry: KstateEntry) -> Unknown:
    return Unknown(Cause.ABSENT, f"no description of state id {entry.state_id}")


def _subject(entry: KstateEntry) -> str:
    return f"entry at 0x{entry.offset:x}"


def _said(fault: Fault) -> str:
    return f"at 0x{fault.offset:x}: {fault.reason}"
