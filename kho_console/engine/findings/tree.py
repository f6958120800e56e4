"""The root trees of both sides."""

import os
from collections.abc import Iterator

from kho_console.abi.blob import TREE_FORMAT
from kho_console.abi.fdt_agreement import disagreement
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.generation import Finalize, Protocol, State
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Unknown


def window(facts: Facts) -> Iterator[Found]:
    """From 6.19 on the file has the length that the tree had when it was created."""
    tree = facts.snapshot.outgoing.tree
    if isinstance(tree, Unknown) or not _cut_by_kernel(facts, facts.where.outgoing, tree):
        return
    cut = f"The kernel shows {tree.window} of {tree.flat.totalsize} bytes of the outgoing tree"
    path = facts.where.tree(facts.where.outgoing)
    evidence = (Evidence(path, f"{tree.window} bytes, totalsize {tree.flat.totalsize}"),)
    if not tree.flat.truncated:
        text = f"{cut}; it was completed from its page in memory."
        yield Found(Severity.INFO, "outgoing root tree", text, evidence)
        return
    found = facts.snapshot.inventory.preserved
    if not isinstance(found, Unknown):
        found = Unknown(Cause.ABSENT, "its page was not found in memory")
    yield Found(
        Severity.INFO if found.cause is Cause.NOT_YET else Severity.WARNING,
        "outgoing root tree",
        f"{cut}, and the rest cannot be had ({plain(found.reason)}): some blobs have no known "
        "address.",
        evidence,
        "Nothing is lost; reading /proc/kcore as root would complete it."
        if found.cause in (Cause.NOT_PERMITTED, Cause.NOT_RECORDED)
        else None,
    )


def hidden(facts: Facts) -> Iterator[Found]:
    """From 6.19 on there is no out/fdt on a kernel that came through a handover."""
    snapshot = facts.snapshot
    if not _since_6_19(facts) or snapshot.booted_through_handover is not True:
        return
    if isinstance(snapshot.outgoing.tree, Unknown) and snapshot.outgoing.tree.cause is Cause.ABSENT:
        yield Found(
            Severity.INFO,
            "outgoing root tree",
            "This kernel came through a handover and therefore does not show its own root tree: "
            "what is preserved now cannot be found. It hands that over all the same.",
            (
                Evidence(facts.where.tree(facts.where.outgoing), "not there"),
                Evidence(facts.where.incoming, "there"),
            ),
        )


def damaged(facts: Facts) -> Iterator[Found]:
    """A tree that is cut or broken where the kernel shows it whole."""
    for place, side in facts.sides:
        tree = side.tree
        if isinstance(tree, Unknown):
            faults = [tree.reason] if tree.cause is Cause.INVALID else []
        elif _cut_by_kernel(facts, place, tree):
            continue
        else:
            faults = [f"at 0x{fault.offset:x}: {fault.reason}" for fault in tree.flat.faults]
            if tree.flat.truncated and not faults:
                faults = [f"{tree.flat.size} of {tree.flat.totalsize} bytes"]
        if faults:
            yield Found(
                Severity.ERROR,
                f"{_word(facts, place)} root tree",
                f"The {_word(facts, place)} root tree is damaged: {plain(faults[0])}. What is "
                "shown of it may be incomplete.",
                tuple(Evidence(facts.where.tree(place), fault) for fault in faults),
                "Read it again; if that does not help, do not rely on this handover.",
                thing=facts.thing(place),
            )


def unreadable(facts: Facts) -> Iterator[Found]:
    """A tree that should be there and cannot be had."""
    if facts.snapshot.unavailable is not None:
        return
    for place, side in facts.sides:
        tree = side.tree
        if not isinstance(tree, Unknown) or tree.cause is Cause.INVALID:
            continue
        if tree.cause is Cause.ABSENT and not _expected(facts, place):
            continue
        word = _word(facts, place)
        yield Found(
            Severity.WARNING,
            f"{word} root tree",
            f"The {word} root tree cannot be read: {plain(tree.reason)}.",
            (Evidence(facts.where.tree(place), tree.reason),),
            "Run as root." if tree.cause is Cause.NOT_PERMITTED else None,
            thing=facts.thing(place),
        )


def read_differently(facts: Facts) -> Iterator[Found]:
    """A whole tree that two readers, which share no code, understand differently."""
    for place, side in facts.sides:
        word = _word(facts, place)
        trees: list[tuple[str | None, str, bytes]] = []
        if not isinstance(side.tree, Unknown):
            trees.append((None, facts.where.tree(place), side.tree.content))
        for blob in () if isinstance(side.blobs, Unknown) else side.blobs:
            if blob.format == TREE_FORMAT and not isinstance(blob.content, Unknown):
                own = os.fsdecode(blob.name)
                trees.append((own, f"{facts.where.blobs(place)}/{own}", blob.content))
        for name, path, content in trees:
            told = disagreement(content)
            if told is not None:
                yield Found(
                    Severity.WARNING,
                    f"{word} root tree" if name is None else name,
                    f"Two readers do not agree on {plain(path)}: "
                    f"{plain(told)}. The next kernel may read it differently from what is shown.",
                    (Evidence(path, told),),
                    "Compare its bytes with what its producer wrote before relying on it.",
                    thing=facts.thing(place, name),
                )


def _cut_by_kernel(facts: Facts, place: str, tree: RootTree) -> bool:
    return _since_6_19(facts) and place == facts.where.outgoing and tree.window_truncated


def _expected(facts: Facts, place: str) -> bool:
    """Whether the kernel shows a tree of this side at this point of its life."""
    snapshot = facts.snapshot
    if place == facts.where.incoming:
        return True
    if snapshot.generation.finalize is Finalize.REVERSIBLE:
        return snapshot.state is State.FINALIZED and snapshot.generation.protocol is Protocol.KHO_V1
    if snapshot.generation.finalize is Finalize.ACTIVE_FILE:
        return snapshot.state is State.FINALIZED
    return _since_6_19(facts) and snapshot.booted_through_handover is False


def _since_6_19(facts: Facts) -> bool:
    """Whether the tree exists from boot on, behind a window of fixed length."""
    return facts.snapshot.generation.finalize in (Finalize.LATCHING, Finalize.NONE)


def _word(facts: Facts, place: str) -> str:
    return "incoming" if place == facts.where.incoming else "outgoing"


RULES = (
    Rule("tree-damaged", "a root tree is broken", damaged, About.BLOBS),
    Rule(
        "tree-unreadable",
        "a root tree that should be there cannot be read",
        unreadable,
        About.BLOBS,
    ),
    Rule(
        "tree-read-differently",
        "two readers disagree on a whole tree",
        read_differently,
        About.BLOBS,
    ),
    Rule("tree-window", "the kernel shows the outgoing tree in part", window, About.BLOBS),
    Rule("tree-hidden", "after a handover the outgoing tree is not shown", hidden, About.BLOBS),
)
