"""Which handover mechanism a kernel speaks, found by looking at what is there (kho-abi 8)."""

import re
from dataclasses import dataclass

from kho_console.abi import luo
from kho_console.abi.fdt_header import MAGIC
from kho_console.engine import files, paths
from kho_console.engine.paths import Handover
from kho_console.model.generation import Finalize, Generation, Protocol, State
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_KNOWN_WORDS = {
    b"kho-v1": Protocol.KHO_V1,
    b"kho-v3": Protocol.KHO_V3,
    b"kho-v4": Protocol.KHO_V4,
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """The mechanism, where it stands, and why there is nothing to see where that is so."""

    generation: Generation
    state: State
    unavailable: Unknown | None = None


def recognise(
    source: Source,
    where: Handover,
    outgoing: Maybe[RootTree],
    incoming: Maybe[RootTree],
    hidden: Unknown | None = None,
) -> Recognised:
    """The generation by its files and bytes.

    Args:
        source: The machine.
        where: Its debugfs tree.
        outgoing: The outgoing root tree or what its window shows.
        incoming: The incoming root tree.
        hidden: Why a handover would not show if there is one; None where it would.
    """
    if files.stands(source, f"{paths.RFC_2024}/active"):
        return _rfc_2024(source)
    if files.stands(source, f"{paths.RFC_2024}/finalize"):
        return _rfc_2025(source)
    root = source.exists(where.outgoing)
    if root is not True:
        return _absent(where, root, hidden)
    if files.stands(source, f"{where.outgoing}/bootmem_phys"):
        return _stateless(source, where, outgoing, incoming, "bootmem_phys", "7.4 and later")
    if files.stands(source, where.finalize):
        return _with_finalize(source, where, outgoing, incoming)
    return _stateless(source, where, outgoing, incoming, "scratch_phys", "7.1 to 7.3")


def release_number(release: str) -> tuple[int, int] | None:
    """Major and minor number of a kernel release, None where it starts with neither."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else None


def _rfc_2024(source: Source) -> Recognised:
    path = f"{paths.RFC_2024}/active"
    active = files.flag(source, path)
    generation = Generation(
        Protocol.RFC_2024,
        Finalize.ACTIVE_FILE,
        "the 2024 series, never in a release",
        (f"{path} is there",),
    )
    return Recognised(generation, _step(active))


def _rfc_2025(source: Source) -> Recognised:
    path = f"{paths.RFC_2024}/finalize"
    finalized = files.flag(source, path)
    generation = Generation(
        Protocol.UNKNOWN,
        Finalize.REVERSIBLE,
        "the v5 series of 2025, never in a release",
        (f"{path} is there",),
    )
    return Recognised(generation, _step(finalized))


def _step(taken: Maybe[bool]) -> State:
    if isinstance(taken, Unknown):
        return State.UNAVAILABLE
    return State.FINALIZED if taken else State.OPEN


def _absent(where: Handover, root: Maybe[bool], hidden: Unknown | None) -> Recognised:
    why = root if isinstance(root, Unknown) else hidden
    if why is not None:
        reason = Unknown(why.cause, f"{where.root} cannot be looked at: {why.reason}")
        generation = Generation(Protocol.UNKNOWN, Finalize.NONE, "unknown", (reason.reason,))
    else:
        reason = Unknown(Cause.ABSENT, f"{where.root} is not there")
        generation = Generation(Protocol.NONE, Finalize.NONE, "none", (reason.reason,))
    return Recognised(generation, State.UNAVAILABLE, reason)


def _with_finalize(
    source: Source, where: Handover, outgoing: Maybe[RootTree], incoming: Maybe[RootTree]
) -> Recognised:
    """6.16 to 7.0, and the v6 series before them.

    From 6.19 on the tree exists from boot and finalize latches; before, it exists while
    finalized only. A failed finalize of 6.16 to 6.18 leaves blobs behind, so they prove nothing.
    """
    finalized = files.flag(source, where.finalize)
    evidence = [f"{where.finalize} is there"]
    latching = files.stands(source, paths.KEXEC)
    if latching:
        evidence.append(f"{paths.KEXEC} is there, from 6.19 on")
    elif finalized is False and not isinstance(outgoing, Unknown):
        latching = True
        evidence.append("a root tree before finalize, from 6.19 on")
    trees = [tree for tree in (outgoing, incoming) if not isinstance(tree, Unknown)]
    known = [_protocol(tree) for tree in trees]
    protocol = known[0] if known else Protocol.KHO_V1
    releases = "6.19 and 7.0" if latching else "6.16 to 6.18"
    if _without_map(outgoing, latching):
        releases = "the v6 series of 2025, never in a release"
        evidence.append("the root tree names no preserved-memory map")
    state = _state(finalized, outgoing, latching)
    finalize = Finalize.LATCHING if latching else Finalize.REVERSIBLE
    return Recognised(Generation(protocol, finalize, releases, tuple(evidence)), state)


def _state(finalized: Maybe[bool], outgoing: Maybe[RootTree], latching: bool) -> State:
    """The file's answer, or the tree's where lockdown keeps the file shut (mode 0600)."""
    if not isinstance(finalized, Unknown):
        return _step(finalized)
    if not latching:
        if not isinstance(outgoing, Unknown):
            return State.FINALIZED
        return State.OPEN if outgoing.cause is Cause.ABSENT else State.UNAVAILABLE
    if isinstance(outgoing, Unknown) or isinstance(outgoing.map_address, Unknown):
        return State.UNAVAILABLE
    return State.FINALIZED if outgoing.map_address else State.OPEN


def _without_map(outgoing: Maybe[RootTree], latching: bool) -> bool:
    if latching or isinstance(outgoing, Unknown):
        return False
    head = outgoing.map_address
    return isinstance(head, Unknown) and head.cause is Cause.ABSENT


def _stateless(
    source: Source,
    where: Handover,
    outgoing: Maybe[RootTree],
    incoming: Maybe[RootTree],
    proof: str,
    releases: str,
) -> Recognised:
    evidence = [f"{where.outgoing}/{proof} is there, {where.finalize} is not"]
    for tree in (outgoing, incoming):
        if not isinstance(tree, Unknown) and not isinstance(tree.compatible, Unknown):
            protocol = _protocol(tree)
            evidence.append(f"root tree {tree.compatible.decode('latin-1')}")
            break
    else:
        protocol, seen = _protocol_of_live_update(source, where)
        evidence.append(seen)
    if proof == "scratch_phys":
        releases = {Protocol.KHO_V3: "7.1", Protocol.KHO_V4: "7.2 and 7.3"}.get(protocol, releases)
    return Recognised(
        Generation(protocol, Finalize.NONE, releases, tuple(evidence)), State.STATELESS
    )


def _protocol(tree: RootTree) -> Protocol:
    word = tree.compatible
    return (
        Protocol.UNKNOWN if isinstance(word, Unknown) else _KNOWN_WORDS.get(word, Protocol.UNKNOWN)
    )


def _protocol_of_live_update(source: Source, where: Handover) -> tuple[Protocol, str]:
    """What the LUO blob tells where neither side shows a root tree: a tree up to 7.1."""
    path = f"{where.blobs(where.outgoing)}/LUO"
    content = files.raw(source, path)
    if isinstance(content, Unknown):
        return Protocol.UNKNOWN, "no root tree and no LUO blob tell which protocol it is"
    if content[:4] == MAGIC:
        return Protocol.KHO_V3, f"{path} is a device tree, as in 7.1"
    word = luo.struct_word(content)
    if word is not None and word.partition(b";")[0] == luo.STRUCT:
        return Protocol.KHO_V4, f"{path} is a luo-v5 struct, as in 7.2 and 7.3"
    return Protocol.UNKNOWN, f"{path} is of no known form"
