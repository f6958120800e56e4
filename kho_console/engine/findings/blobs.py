"""What producers hand over."""

import os
from collections.abc import Iterator

from kho_console.abi import kexec_metadata, kho_test, luo, memblock
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.blob import (
    Blob,
    BlobState,
    KexecMetadata,
    KhoTest,
    LuoHeader,
    MemblockTree,
)
from kho_console.model.finding import About, Evidence, Severity, Thing
from kho_console.model.kho2024 import Kho2024
from kho_console.model.unknown import Cause, Unknown

_PAYLOADS: dict[bytes, type] = {
    memblock.NAME: MemblockTree,
    kexec_metadata.NAME: KexecMetadata,
    luo.NAME: LuoHeader,
    kho_test.NAME: KhoTest,
}


def stale(facts: Facts) -> Iterator[Found]:
    """An incoming blob whose owner has taken its content and freed the page."""
    for place, blob in _blobs(facts):
        if blob.state is BlobState.STALE:
            yield Found(
                Severity.INFO,
                os.fsdecode(blob.name),
                f"The incoming blob {plain(blob.name)} has been released by the kernel; its file "
                "shows whatever uses the page now.",
                (Evidence(_path(facts, place, blob), blob.reason),),
                thing=_thing(facts, place, blob),
            )


def invalid(facts: Facts) -> Iterator[Found]:
    """A blob that is not what its name says, or that cannot be read."""
    for place, blob in _blobs(facts):
        if blob.state is BlobState.INVALID:
            yield Found(
                Severity.WARNING,
                os.fsdecode(blob.name),
                f"The blob {plain(blob.name)} cannot be understood: {plain(blob.reason)}.",
                (Evidence(_path(facts, place, blob), f"{blob.size} bytes; {blob.reason}"),),
                "Look at its bytes, and at the kernel log for what its producer says.",
                thing=_thing(facts, place, blob),
            )


def unreadable(facts: Facts) -> Iterator[Found]:
    """A blob that is listed, and whose file cannot be read."""
    for place, blob in _blobs(facts):
        if isinstance(blob.state, Unknown):
            yield Found(
                Severity.WARNING,
                os.fsdecode(blob.name),
                f"The blob {plain(blob.name)} cannot be read, so what it hands over is not known.",
                (Evidence(_path(facts, place, blob), blob.state.reason),),
                "Run as root." if blob.state.cause is Cause.NOT_PERMITTED else None,
                thing=_thing(facts, place, blob),
            )


def unknown_version(facts: Facts) -> Iterator[Found]:
    """A producer known here, in a version that is not."""
    for place, blob in _blobs(facts):
        expected = _PAYLOADS.get(blob.name)
        if isinstance(blob.payload, Kho2024):
            continue
        if expected is None or blob.state is not BlobState.VALID:
            continue
        if not isinstance(blob.payload, expected):
            word = b"no compatible word" if blob.compatible is None else blob.compatible
        elif isinstance(blob.payload, KexecMetadata) and blob.payload.version != 1:
            word = b"version %d" % blob.payload.version
        else:
            continue
        yield Found(
            Severity.WARNING,
            os.fsdecode(blob.name),
            f"The blob {plain(blob.name)} is of a version not known here ({plain(word)}): its "
            "content is not decoded, and what it owns is shown as unattributed.",
            (Evidence(_path(facts, place, blob), os.fsdecode(word)),),
            "Look for a newer version of this console.",
            thing=_thing(facts, place, blob),
        )


def released_intact(facts: Facts) -> Iterator[Found]:
    """7.2 and later free the page of the incoming LUO struct before user space runs."""
    for place, blob in _blobs(facts):
        header = blob.payload
        freed = isinstance(header, LuoHeader) and header.session_format == "blocks"
        if freed and place == facts.where.incoming and blob.state is BlobState.VALID:
            yield Found(
                Severity.INFO,
                os.fsdecode(blob.name),
                f"The incoming blob {plain(blob.name)} still reads whole although this kernel has "
                "freed its page: it may change at any moment.",
                (Evidence(_path(facts, place, blob), blob.reason or "consistent"),),
                thing=_thing(facts, place, blob),
            )


def _blobs(facts: Facts) -> Iterator[tuple[str, Blob]]:
    for place, side in facts.sides:
        for blob in () if isinstance(side.blobs, Unknown) else side.blobs:
            yield place, blob


def _thing(facts: Facts, place: str, blob: Blob) -> Thing:
    return facts.thing(place, os.fsdecode(blob.name))


def _path(facts: Facts, place: str, blob: Blob) -> str:
    return f"{facts.where.blobs(place)}/{os.fsdecode(blob.name)}"


RULES = (
    Rule("blob-invalid", "a blob is not what its name says", invalid, About.BLOBS),
    Rule("blob-unreadable", "a blob's file cannot be read", unreadable, About.BLOBS),
    Rule(
        "blob-unknown-version", "a blob of a version not known here", unknown_version, About.BLOBS
    ),
    Rule("blob-stale", "an incoming blob was released by the kernel", stale, About.BLOBS),
    Rule("blob-released-intact", "a released blob still reads whole", released_intact, About.BLOBS),
)
