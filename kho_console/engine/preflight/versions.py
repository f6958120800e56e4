"""Whether the next kernel understands what this one hands over.

kernel/liveupdate/kexec_handover.c takes a root tree only if its word is the kernel's own;
luo_core.c panics on a blob of another version, as nothing can be saved then.
"""

from collections.abc import Iterator

from kho_console.abi import luo
from kho_console.engine.findings.words import count
from kho_console.engine.generation import chunks_of
from kho_console.engine.preflight.naming import name as named
from kho_console.engine.preflight.situation import Situation
from kho_console.model.blob import Blob, LuoHeader
from kho_console.model.check import Check, Result
from kho_console.model.generation import MapFormat, Protocol
from kho_console.model.image import ImageWords
from kho_console.model.unknown import Cause, Maybe, Unknown

_ANOTHER = "give a kernel that speaks what this machine speaks, or expect a cold start"
_MEMFD = {
    Protocol.KHO_V1: "memfd-v1",
    Protocol.KHO_V3: "memfd-v2",
    Protocol.KHO_V4: "memfd-v2",
}
"""The records that a kernel with live update writes, 6.19 to 7.3."""


def handover(now: Situation) -> Iterator[Check]:
    """Whether there is anything to hand over with."""
    if now.request.crash:
        return
    why, name = now.snapshot.unavailable, "handover"
    generation = now.snapshot.generation
    if why is None:
        text = f"this machine hands over by {generation.protocol} ({generation.releases})"
        yield Check(name, Result.PASS, text, "; ".join(generation.evidence) or None)
    elif why.cause is Cause.ABSENT and generation.protocol is Protocol.NONE:
        text = "this machine has no handover: the image would carry nothing over"
        remedy = "boot with kho=on on a kernel built with CONFIG_KEXEC_HANDOVER"
        yield Check(name, Result.FAIL, text, why.reason, remedy)
    else:
        text = "whether this machine has a handover cannot be seen"
        yield Check(name, Result.UNKNOWN, text, why.reason, "run it as root, with debugfs mounted")


def kho(now: Situation) -> Iterator[Check]:
    """The word of the root tree, and the form of the map where one word names two."""
    if not now.hands_over:
        return
    name, words, here = "kho-version", now.image.words, _own_word(now)
    if isinstance(words, Unknown):
        text = "which handover the kernel speaks is not known: it may lose everything silently"
        yield Check(name, Result.UNKNOWN, text, words.reason, _TELL)
        return
    if isinstance(here, Unknown):
        text = "which handover this machine speaks is not known"
        yield Check(name, Result.UNKNOWN, text, here.reason)
        return
    spoken = f"{', '.join(words.kho) or 'nothing of KHO'} there, {here} here"
    if not words.kho:
        yield _without_kho(now, spoken)
    elif here not in words.kho:
        text = (
            f"the kernel refuses {here}: it starts, and everything that is handed over is lost "
            "without a further word"
        )
        yield Check(name, Result.FAIL, text, spoken, _ANOTHER)
    else:
        yield _same_map(now, spoken)


_TELL = "compare /sys/kernel/debug/kho/out/fdt of a machine that runs this kernel"


def _own_word(now: Situation) -> Maybe[str]:
    """The word of the outgoing root tree, or that of the generation."""
    protocol, tree = now.snapshot.generation.protocol, now.snapshot.outgoing.tree
    if not isinstance(tree, Unknown) and not isinstance(tree.compatible, Unknown):
        return named(tree.compatible)
    if protocol is Protocol.RFC_2024:
        return Protocol.KHO_V1
    if protocol in _MEMFD:
        return protocol.value
    return Unknown(Cause.ABSENT, "no root tree tells")


def _without_kho(now: Situation, spoken: str) -> Check:
    config = now.image.config
    if not isinstance(config, Unknown) and config.get("CONFIG_KEXEC_HANDOVER") == "y":
        text = "the kernel is built with KHO, but which version it speaks was not found in it"
        return Check("kho-version", Result.UNKNOWN, text, spoken, _TELL)
    text = "the kernel has no KHO: preserved memory is overwritten, and all of it is lost"
    return Check("kho-version", Result.FAIL, text, spoken, _ANOTHER)


def _same_map(now: Situation, spoken: str) -> Check:
    """kho-v1 names maps of two bitmap sizes: 512 bytes up to 6.17, a page from 6.18 on.

    Before them it named the tree of the series of 2024, which has no map at all.
    """
    name = "kho-version"
    inline = now.snapshot.generation.protocol is Protocol.RFC_2024
    if inline != now.to_2024:
        text = (
            "both say kho-v1, but of the two the one puts all state into the tree: the kernel "
            "starts, and takes nothing of what is handed over"
        )
        return Check(name, Result.FAIL, text, spoken, _ANOTHER)
    here, there = _own_map(now), chunks_of(now.image.release)
    another = now.image.release != now.snapshot.machine.release
    if now.snapshot.generation.protocol is Protocol.KHO_V1 and another:
        if here is None or there is None:
            text = "both say kho-v1, which names two forms of the map; which one is not known"
            return Check(name, Result.UNKNOWN, text, spoken, _ANOTHER)
        if here is not there:
            text = (
                f"both say kho-v1, but the map here is {here} and the kernel reads {there}: it "
                "takes other memory for preserved, and what was preserved is overwritten"
            )
            return Check(name, Result.FAIL, text, spoken, _ANOTHER)
    return Check(name, Result.PASS, "the kernel takes this machine's handover", spoken)


def _own_map(now: Situation) -> MapFormat | None:
    found = now.snapshot.inventory.preserved
    if not isinstance(found, Unknown) and found.tie is None:
        return found.format
    return chunks_of(now.snapshot.machine.release)


def live_update(now: Situation) -> Iterator[Check]:
    """The LUO blob: another version panics the new kernel, even without any session."""
    found, words = now.live_update, now.image.words
    if found is None or isinstance(words, Unknown) or not _gets_there(now, words):
        return
    name = "luo-version"
    if isinstance(found, Unknown):
        text = "which live update this machine hands over is not known"
        yield Check(name, Result.UNKNOWN, text, found.reason)
    elif not isinstance(found.payload, LuoHeader):
        text = "the LUO blob of this machine is not understood"
        yield Check(name, Result.UNKNOWN, text, found.reason or None)
    elif not any(word.startswith("luo-v") for word in words.luo):
        yield _without_live_update(now, found.payload)
    else:
        yield _compared(found.payload, words)


def _gets_there(now: Situation, words: ImageWords) -> bool:
    """Whether the new kernel takes the root tree, and so looks at what it names."""
    here = _own_word(now)
    return now.hands_over and not isinstance(here, Unknown) and here in words.kho


def _without_live_update(now: Situation, header: LuoHeader) -> Check:
    sessions = now.held_sessions
    evidence = f"no luo word there, {named(header.compatible)} here"
    if not isinstance(sessions, Unknown) and not sessions:
        text = "the kernel has no live update; no session is held here that would be lost"
        return Check("luo-version", Result.WARNING, text, evidence)
    text = "the kernel has no live update: all sessions are lost, and their memory stays reserved"
    return Check("luo-version", Result.FAIL, text, evidence, _ANOTHER)


def _compared(header: LuoHeader, words: ImageWords) -> Check:
    name = "luo-version"
    word = named(header.compatible.partition(b";")[0])
    evidence = f"{', '.join(words.luo)} there, {word} here"
    why = None
    if word not in words.luo:
        why = f"the kernel does not know {word}"
    elif header.compatible == luo.TREE and header.session_format not in words.luo:
        why = f"the kernel does not know {named(header.session_format)}"
    elif _wants_flb(words) and isinstance(header.flbs, Unknown):
        why = "the kernel wants a luo-flb node, which this machine does not write"
    if why is None:
        return Check(name, Result.PASS, "the kernel takes this machine's sessions", evidence)
    text = f"{why}: it panics early in boot"
    return Check(name, Result.FAIL, text, evidence, _ANOTHER)


def _wants_flb(words: ImageWords) -> bool:
    return any(word.startswith("luo-flb-v") for word in words.luo)


def memory_files(now: Situation) -> Iterator[Check]:
    """The handler of memfds: unknown to the new kernel, no session can be opened at all."""
    found, words = now.live_update, now.image.words
    if not isinstance(found, Blob) or isinstance(words, Unknown) or not _gets_there(now, words):
        return
    name, here = "memfd-version", _MEMFD.get(now.snapshot.generation.protocol)
    evidence = f"{', '.join(words.memfd) or 'no memfd word'} there, {here or 'not known'} here"
    if here is None:
        text = "which records of memory files this machine writes is not known"
        yield Check(name, Result.UNKNOWN, text, evidence)
    elif here in words.memfd:
        yield Check(name, Result.PASS, "the kernel takes this machine's memory files", evidence)
    else:
        sessions = now.held_sessions
        none = not isinstance(sessions, Unknown) and not sessions
        held = "sessions may be held" if isinstance(sessions, Unknown) else _held(len(sessions))
        speaks = any(word.startswith("luo-v") for word in words.luo)
        then = (
            "opening /dev/liveupdate there gives EIO" if speaks else "it has no live update at all"
        )
        text = f"the kernel has no handler for {here}: {then}"
        result = Result.WARNING if none else Result.FAIL
        yield Check(name, result, text, f"{evidence}; {held}", _ANOTHER)


def _held(number: int) -> str:
    return f"{count(number, 'session')} held"
