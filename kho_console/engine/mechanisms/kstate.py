"""A workload through kstate, one twin for each series."""

from dataclasses import replace

from kho_console.abi.kstate import command_line
from kho_console.abi.kstate.description import KS, Custom, Description, Field, Registry, base_type
from kho_console.engine.mechanisms import mainline
from kho_console.engine.mechanisms.mainline import Machine, hardware
from kho_console.engine.mechanisms.placing import PAGE, Placed, WatchedMemory, cost, refused
from kho_console.model.kstate import KstateVersion, StateValue
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass
from kho_console.model.workload import Cost, Crossed, Crossing
from kho_console.twin.allocator import Allocator
from kho_console.twin.handover import Handover
from kho_console.twin.kstate import Defect, KernelFault, Kstate, KstateV3
from kho_console.twin.kstate.carrier import Handed, through_handover, through_segment
from kho_console.twin.memory import SimulatedMemory
from kho_console.twin.refused import Refused
from kho_console.twin.release import RELEASES

VERSIONS = (KstateVersion.V1, KstateVersion.V2, KstateVersion.V3)
_UNDER = "6.17"
"""The release whose handover carries the stream of v3: it was posted between 6.17 and 6.18."""

_FILE = 100
_RECORDS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """An object that a kernel saves.

    Attributes:
        description: What it is described by.
        instance_id: Which of those.
        value: Its fields.
    """

    description: Description
    instance_id: int
    value: dict[str, StateValue]


class Left:
    """What a kernel leaves.

    Attributes:
        version: The series.
        memory: What it wrote.
        handed: Where its stream is, and who says so.
        objects: What it saved.
        pages: The pages of 4 KiB that it preserves by its own list (v1, v2).
    """

    def __init__(
        self,
        version: KstateVersion,
        memory: SimulatedMemory,
        handed: Handed,
        objects: tuple[Saved, ...],
        pages: tuple[int, ...] = (),
    ) -> None:
        self.version = version
        self.memory = memory
        self.handed = handed
        self.objects = objects
        self.pages = pages

    @property
    def records(self) -> bool:
        """Whether there are records among the objects."""
        return any(item.description.id >= _RECORDS for item in self.objects)


def run(version: KstateVersion, placed: Placed) -> tuple[Maybe[Cost], Maybe[Left], tuple[str, ...]]:
    """Carry a workload with a series: what it takes, what it leaves, and the defects it meets."""
    try:
        if version is KstateVersion.V3:
            return _through_handover(placed)
        return *_through_segment(version, placed), ()
    except KernelFault as error:
        why = refused(str(error))
    except Refused as error:
        why = refused(error.strerror or str(error))
    return why, why, ()


def crossed(left: Left, to: KstateVersion) -> Crossed:
    """What a kernel of series `to` makes of it."""
    stream = left.handed.found(left.memory, to)
    if stream is None:
        option = command_line.OPTIONS.get(to)
        said = "no handover says where a stream is (ENOENT)"
        if option is not None:
            said = f"it looks for {option.decode()}=, which is not on its command line"
        return Crossed(str(to), Crossing.LOST, said)
    return _restored(left, to, stream, left.objects, str(to))


def changed(left: Left) -> Crossed:
    """What becomes of the records when their description has one field more."""
    objects = tuple(
        replace(item, description=_longer(item.description))
        if item.description.id >= _RECORDS
        else item
        for item in left.objects
    )
    stream = left.handed.found(left.memory, left.version)
    return _restored(left, left.version, stream, objects, "one field more")


def _through_segment(version: KstateVersion, placed: Placed) -> tuple[Cost, Left]:
    objects = _objects(version, placed)
    kernel = Kstate(_registry(version, objects))
    for page in placed.memory:
        # The order is read as a truth value: only pages of order 0 and 1 are kept whole.
        for at in range(page.start, page.end, PAGE):
            kernel.preserve_page(at)
    for item in objects:
        kernel.register(item.description.id, item.value)
    memory = WatchedMemory()
    nodes = hardware(memory, placed).nodes
    handed = through_segment(kernel, Allocator(memory, nodes, placed.memory))
    pages = tuple(address for _, address in kernel.pages)
    left = Left(version, memory, handed, objects, pages)
    return cost(placed, handed.used, handed.place.size, memory.copies), left


def _through_handover(placed: Placed) -> tuple[Cost, Left, tuple[str, ...]]:
    version = KstateVersion.V3
    objects = _objects(version, placed)
    machine = Machine(RELEASES[_UNDER], placed)
    handed: list[Handed] = []
    defects: list[str] = []

    def preserve(hand: Handover) -> None:
        kernel = KstateV3(_registry(version, objects))
        for item in objects:
            kernel.register(item.description.id, item.value, item.instance_id)
        mainline.preserve_blocks(hand, placed.files())
        try:
            handed.append(through_handover(kernel, hand, fixed=False))
        except KernelFault as error:
            defects.append(f"as posted: {error}; the figures are those of the author's branch")
            handed.append(through_handover(kernel, hand, fixed=True))

    machine.produce(preserve)
    machine.finalize()
    taken = machine.described().bytes
    left = Left(version, machine.memory, handed[-1], objects)
    return cost(placed, taken, taken, machine.memory.copies), left, tuple(defects)


def _restored(
    left: Left, to: KstateVersion, stream: bytes | None, objects: tuple[Saved, ...], target: str
) -> Crossed:
    """What a kernel with these descriptions gets back of all objects."""
    registry = _registry(to, objects)
    counts = _counts(objects)
    found: list[dict[str, StateValue]] = [{} for _ in objects]
    try:
        if to is KstateVersion.V3:
            later = KstateV3(registry, stream, counts)
            restorer = later.restorer
            for item, value in zip(objects, found, strict=True):
                later.restore(later.register(item.description.id, value, item.instance_id))
        else:
            kernel = Kstate(registry, stream, counts)
            restorer = kernel.restorer
            for item, value in zip(objects, found, strict=True):
                kernel.register(item.description.id, value)
            reserved = {address for _, address in kernel.reserved}
            if reserved != set(left.pages):
                said = f"{len(reserved & set(left.pages))} of {len(left.pages)} pages are reserved"
                return Crossed(target, Crossing.MISREAD, said)
    except Refused:
        return Crossed(target, Crossing.LOST, "it finds no stream, or not all entries (ENOENT)")
    except KernelFault as error:
        return Crossed(target, Crossing.PANIC, str(error))
    faults = [str(item) for item in restorer.defects if item is not Defect.NOT_CONSUMED]
    wrong = sum(
        any(value.get(name) != was for name, was in item.value.items())
        for item, value in zip(objects, found, strict=True)
    )
    if wrong:
        faults.append(f"{wrong} of {len(objects)} objects come back otherwise")
    if faults:
        return Crossed(target, Crossing.MISREAD, "; ".join(faults))
    warned = "; ".join(restorer.warnings)
    return Crossed(target, Crossing.TAKEN, f"{warned}: warned once" if warned else "it is restored")


def _objects(version: KstateVersion, placed: Placed) -> tuple[Saved, ...]:
    """The files and the records; a count callback is of a description, so each file has its own."""
    found = []
    for number, file in enumerate(placed.files(), _FILE):
        value: dict[str, StateValue] = {"name": file.name.encode()[:31]}
        if version is KstateVersion.V3:
            value["pages"] = [page.start for page in file.pages]
        else:
            value["nr_pages"] = len(file.pages)
            value["pages"] = [{"order": file.order, "address": page.start} for page in file.pages]
        found.append(Saved(_file(version, number), 1, value))
    for number, (name, records) in enumerate(placed.records, _RECORDS):
        state = Field("state", KS.BASE_TYPE, base_type(f"bytes[{len(records[0])}]"))
        described = Description(name, number, 1, (state,))
        found += [Saved(described, at, {"state": one}) for at, one in enumerate(records, 1)]
    return tuple(found)


def _registry(version: KstateVersion, objects: tuple[Saved, ...]) -> Registry:
    return Registry(version, {item.description.id: item.description for item in objects}.values())


def _file(version: KstateVersion, number: int) -> Description:
    name = Field("name", KS.BASE_TYPE, base_type("char[32]"))
    if version is KstateVersion.V3:
        pages = Field("pages", KS.BASE_TYPE, base_type("u64"), count=f"pages{number}")
        return Description("file", number, 1, (name, pages))
    count = Field("nr_pages", KS.BASE_TYPE, base_type("u32"))
    pages = Field("pages", KS.CUSTOM, custom=Custom.PAGES)
    return Description("file", number, 1, (name, count, pages))


def _counts(objects: tuple[Saved, ...]) -> dict[str, int]:
    """What the count callbacks of the files say."""
    return {
        f"pages{item.description.id}": len(pages)
        for item in objects
        if isinstance(pages := item.value.get("pages"), list)
    }


def _longer(item: Description) -> Description:
    more = Field("more", KS.BASE_TYPE, base_type("u32"), version_id=2)
    return Description(item.name, item.id, 2, (*item.fields, more), 1)
