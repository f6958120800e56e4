"""What decoding says of PKRAM and kstate reaches the findings of a machine that has them.

What cannot be had in a small machine, such as a million scattered pages, is put into its mouth.
"""

import struct
from dataclasses import replace
from pathlib import Path

from kho_console.abi.setup_data import SetupHandover
from kho_console.engine.findings.mechanisms import RULES
from kho_console.engine.formats import pkram
from kho_console.engine.mechanisms.observe import mechanisms
from kho_console.engine.observe import observe
from kho_console.model.finding import About, Evidence, Finding, Severity
from kho_console.model.kstate import KstateVersion
from kho_console.model.mechanism import KstateSeen, Mechanisms, PkramSeen
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.abi.kstate.streams import V3
from tests.engine.machines import Case, Machine, plain, recorded
from tests.made import Made

PFN = ("/sys/kernel/pkram", "40")
READY = "linux-7.3.4/ready"
WHY = Unknown(Cause.ABSENT, "not in this test")


def saying(name: str, about: About) -> Machine:
    """A machine whose decoder has said one thing."""
    said = (Finding(name, Severity.WARNING, "x", "so it is", (), None, About.FILE),)
    evidence = Evidence(*PFN)
    seen = (
        Mechanisms(pkram=PkramSeen(0x40, evidence, WHY, said))
        if about is About.PKRAM
        else Mechanisms(kstate=KstateSeen(KstateVersion.V2, "0x1000", evidence, WHY, findings=said))
    )

    def machine(_: Path) -> Snapshot:
        return replace(recorded(READY), mechanisms=seen)

    return machine


def holding(pages: dict[int, bytes], line: str) -> Machine:
    """A machine with that memory and that command line."""

    def machine(place: Path) -> Snapshot:
        for name, content in Made("a machine", "6.3.0", line, pages).files():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return observe(FixtureSource(place))

    return machine


def nodes(*pages: PreservedPage) -> Machine:
    """A machine with a node of v3, or with none."""
    if not pages:
        return holding({0x40000: bytes(4096)}, "pkram=40")
    return holding(pkram.encoded(0x40, [(b"n", [(pages, b"")])], PkramVersion.V3), "pkram=40")


def mixed() -> Machine:
    """A machine with one page that is flagged as huge and one that is not, as no series does it."""
    pages = (PreservedPage(0, 0x4000_0000, 9, 1), PreservedPage(512, 0x4020_0000, 9, 0))
    return holding(pkram.encoded(0x40, [(b"n", [(pages, b"")])], PkramVersion.V2), "pkram=40")


def entry(state_id: int, version: int, data: bytes) -> bytes:
    return struct.pack("<4i", state_id, version, 1, len(data)) + data


def streaming(*entries: bytes) -> Machine:
    """A machine with a stream of v2."""
    stream = b"".join(entries) + b"\xff" * 4
    return holding({0x100000: stream.ljust(4096, b"\0")}, STREAM[1])


def kept(*records: tuple[int, int]) -> bytes:
    pages = b"".join(struct.pack("<BQ", *record) for record in records)
    return entry(1, 0, len(records).to_bytes(4, "little") + pages)


STREAM = ("/proc/cmdline", "kstate_stream=0x0100000@4096")
PAGE = kept((0, 0x5000))
EMPTY = streaming(kept())
STREAMS = {
    "kstate-does-not-fit": (Severity.ERROR, entry(1, 0, bytes(5))),
    "kstate-version-mismatch": (Severity.WARNING, entry(1, 7, bytes(4))),
    "kstate-no-description": (Severity.INFO, entry(99, 0, b"")),
    "kstate-duplicate": (Severity.WARNING, PAGE + PAGE),
    "kstate-order-is-bool": (Severity.WARNING, kept((2, 0x8000))),
    "kstate-page-twice": (Severity.WARNING, kept((0, 0x5000), (0, 0x5000))),
    "kstate-v2-unprotected": (Severity.WARNING, PAGE),
}
SMALL = PreservedPage(0, 0x4000_0000, 0, 0)

REAL = (
    *(
        Case(name, *(severity, STREAM), streaming(data), (EMPTY,))
        for name, (severity, data) in STREAMS.items()
    ),
    Case("kstate-behind-the-end", Severity.INFO, STREAM, EMPTY, (plain(READY),)),
    Case("pkram-empty", Severity.INFO, PFN, nodes(), (nodes(SMALL),)),
    Case("pkram-version-guessed", Severity.INFO, PFN, nodes(SMALL), (nodes(),)),
    Case(
        "pkram-v3-slots",
        Severity.WARNING,
        PFN,
        nodes(PreservedPage(0, 0x4000_0000, 2, 0)),
        (nodes(SMALL),),
    ),
    Case(
        "pkram-huge-flags",
        Severity.WARNING,
        PFN,
        mixed(),
        (plain("made/pkram-v1"), plain("made/pkram-v2"), plain("made/pkram-v3")),
    ),
    Case(
        "pkram-damaged",
        Severity.ERROR,
        PFN,
        plain("made/hostile-pkram-loop"),
        (plain("made/pkram-v3"), plain(READY)),
    ),
    Case(
        "pkram-one-generation",
        Severity.INFO,
        PFN,
        plain("made/pkram-v3"),
        (plain("made/hostile-pkram-beyond"), plain("made/kstate-v1"), plain(READY)),
    ),
    Case(
        "kstate-damaged",
        Severity.ERROR,
        ("/proc/cmdline", "kstate_stream=0x07f000000@4096"),
        plain("made/hostile-kstate-v2"),
        (plain("made/kstate-v2"), plain("made/pkram-v3"), plain(READY)),
    ),
)

CASES = (
    *REAL,
    *(
        Case(rule.id, Severity.WARNING, PFN, saying(rule.id, rule.about), (plain(READY),))
        for rule in RULES
        if rule.id not in {case.id for case in REAL}
    ),
)


def test_the_stream_of_v3_is_found_by_the_setup_data(tmp_path: Path) -> None:
    grown = V3[:-4] + V3[4:-4] * 50 + V3[-4:]
    pages = {0x200000: (0x100000).to_bytes(4096, "little")}
    for at in range(0, len(grown), 4096):
        pages[0x100000 + at] = grown[at : at + 4096].ljust(4096, b"\0")
    holding(pages, "quiet")(tmp_path)
    source = FixtureSource(tmp_path)
    offered = SetupHandover(0x200000, 4096, 0x300000, 4096)
    found = mechanisms(source, b"quiet", offered).kstate
    nothing = mechanisms(source, b"quiet", SetupHandover(0x100000, 4096, 0, 0)).kstate
    assert nothing is None
    assert found is not None
    assert (found.version, found.place, found.terminated) == (KstateVersion.V3, "0x100000", True)
    assert "kstate-v3-growth" in {item.id for item in found.findings}


def test_what_is_no_super_block_has_no_nodes_to_count(tmp_path: Path) -> None:
    found = holding({0x40000: b"\1" * 4096}, "pkram=40")(tmp_path).mechanisms.pkram
    assert found is not None and isinstance(found.image, Unknown)
    assert "no magic number" in found.image.reason
    assert [item.id for item in found.findings] == ["pkram-damaged"]
