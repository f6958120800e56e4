"""The tree of the series of 2024 against the bindings of what stands in it."""

from collections.abc import Iterator
from itertools import islice

from kho_console.abi.error import FormatError
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.generation import Protocol, State
from kho_console.model.tree import Fault, RootTree
from kho_console.model.unknown import Unknown

_MOST = 100
"""Violations of one tree of which a finding is made."""


def violated(facts: Facts) -> Iterator[Found]:
    """One finding for each thing that breaks a binding."""
    if facts.snapshot.generation.protocol is not Protocol.RFC_2024:
        return
    for place, side in facts.sides:
        if isinstance(side.tree, Unknown):
            continue
        word = "incoming" if place == facts.where.incoming else "outgoing"
        faults = _faults(side.tree, facts.snapshot.machine.page_size)
        for fault in islice(faults, _MOST):
            yield Found(
                Severity.ERROR,
                f"{word} root tree",
                f"The {word} tree breaks a binding: {plain(fault.reason)}.",
                (Evidence(facts.where.tree(place), f"at 0x{fault.offset:x}: {fault.reason}"),),
                "Whoever reads it refuses that part; look for who wrote it.",
                thing=facts.thing(place),
            )
        if len(faults) > _MOST:
            yield Found(
                Severity.ERROR,
                f"{word} root tree",
                f"The {word} tree breaks bindings in {len(faults) - _MOST:,} more places.",
                (Evidence(facts.where.tree(place), f"{len(faults)} violations"),),
                thing=facts.thing(place),
            )


def unclaimed(facts: Facts) -> Iterator[Found]:
    """Consumers have not come yet, or never will; the next kexec does not wait for them."""
    snapshot = facts.snapshot
    if snapshot.generation.protocol is not Protocol.RFC_2024:
        return
    from kho_console.engine.unclaimed import left_behind, told

    left = left_behind(snapshot)
    if not left:
        return
    near = snapshot.state is State.FINALIZED or snapshot.kexec.loaded is True
    yield Found(
        Severity.WARNING if near else Severity.INFO,
        "incoming handover",
        f"{told(left)}, and is not in the outgoing tree: the next kexec loses it.",
        tuple(
            Evidence(facts.where.tree(facts.where.incoming), f"{plain(name)} at 0x{first.start:x}")
            for name, (first, *_) in islice(left.items(), _MOST)
        ),
        "Let its consumer claim it and hand it over again before the next kexec.",
    )


def _faults(tree: RootTree, page_size: int) -> tuple[Fault, ...]:
    """What breaks a binding, without what breaks the tree itself."""
    from kho_console.engine.inline_state import decoded

    try:
        flat, found = decoded(tree.content, page_size)
    except FormatError:
        return ()
    return found.faults[len(flat.faults) :]


RULES = (
    Rule("kho-2024-binding", "a tree of the 2024 series breaks a binding", violated, About.BLOBS),
    Rule("kho-2024-unclaimed", "what came in waits, and does not go out", unclaimed, About.ARRIVAL),
)
