from pathlib import Path

import pytest

from kho_console.engine import sides
from kho_console.engine.generation import Recognised, recognise, release_number
from kho_console.engine.paths import Handover
from kho_console.model.generation import Finalize, Protocol, State
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source
from tests.abi import kernel_trees
from tests.engine.releases import luo_v1
from tests.fixture_folder import KHO, FixtureFolder
from tests.fuzz.overlay import Overlay

WHERE = Handover("/sys/kernel/debug")


def recognised(source: Source) -> Recognised:
    outgoing, incoming = (
        sides.root_tree_of(source, f"{KHO}/{side}/fdt", 4096) for side in ("out", "in")
    )
    return recognise(source, WHERE, outgoing, incoming)


@pytest.fixture
def made(tmp_path: Path) -> FixtureFolder:
    folder = FixtureFolder(tmp_path, "made-up")
    folder.scratch([(0x10000000, 1 << 20), (0, 0)])
    return folder


# Rules of kho-abi 8, top to bottom.


def test_rule_2_the_series_of_2025(tmp_path: Path) -> None:
    for content, state in (("0\n", State.OPEN), ("1\n", State.FINALIZED)):
        folder = FixtureFolder(tmp_path / state, "6.14.0")
        folder.file("/sys/kernel/kho/finalize", content)
        found = recognised(folder.open())
        assert (found.generation.protocol, found.state) == (Protocol.UNKNOWN, state)
        assert found.generation.finalize is Finalize.REVERSIBLE


def test_rule_4_bootmem_wins_over_the_word(made: FixtureFolder) -> None:
    made.file(f"{KHO}/out/bootmem_phys", "0x1000\n")
    made.file(f"{KHO}/out/fdt", kernel_trees.root("kho-v4", 4096))
    found = recognised(made.open())
    assert (found.generation.protocol, found.generation.releases) == (
        Protocol.KHO_V4,
        "7.4 and later",
    )


def test_rule_5_a_tree_before_finalize(made: FixtureFolder) -> None:
    made.file(f"{KHO}/out/finalize", "0\n")
    made.file(f"{KHO}/out/fdt", kernel_trees.root("kho-v1", 0))
    found = recognised(made.open())
    assert (found.generation.finalize, found.state) == (Finalize.LATCHING, State.OPEN)


@pytest.mark.parametrize("value", ["0\n", "1\n"])
@pytest.mark.parametrize("folder_there", [True, False])
def test_rules_6_and_7_the_kexec_folder(
    made: FixtureFolder, value: str, folder_there: bool
) -> None:
    made.file(f"{KHO}/out/finalize", value)
    if value == "1\n":
        made.file(f"{KHO}/out/fdt", kernel_trees.root("kho-v1", 4096))
    if folder_there:
        made.file("/sys/kernel/kexec/loaded", "0\n")
    found = recognised(made.open())
    assert found.generation.protocol is Protocol.KHO_V1
    assert found.generation.finalize is (Finalize.LATCHING if folder_there else Finalize.REVERSIBLE)
    assert found.state is (State.FINALIZED if value == "1\n" else State.OPEN)


@pytest.mark.parametrize(
    ("word", "protocol", "releases"),
    [
        ("kho-v3", Protocol.KHO_V3, "7.1"),
        ("kho-v4", Protocol.KHO_V4, "7.2 and 7.3"),
        ("kho-v5", Protocol.UNKNOWN, "7.1 or later"),
    ],
)
@pytest.mark.parametrize("side", ["out", "in"])
def test_rule_9_the_word_of_either_tree(
    made: FixtureFolder, side: str, word: str, protocol: Protocol, releases: str
) -> None:
    made.file(f"{KHO}/{side}/fdt", kernel_trees.root(word, 4096))
    found = recognised(made.open())
    assert (found.generation.protocol, found.generation.releases) == (protocol, releases)
    assert (found.generation.finalize, found.state) == (Finalize.NONE, State.STATELESS)
    assert f"root tree {word}" in found.generation.evidence


def test_kho_v1_without_a_finalize_file_is_no_kernel_known(made: FixtureFolder) -> None:
    made.file(f"{KHO}/out/fdt", kernel_trees.root("kho-v1", 4096))
    found = recognised(made.open())
    assert (found.generation.protocol, found.state) == (Protocol.UNKNOWN, State.UNAVAILABLE)
    assert found.unavailable is not None
    assert found.unavailable.cause is Cause.INVALID


@pytest.mark.parametrize("name", ["finalize", "scratch_phys", "bootmem_phys"])
def test_a_file_that_cannot_be_looked_at_is_not_one_that_is_missing(
    made: FixtureFolder, name: str
) -> None:
    made.file(f"{KHO}/out/fdt", kernel_trees.root("kho-v1", 4096))
    source = made.open()
    late = Unknown(Cause.LATE, "no answer in 2 s")
    hidden = Hidden(source, f"{KHO}/out/{name}", late)
    found = recognised(hidden)
    assert (found.generation.protocol, found.state) == (Protocol.UNKNOWN, State.UNAVAILABLE)
    assert found.unavailable is not None
    assert found.unavailable.cause is Cause.LATE


class Hidden(Overlay):
    """A source where one path cannot be looked at."""

    def __init__(self, below: Source, path: str, why: Unknown) -> None:
        super().__init__(below, {}, below.memory)
        self._path, self._why = path, why

    def exists(self, path: str) -> Maybe[bool]:
        return self._why if path == self._path else super().exists(path)


@pytest.mark.parametrize(
    ("content", "protocol"),
    [
        (luo_v1(flb=True), Protocol.KHO_V3),
        (b"luo-v5\0\0" + bytes(24), Protocol.KHO_V4),
        (b"luo-v6\0\0" + bytes(24), Protocol.UNKNOWN),
        (b"#!/bin/sh\n", Protocol.UNKNOWN),
        (None, Protocol.UNKNOWN),
    ],
)
def test_rule_10_the_live_update_blob(
    made: FixtureFolder, content: bytes | None, protocol: Protocol
) -> None:
    if content is not None:
        made.file(f"{KHO}/out/sub_fdts/LUO", content)
    assert recognised(made.open()).generation.protocol is protocol


def test_a_tree_without_a_word(made: FixtureFolder) -> None:
    made.file(f"{KHO}/out/fdt", kernel_trees.sequential([("preserved-memory-map", bytes(8))]))
    found = recognised(made.open())
    assert found.generation.protocol is Protocol.UNKNOWN


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    folder = FixtureFolder(tmp_path, "7.3.4")
    folder.unreadable("/sys/kernel/debug", 13)
    found = recognised(folder.open())
    assert (found.generation.protocol, found.state) == (Protocol.UNKNOWN, State.UNAVAILABLE)
    assert isinstance(found.unavailable, Unknown)
    assert found.unavailable.cause is Cause.NOT_PERMITTED
    assert "/sys/kernel/debug/kho" in found.unavailable.reason


@pytest.mark.parametrize(
    ("release", "number"),
    [
        ("6.18.15", (6, 18)),
        ("7.3.0-10-generic", (7, 3)),
        ("6.17-rc1", (6, 17)),
        ("7", None),
        ("next-20260101", None),
        ("", None),
    ],
)
def test_release_numbers(release: str, number: tuple[int, int] | None) -> None:
    assert release_number(release) == number
