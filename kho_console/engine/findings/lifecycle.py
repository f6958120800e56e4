"""The mechanism this kernel speaks, and where it stands between preserving and the kexec."""

from collections.abc import Iterator

from kho_console.engine import paths
from kho_console.engine.findings import scratch
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.generation import Finalize, Protocol, State
from kho_console.model.unknown import Cause, Unknown


def unsupported(facts: Facts) -> Iterator[Found]:
    """The preserved map of this generation is not decoded."""
    found, generation = facts.snapshot.inventory.preserved, facts.snapshot.generation
    if not isinstance(found, Unknown) or found.cause is not Cause.UNSUPPORTED:
        return
    words = [
        Evidence(facts.where.tree(place), side.tree.compatible.decode("utf-8", "surrogateescape"))
        for place, side in facts.sides
        if not isinstance(side.tree, Unknown) and not isinstance(side.tree.compatible, Unknown)
    ]
    if words:
        text = f"This kernel speaks {plain(words[0].value)}"
    elif generation.finalize is not Finalize.NONE:
        text = f"The handover of this kernel is that of {generation.releases}"
    else:
        text = "Nothing that can be read tells which handover format this kernel speaks"
    yield Found(
        Severity.WARNING,
        "handover format",
        f"{text}; its map of preserved memory is not decoded here.",
        (*words, *(Evidence(generation.folder, seen) for seen in generation.evidence)),
        "Look for a newer version of this console." if words else None,
    )


def stateless(facts: Facts) -> Iterator[Found]:
    """7.1 and later."""
    if facts.snapshot.state is State.STATELESS:
        yield Found(
            Severity.INFO,
            "finalize",
            "This kernel has no finalize step: it hands over what is preserved at the moment of "
            "the kexec.",
            (Evidence(facts.where.finalize, "not there"),),
        )


def not_finalized(facts: Facts) -> Iterator[Found]:
    """There is a step, and it is not done."""
    snapshot = facts.snapshot
    step = snapshot.generation.finalize
    if snapshot.state is not State.OPEN or step is Finalize.NONE:
        return
    active = step is Finalize.ACTIVE_FILE
    if step is Finalize.LATCHING and snapshot.liveupdate_device is True:
        # 6.19 and 7.0: with live update on, reboot(2) finalizes on its own.
        severity, remedy = Severity.INFO, None
        means = "live update does it when the machine reboots into the loaded image"
    else:
        loaded = snapshot.kexec.loaded is True
        severity = Severity.WARNING if loaded else Severity.INFO
        remedy = f"Write 1 to {snapshot.generation.switch}, then load the image."
        if any(scratch.missing(facts)):
            remedy = None
        means = "a kexec now would hand over nothing"
        if loaded and snapshot.generation.order_matters is True:
            means = "an image that is loaded now goes without it"
    yield Found(
        severity,
        "active" if active else "finalize",
        f"The handover is not {'active' if active else 'finalized'}: {means}.",
        (snapshot.proof,),
        remedy,
    )


def finalized_blocks(facts: Facts) -> Iterator[Found]:
    """6.16 to 6.18 answer EBUSY to every producer while finalized."""
    if _reversible(facts) and facts.snapshot.state is State.FINALIZED:
        yield Found(
            Severity.INFO,
            "finalize",
            "While the handover is finalized, nothing more can be preserved: the kernel answers "
            "EBUSY to producers.",
            (facts.snapshot.proof,),
            "Abort to preserve more; that discards all preservation, then finalize and load again.",
        )


def image_before_finalize(facts: Facts) -> Iterator[Found]:
    """6.17 and 6.18, and the 2024 series: the image takes what is ready when it is loaded.

    What is taken back afterwards it keeps; no file tells this from a load that came too early.
    """
    snapshot = facts.snapshot
    if snapshot.state is not State.OPEN or snapshot.kexec.loaded is not True:
        return
    if snapshot.generation.order_matters is True:
        yield Found(
            Severity.ERROR,
            "loaded image",
            "An image was loaded before the handover was ready, or the handover was taken back "
            "since: the image carries nothing, or leads to memory that is no longer kept. That it "
            "is made ready now does not mend it.",
            (Evidence(paths.KEXEC_LOADED, "1"), snapshot.proof),
            "Unload the image before any reboot, then write 1 to "
            f"{snapshot.generation.switch} and load it again.",
        )


def image_order_unknown(facts: Facts) -> Iterator[Found]:
    """No file keeps the order of finalize and load."""
    snapshot = facts.snapshot
    if snapshot.generation.order_matters is False or snapshot.kexec.loaded is not True:
        return
    if snapshot.state is State.FINALIZED:
        active = snapshot.generation.finalize is Finalize.ACTIVE_FILE
        carries = "carries" if snapshot.generation.order_matters is True else "may carry"
        yield Found(
            Severity.WARNING,
            "loaded image",
            f"An image is loaded and the handover {'active' if active else 'finalized'}, but no "
            f"file tells which came first: an image that was loaded first {carries} nothing of it.",
            (Evidence(paths.KEXEC_LOADED, "1"), snapshot.proof),
            "To be sure, load the image again now, by file (kexec -s): it takes the handover "
            "along while it loads.",
        )


def _reversible(facts: Facts) -> bool:
    generation = facts.snapshot.generation
    return generation.finalize is Finalize.REVERSIBLE and generation.protocol is Protocol.KHO_V1


RULES = (
    Rule(
        "image-before-finalize",
        "a loaded image carries nothing",
        image_before_finalize,
        About.LIFE_CYCLE,
    ),
    Rule(
        "image-loaded-maybe-before-finalize",
        "whether it does is not known",
        image_order_unknown,
        About.LIFE_CYCLE,
    ),
    Rule(
        "generation-unsupported", "a handover format not known here", unsupported, About.LIFE_CYCLE
    ),
    Rule("not-finalized", "the finalize step is not done", not_finalized, About.LIFE_CYCLE),
    Rule(
        "finalized-blocks-preserve",
        "finalized: producers get EBUSY",
        finalized_blocks,
        About.LIFE_CYCLE,
    ),
    Rule("stateless", "there is no finalize step", stateless, About.LIFE_CYCLE),
)
