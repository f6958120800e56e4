"""PKRAM in an image of physical memory."""

from collections.abc import Iterator, Sequence

from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.pkram import layout
from kho_console.abi.pkram import read as reading
from kho_console.abi.pkram import write as writing
from kho_console.abi.reader import Reader
from kho_console.engine.findings.words import count
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.pkram import PkramImage, PkramLayout, PkramVersion, PreservedPage
from kho_console.model.tree import Fault
from kho_console.model.unknown import Cause, Unknown


class FlatImage:
    """A file that holds physical memory from address 0 on."""

    def __init__(self, reader: Reader) -> None:
        """Read from a file."""
        self._reader = reader

    def read(self, address: int, size: int) -> bytes:
        """See `PhysicalMemory.read`."""
        data = self._reader.read(address, size) if address < self._reader.size else b""
        if len(data) != size:
            raise MissingMemory(address + len(data), "the image ends before")
        return data


def read(
    memory: PhysicalMemory, pfn: int, version: PkramVersion | None, *, listed: bool = False
) -> tuple[PkramImage, list[Finding]]:
    """What a super block leads to, and what is to be said of it."""
    try:
        found = reading.read(memory, pfn, version, listed=listed)
    except (FormatError, MissingMemory) as error:
        at = error.offset if isinstance(error, FormatError) else error.address
        reason = error.reason + mistaken(memory, pfn)
        why = Unknown(Cause.INVALID, reason, at)
        fault = Fault(at, reason)
        found = PkramImage(version or PkramVersion.V3, pfn, (), why, (fault,))
    findings = list(_findings(found, guessed=version is None))
    if listed and found.nodes and not _comes_back(memory, found):
        subject = f"super block 0x{pfn:x}"
        said = "encode of these nodes gives other bytes: not all of what lies here is in a document"
        findings.append(Finding("pkram-layout", Severity.INFO, subject, said, (), None, About.FILE))
    return found, findings


def mistaken(memory: PhysicalMemory, pfn: int) -> str:
    """What to say where an address was given in place of a frame number; nothing where it was not.

    It is told by the magic number that lies there, which v1 has not.
    """
    try:
        found = layout.has_magic(memory.read(pfn, layout.PAGE))
    except MissingMemory:
        return ""
    if not found or pfn % layout.PAGE:
        return ""
    said = "a super block lies at that address; pkram= takes the number of its frame, "
    return f"; {said}{pfn >> layout.SHIFT:x}"


def encoded(
    pfn: int,
    nodes: Sequence[tuple[bytes, Sequence[tuple[Sequence[PreservedPage], bytes]]]],
    version: PkramVersion,
    where: PkramLayout | None = None,
) -> dict[int, bytes]:
    """Pages by address, on the frames that `where` names.

    Raises:
        ValueError: Something of it cannot be written in that series.
    """
    saved = [
        writing.SavedNode(name, [writing.SavedObject(*item) for item in objects])
        for name, objects in nodes
    ]
    return writing.write(pfn, saved, version, where)


def _comes_back(memory: PhysicalMemory, found: PkramImage) -> bool:
    """Whether what was read is written again as it lies there."""
    nodes = []
    for node in found.nodes:
        objects = []
        for item in node.objects:
            if item.content is None or isinstance(item.content.bytes, Unknown):
                return False
            if len(item.content.bytes) != item.byte_count:
                return False
            objects.append((item.content.pages, item.content.bytes))
        nodes.append((node.name, objects))
    try:
        written = encoded(found.pfn, nodes, found.version, found.layout)
        return all(memory.read(at, len(page)) == page for at, page in written.items())
    except (ValueError, MissingMemory):
        return False


def _findings(found: PkramImage, *, guessed: bool) -> Iterator[Finding]:
    subject = f"super block 0x{found.pfn:x}"
    for fault in found.faults:
        said = f"at 0x{fault.offset:x}: {fault.reason}"
        yield Finding("pkram-damaged", Severity.ERROR, subject, said, (), None, About.FILE)
    orders = {
        order for node in found.nodes for item in node.objects for order in item.blocks_by_order
    }
    odd = sorted(orders - {0, 9}) if found.version is PkramVersion.V3 else []
    if odd:
        said = (
            f"folios of order {', '.join(map(str, odd))}: v3 tracks each by its head as the 2 MiB "
            "around it, so smaller ones reserve too much and larger ones lose their second half"
        )
        yield Finding("pkram-v3-slots", Severity.WARNING, subject, said, (), None, About.FILE)
    if found.contrary:
        said = (
            "pages are flagged as huge, which v3 never does: these nodes are of v2"
            if found.version is PkramVersion.V3
            else "pages of more than 4 KiB are not flagged as huge, as v3 leaves them: "
            f"{found.version} gives back the first 4 KiB of each alone"
        )
        yield Finding("pkram-huge-flags", Severity.WARNING, subject, said, (), None, About.FILE)
    if guessed and found.nodes and found.version is PkramVersion.V3 and orders <= {0}:
        said = "taken for v3: without a page of more than 4 KiB nothing tells it from v2"
        yield Finding("pkram-version-guessed", Severity.INFO, subject, said, (), None, About.FILE)
    if found.scattered:
        said = "pages are too scattered to tell that none is referred to twice"
        yield Finding("pkram-scattered", Severity.INFO, subject, said, (), None, About.FILE)
    if found.nodes:
        said = (
            f"{count(len(found.nodes), 'node')}: what nobody loads is not protected at the next "
            "kexec, as the new kernel tracks no page of it"
        )
        remedy = "load every node, or write 0 to /sys/kernel/pkram, before the next kexec"
        yield Finding("pkram-one-generation", Severity.INFO, subject, said, (), remedy, About.FILE)
    elif not found.faults:
        severity, said = Severity.INFO, "nothing is preserved"
        if guessed and found.version is PkramVersion.V1:
            severity = Severity.WARNING
            said = (
                "zeros alone: an empty super block of v1, or no super block at all; "
                "--version says which series it is"
            )
        yield Finding("pkram-empty", severity, subject, said, (), None, About.FILE)
