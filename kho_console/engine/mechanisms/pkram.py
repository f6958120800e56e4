"""A workload through PKRAM, one twin for each series."""

from kho_console.abi.memory import MissingMemory
from kho_console.abi.pkram.layout import PAGE
from kho_console.engine.mechanisms.placing import MARK, Placed, cost, preserved_pages, refused
from kho_console.model.pkram import PkramVersion
from kho_console.model.unknown import Maybe
from kho_console.model.workload import Cost, Crossed, Crossing
from kho_console.twin.pkram import KernelBug, Pkram, Stream, boot, reboot
from kho_console.twin.pkram.frames import Frames
from kho_console.twin.pkram.node import Data, NullDereference
from kho_console.twin.pkram.reboot import Linked
from kho_console.twin.refused import Refused

_FIRST = 0x4000
_LATER = 0x200000
_FILES = b"workload"


class Left:
    """What a kernel leaves in memory.

    Attributes:
        linked: Its pages, and the frame of the super block.
        nodes: The names of its nodes.
    """

    def __init__(self, linked: Linked, nodes: tuple[bytes, ...]) -> None:
        self.linked = linked
        self.nodes = nodes

    def read(self, address: int, size: int) -> bytes:
        """See `PhysicalMemory.read`."""
        found = bytearray()
        while len(found) < size:
            at = address + len(found)
            page = self.linked.pages.get(at & -PAGE)
            if page is None:
                raise MissingMemory(at, "nothing was written there")
            found += page[at % PAGE :][: size - len(found)]
        return bytes(found)


def run(version: PkramVersion, placed: Placed) -> tuple[Maybe[Cost], Maybe[Left]]:
    """Carry a workload with a series: what it takes, and what it leaves."""
    kernel = Pkram(version, Frames(_FIRST, list(placed.memory)))
    try:
        names = _save(kernel, placed)
    except (Refused, KernelBug) as error:
        why = refused(str(error))
        return why, why
    linked = reboot(kernel)
    own = len(linked.pages) * PAGE
    copies = sum(page.count(MARK) for page in linked.pages.values())
    return cost(placed, own, own, copies), Left(linked, names)


def crossed(left: Left, to: PkramVersion, placed: Placed) -> Crossed:
    """What a kernel of series `to` makes of it, and loads."""
    kernel = boot(to, left, left.linked.pfn, first=_LATER)
    if not kernel.nodes:
        said = "; ".join(kernel.frames.log) or "it finds no node"
        return Crossed(str(to), Crossing.LOST, said)
    wanted = {page.address: page.order for file in placed.files() for page in preserved_pages(file)}
    found: dict[int, int] = {}
    data = b""
    try:
        for name in left.nodes:
            data += _load(kernel, name, found)
    except (Refused, NullDereference) as error:
        return Crossed(str(to), Crossing.REFUSED, str(error))
    except KernelBug as error:
        return Crossed(str(to), Crossing.PANIC, str(error))
    faults = []
    if lost := len(wanted.keys() - found.keys()) + len(found.keys() - wanted.keys()):
        faults.append(f"{lost} of {len(wanted)} pages do not come back, or others do")
    if heads := sum(found.get(at, order) != order for at, order in wanted.items()):
        folios = sum(order > 0 for order in wanted.values())
        faults.append(f"{heads} of {folios} folios come back as their first page alone")
    if data != _records(placed):
        faults.append("the records come back otherwise")
    if faults:
        return Crossed(str(to), Crossing.MISREAD, "; ".join(faults))
    return Crossed(str(to), Crossing.TAKEN, "every page and record comes back")


def notes(version: PkramVersion, placed: Placed) -> tuple[str, ...]:
    """How a series carries what it has no form for."""
    found = []
    if version is PkramVersion.V1 and placed.records:
        found.append("an object has one page of bytes: a node for every 4 KiB of records")
    if placed.records:
        found.append("records are a stream of bytes: nothing says what is in them")
    return tuple(found)


def _save(kernel: Pkram, placed: Placed) -> tuple[bytes, ...]:
    """Save all of it; the names of the nodes."""
    stream = Stream()
    kernel.prepare_save(stream, _FILES)
    for file in placed.files():
        kernel.prepare_save_obj(stream, Data.PAGES)
        for page in preserved_pages(file):
            kernel.save_page(stream, page)
        kernel.finish_save_obj(stream)
    plain = kernel.version is PkramVersion.V1
    data = _records(placed)
    if data and not plain:
        kernel.prepare_save_obj(stream, Data.BYTES)
        kernel.write(stream, data)
        kernel.finish_save_obj(stream)
    kernel.finish_save(stream)
    names = [_FILES]
    for at in range(0, len(data) if plain else 0, PAGE):
        names.append(b"records-%d" % (at // PAGE))
        stream = Stream()
        kernel.prepare_save(stream, names[-1])
        kernel.prepare_save_obj(stream)
        kernel.write(stream, data[at : at + PAGE])
        kernel.finish_save(stream)
    return tuple(names)


def _records(placed: Placed) -> bytes:
    return b"".join(record for _, records in placed.records for record in records)


def _load(kernel: Pkram, name: bytes, found: dict[int, int]) -> bytes:
    """Load a node: the orders of its pages by their address, and its bytes."""
    stream, data = Stream(), b""
    kernel.prepare_load(stream, name)
    assert stream.node is not None
    while stream.node.objects:
        kernel.prepare_load_obj(stream)
        while (page := kernel.load_page(stream)) is not None:
            found[page.address] = page.order
        while part := kernel.read(stream, PAGE):
            data += part
        kernel.finish_load_obj(stream)
    kernel.finish_load(stream)
    return data
