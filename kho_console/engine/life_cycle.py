"""The way of a kernel's handover, from step to step, and where a machine stands on it."""

from kho_console.model.generation import Finalize, State
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass

NEXT_KERNEL = "next kernel"


@dataclass(frozen=True, slots=True)
class WayBack:
    """A step that leads back, from one station to an earlier one by their numbers."""

    start: int
    end: int
    verb: str


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """What there is on this kernel, and nothing that other kernels have.

    Attributes:
        stations: Their names in order; the last one is the next kernel.
        verbs: The step from each station to the next one.
        back: The steps that lead back.
        here: The number of the station that the machine stands on; None where that is not known.
        words: The same in a sentence.
    """

    stations: tuple[str, ...]
    verbs: tuple[str, ...]
    back: tuple[WayBack, ...]
    here: int | None
    words: str


def life_cycle(snapshot: Snapshot) -> LifeCycle:
    """The life cycle of the machine's own generation."""
    names, verbs, back = _way(snapshot)
    here, words = _here(snapshot, names)
    return LifeCycle((*names, NEXT_KERNEL), (*verbs, "execute"), back, here, words)


def loads_too_early(snapshot: Snapshot) -> bool:
    """Whether an image that is loaded now would go without the handover, for all that is known."""
    generation = snapshot.generation
    ordered = generation.finalize in (Finalize.REVERSIBLE, Finalize.ACTIVE_FILE)
    return ordered and snapshot.state is State.OPEN and generation.order_matters is not False


_Way = tuple[tuple[str, ...], tuple[str, ...], tuple[WayBack, ...]]


def _way(snapshot: Snapshot) -> _Way:
    kind = snapshot.generation.finalize
    if snapshot.unavailable is not None or kind is Finalize.UNKNOWN:
        return ("no handover", "loaded"), ("load",), (WayBack(1, 0, "unload"),)
    if kind is Finalize.NONE:
        return ("stateless", "loaded"), ("load",), (WayBack(1, 0, "unload"),)
    unload = WayBack(2, 1, "unload")
    if kind is Finalize.ACTIVE_FILE:
        both = (WayBack(1, 0, "deactivate"), unload)
        return ("inactive", "active", "loaded"), ("activate", "load"), both
    names, verbs = ("open", "finalized", "loaded"), ("finalize", "load")
    if kind is Finalize.LATCHING:
        return names, verbs, (unload,)
    return names, verbs, (WayBack(1, 0, "abort"), unload)


def _here(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[int | None, str]:
    loaded = snapshot.kexec.loaded
    image = "an image is loaded" if loaded else "no image is loaded"
    if isinstance(loaded, Unknown):
        image = "whether an image is loaded is not known"
    if len(names) == 2:
        here = None if isinstance(loaded, Unknown) else int(loaded)
        return here, f"{names[0]}, {image}"
    if snapshot.state is State.UNAVAILABLE:
        return None, f"where it stands cannot be read, {image}"
    done = snapshot.state is State.FINALIZED
    here = 2 if done and loaded is True else int(done)
    return here, f"{names[int(done)]}, {image}"
