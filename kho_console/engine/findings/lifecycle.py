"""The mechanism this kernel speaks, and where it stands between preserving and the kexec."""

from collections.abc import Iterator

from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import Evidence, Severity
from kho_console.model.generation import Finalize, Protocol, State
from kho_console.model.unknown import Cause, Unknown

_LOADED = "/sys/kernel/kexec_loaded"


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
        (*words, *(Evidence(_folder(facts), seen) for seen in generation.evidence)),
        "Look for a newer version of this console.",
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
        severity = Severity.WARNING if snapshot.kexec.loaded is True else Severity.INFO
        remedy = f"Write 1 to {_switch(facts)}, then load the image."
        means = "a kexec now would hand over nothing"
    yield Found(
        severity,
        "active" if active else "finalize",
        f"The handover is not {'active' if active else 'finalized'}: {means}.",
        (_position(facts),),
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
            (_position(facts),),
            "Abort to preserve more; that discards all preservation, then finalize and load again.",
        )


def image_before_finalize(facts: Facts) -> Iterator[Found]:
    """6.17 and 6.18, and the 2024 series: the image takes what is ready when it is loaded.

    Whether 6.16 attaches the handover later is not certain, so it is left out.
    """
    snapshot = facts.snapshot
    if snapshot.state is not State.OPEN or snapshot.kexec.loaded is not True:
        return
    late = _reversible(facts) and facts.release is not None and facts.release >= (6, 17)
    if late or snapshot.generation.finalize is Finalize.ACTIVE_FILE:
        yield Found(
            Severity.ERROR,
            "loaded image",
            "An image was loaded before the handover was ready: it carries nothing, even if that "
            "is done now, and a reboot loses all that is preserved.",
            (Evidence(_LOADED, "1"), _position(facts)),
            f"Write 1 to {_switch(facts)}, then unload the image and load it again.",
        )


def image_order_unknown(facts: Facts) -> Iterator[Found]:
    """6.16 to 6.18: no file keeps the order of finalize and load."""
    snapshot = facts.snapshot
    if not _reversible(facts) or snapshot.kexec.loaded is not True:
        return
    if snapshot.state is State.FINALIZED:
        yield Found(
            Severity.INFO,
            "loaded image",
            "An image is loaded and the handover finalized, but no file tells which came first: "
            "an image that was loaded first carries nothing.",
            (Evidence(_LOADED, "1"), _position(facts)),
            "Unless you know that finalize came first, load the image again.",
        )


def _reversible(facts: Facts) -> bool:
    generation = facts.snapshot.generation
    return generation.finalize is Finalize.REVERSIBLE and generation.protocol is Protocol.KHO_V1


def _folder(facts: Facts) -> str:
    """The directory with the switch; the series of 2024 and v5 of 2025 use sysfs."""
    generation = facts.snapshot.generation
    early = generation.protocol is Protocol.UNKNOWN and generation.finalize is Finalize.REVERSIBLE
    if early or generation.finalize is Finalize.ACTIVE_FILE:
        return paths.RFC_2024
    return facts.where.outgoing


def _switch(facts: Facts) -> str:
    active = facts.snapshot.generation.finalize is Finalize.ACTIVE_FILE
    return f"{_folder(facts)}/{'active' if active else 'finalize'}"


def _position(facts: Facts) -> Evidence:
    """What shows whether the step is done; under lockdown the tree tells, not the shut file."""
    done = facts.snapshot.state is State.FINALIZED
    if facts.snapshot.machine.lockdown in ("integrity", "confidentiality"):
        return Evidence(facts.where.tree(facts.where.outgoing), "there" if done else "not there")
    return Evidence(_switch(facts), "1" if done else "0")


RULES = (
    Rule("image-before-finalize", "a loaded image carries nothing", image_before_finalize),
    Rule("image-loaded-maybe-before-finalize", "whether it does is not known", image_order_unknown),
    Rule("generation-unsupported", "a handover format not known here", unsupported),
    Rule("not-finalized", "the finalize step is not done", not_finalized),
    Rule("finalized-blocks-preserve", "finalized: producers get EBUSY", finalized_blocks),
    Rule("stateless", "there is no finalize step", stateless),
)
