"""Which handover mechanism a kernel speaks, found by looking at what is there (kho-abi 8)."""

import re
from dataclasses import replace

from kho_console.abi import luo
from kho_console.abi.fdt_header import MAGIC
from kho_console.engine import files, paths
from kho_console.engine.paths import Handover
from kho_console.model.finding import Evidence
from kho_console.model.generation import Finalize, Generation, MapFormat, Protocol, State
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source

_KNOWN_WORDS = {
    b"kho-v1": Protocol.KHO_V1,
    b"kho-v3": Protocol.KHO_V3,
    b"kho-v4": Protocol.KHO_V4,
}
_FIRST_AFTER_2024 = (6, 13)
_LAST_SMALL_BITMAPS = (6, 17)
_LAST_SEEN = 8
"""Of 6.17; whether later ones got the large bitmaps of 6.18 from the stable trees is not known."""
_RELEASES = {Protocol.KHO_V3: "7.1", Protocol.KHO_V4: "7.2 and 7.3"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """The mechanism and where it stands.

    Attributes:
        generation: The mechanism.
        state: Where the kernel stands in its life cycle.
        proof: What was read that tells the state.
        unavailable: Why there is nothing to see; None where there is something.
    """

    generation: Generation
    state: State
    proof: Evidence
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
        return _in_sysfs(source, Protocol.RFC_2024, Finalize.ACTIVE_FILE, "the 2024 series")
    if files.stands(source, f"{paths.RFC_2024}/finalize"):
        return _in_sysfs(source, Protocol.UNKNOWN, Finalize.REVERSIBLE, "the v5 series of 2025")
    root = source.exists(where.outgoing)
    if root is not True:
        why = root if isinstance(root, Unknown) else hidden
        return _absent(where, why)
    names = ("finalize", "bootmem_phys", "scratch_phys")
    there = {name: source.exists(f"{where.outgoing}/{name}") for name in names}
    for answer in there.values():
        if isinstance(answer, Unknown):
            return _absent(where, answer)
    if there["finalize"]:
        return _with_finalize(source, where, outgoing, incoming)
    return _stateless(source, where, (outgoing, incoming), there)


def release_number(release: str) -> tuple[int, int] | None:
    """Major and minor number of a kernel release, None where it starts with neither."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else None


def chunks_of(release: Maybe[str]) -> MapFormat | None:
    """Which of the two maps that kho-v1 names a release writes and reads; None if not known."""
    if isinstance(release, Unknown) or (number := release_number(release)) is None:
        return None
    point = re.match(r"6\.17\.(\d+)", release)
    if point and int(point[1]) > _LAST_SEEN:
        return None
    return MapFormat.CHUNKS_512 if number <= _LAST_SMALL_BITMAPS else MapFormat.CHUNKS_PAGE


def of_2024(release: Maybe[str]) -> bool:
    """Whether a kernel that says kho-v1 is of the series of 2024, which was posted on 6.7.

    Its word tells it from no other; the v6 series of 2025 was posted on 6.14.
    """
    if isinstance(release, Unknown):
        return False
    number = release_number(release)
    return release == Protocol.RFC_2024 if number is None else number < _FIRST_AFTER_2024


def _in_sysfs(source: Source, protocol: Protocol, finalize: Finalize, series: str) -> Recognised:
    """The two series that show the handover in sysfs; neither became a release."""
    generation = Generation(
        protocol,
        finalize,
        f"{series}, never in a release",
        paths.RFC_2024,
        incoming=paths.RFC_2024_IN if protocol is Protocol.RFC_2024 else None,
        order_matters=True,
    )
    switch = generation.switch or paths.RFC_2024
    state, proof = _switched(switch, files.flag(source, switch))
    return Recognised(_seen(generation, f"{switch} is there"), state, proof)


def _absent(where: Handover, why: Unknown | None) -> Recognised:
    if why is not None:
        reason = Unknown(why.cause, f"{where.root} cannot be looked at: {why.reason}")
        generation = Generation(Protocol.UNKNOWN, Finalize.UNKNOWN, "unknown", where.outgoing)
    else:
        reason = Unknown(Cause.ABSENT, f"{where.root} is not there")
        generation = Generation(Protocol.NONE, Finalize.NONE, "none", where.outgoing)
    proof = Evidence(where.root, reason.reason)
    return Recognised(_seen(generation, reason.reason), State.UNAVAILABLE, proof, reason)


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
    told = _told_by_trees(outgoing, incoming)
    without_map = not latching and _without_map(outgoing)
    if without_map:
        evidence.append("the root tree names no preserved-memory map")
    generation = Generation(
        told[0] if told else Protocol.KHO_V1,
        Finalize.LATCHING if latching else Finalize.REVERSIBLE,
        "the v6 series of 2025, never in a release"
        if without_map
        else ("6.19 and 7.0" if latching else "6.16 to 6.18"),
        where.outgoing,
        incoming=None if without_map else where.incoming,
        order_matters=False if latching else _order_matters(source),
    )
    state, proof = _state(where, finalized, outgoing, latching)
    return Recognised(_seen(generation, *evidence), state, proof)


def _order_matters(source: Source) -> Maybe[bool]:
    """6.17 and 6.18 attach the handover while they load an image, if it is finalized by then."""
    if release_number(source.facts().release) == (6, 16):
        return Unknown(Cause.UNSUPPORTED, "whether 6.16 needs finalize before the load is open")
    return True


def _switched(path: str, taken: Maybe[bool]) -> tuple[State, Evidence]:
    if isinstance(taken, Unknown):
        return State.UNAVAILABLE, Evidence(path, taken.reason)
    return (State.FINALIZED, Evidence(path, "1")) if taken else (State.OPEN, Evidence(path, "0"))


def _state(
    where: Handover, finalized: Maybe[bool], outgoing: Maybe[RootTree], latching: bool
) -> tuple[State, Evidence]:
    """The file's answer, or the tree's where lockdown keeps the file shut (mode 0600)."""
    if not isinstance(finalized, Unknown):
        return _switched(where.finalize, finalized)
    path = where.tree(where.outgoing)
    shut = State.UNAVAILABLE, Evidence(where.finalize, finalized.reason)
    if isinstance(outgoing, Unknown):
        if latching or outgoing.cause is not Cause.ABSENT:
            return shut
        return State.OPEN, Evidence(path, "not there, which it is while finalized only")
    if not latching:
        return State.FINALIZED, Evidence(path, "there, which it is while finalized only")
    if isinstance(outgoing.map_address, Unknown):
        return shut
    proof = Evidence(path, f"preserved-memory-map 0x{outgoing.map_address:x}")
    return (State.FINALIZED if outgoing.map_address else State.OPEN), proof


def _without_map(outgoing: Maybe[RootTree]) -> bool:
    if isinstance(outgoing, Unknown):
        return False
    head = outgoing.map_address
    return isinstance(head, Unknown) and head.cause is Cause.ABSENT


def _stateless(
    source: Source,
    where: Handover,
    trees: tuple[Maybe[RootTree], Maybe[RootTree]],
    there: dict[str, Maybe[bool]],
) -> Recognised:
    """7.1 and later: no finalize file, and a root tree from boot."""
    evidence = [f"{where.finalize} is not there"]
    bootmem = there["bootmem_phys"] is True
    if bootmem or there["scratch_phys"] is True:
        name = "bootmem_phys" if bootmem else "scratch_phys"
        evidence.append(f"{where.outgoing}/{name} is there")
    protocol, seen = _told_by_trees(*trees) or _told_by_live_update(source, where)
    evidence.append(seen)
    if protocol is Protocol.KHO_V1:
        reason = "root tree kho-v1, but no finalize file, which every kernel of kho-v1 has"
        return _absent(where, Unknown(Cause.INVALID, reason))
    if len(evidence) == 2 and protocol is Protocol.UNKNOWN:
        reason = f"{where.outgoing} holds no file that tells which kernel this is"
        return _absent(where, Unknown(Cause.INVALID, reason))
    generation = Generation(
        protocol,
        Finalize.NONE,
        "7.4 and later" if bootmem else _RELEASES.get(protocol, "7.1 or later"),
        where.outgoing,
        scratch="bootmem" if bootmem else "scratch",
        incoming=where.incoming,
    )
    proof = Evidence(where.finalize, "not there")
    return Recognised(_seen(generation, *evidence), State.STATELESS, proof)


def _seen(generation: Generation, *evidence: str) -> Generation:
    return replace(generation, evidence=evidence)


def _told_by_trees(*trees: Maybe[RootTree]) -> tuple[Protocol, str] | None:
    """What the first root tree with a word says; a kernel takes only its own version in."""
    for tree in trees:
        if not isinstance(tree, Unknown) and not isinstance(tree.compatible, Unknown):
            word = tree.compatible
            seen = f"root tree {word.decode('ascii', 'backslashreplace')}"
            return _KNOWN_WORDS.get(word, Protocol.UNKNOWN), seen
    return None


def _told_by_live_update(source: Source, where: Handover) -> tuple[Protocol, str]:
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
