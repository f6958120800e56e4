"""Targets of the other mechanisms: streams of kstate and their descriptions, nodes of PKRAM."""

import struct
from collections.abc import Callable
from functools import partial
from itertools import islice

from kho_console.abi import fdt, kho2024, kho2024_node, kho2024_tree
from kho_console.abi.kstate import command_line, decode, detect, toml
from kho_console.abi.kstate.stream import Walk
from kho_console.abi.pkram import read
from kho_console.abi.pkram.write import SavedNode, SavedObject, write
from kho_console.abi.reader import Bytes
from kho_console.engine.formats import fdt as formats_fdt
from kho_console.engine.formats.kstate import KstateStream
from kho_console.model.kstate import KstateVersion
from kho_console.model.pkram import PkramVersion, PreservedPage
from tests.abi.kstate.streams import V1, V1_NESTED, V2, V3, shipped
from tests.abi.page_memory import PageMemory
from tests.abi.test_kho2024 import TREE
from tests.fuzz.target import Changes, Target, refused

_VERSIONS = (KstateVersion.V1, KstateVersion.V2, KstateVersion.V3)
_REGISTRIES = {version: shipped(version) for version in _VERSIONS}
_STREAMS = {"v1": V1, "nested": V1_NESTED, "v2": V2, "v3": V3, "many": V2[:-4] * 100 + V2[-4:]}
_OPTIONS = {"plain": b"0x1000@8M", "short": b"4096", "odd": b"@zz"}
_CACHES = {"records": struct.pack("<4Q", 0x10000000, 0x1000, 0x20000000, 0x3000)}
_COMPILED = {"tree": fdt.write_compiled(fdt.read(TREE).root)}
_TOML = """version = "v3"
[[description]]
name = "trace"
id = 7
version = 2
min_version = 1
subsections = [8]
[[description.field]]
name = "buffers"
struct = 9
count = "cpus"
flags = ["POINTER", "ARRAY_OF_POINTER", "STRUCT"]
[[description]]
name = "more"
id = 8
[[description.field]]
name = "old"
type = "u16"
version = 1
flags = ["BASE_TYPE", "DEPRECATED"]
[[description]]
name = "buffer"
id = 9
[[description.field]]
name = "text"
type = "char[16]"
"""


def _stream(data: bytes) -> None:
    detect.detect(Bytes(data))
    for version in KstateVersion:
        found = KstateStream(Bytes(data), version, _REGISTRIES.get(version))
        for item in islice(found.entries(), 2000):
            if version in _REGISTRIES and isinstance(item.content, bytes):
                with refused():
                    decode.strictly(_REGISTRIES[version], item.entry, item.content)
        found.findings()
        for headers in Walk(Bytes(data), version).headers():
            assert len(headers.offsets) == len(headers.words)


def _option(data: bytes) -> None:
    for version in command_line.OPTIONS:
        command_line.parse(data, version)


def _descriptions(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    toml.parse(text)


def _any(pieces: dict[str, bytes], run: Callable[[bytes], None], changes: Changes) -> None:
    """Run over the pieces that changed, over all where none did."""
    for data in changes.values() if changes else pieces.values():
        if data is not None:
            run(data)


def _pages(version: PkramVersion) -> dict[str, bytes]:
    small = [PreservedPage(at, 0x1000_0000 + at * 4096, 0, 0) for at in range(1200)]
    huge = [PreservedPage(at * 512, 0x4000_0000 + at * 0x200000, 9, 0) for at in range(3)]
    objects = [SavedObject(small, b"one"), SavedObject(huge, b"x" * 4000)]
    written = write(0x40, [SavedNode(b"vm", objects), SavedNode(b"", [])], version)
    return {f"0x{address:x}": page for address, page in written.items()}


def _nodes(good: dict[str, bytes], version: PkramVersion, changes: Changes) -> None:
    pages = {int(at, 16): page for at, page in (good | dict(changes)).items() if page is not None}
    for given, listed in ((version, True), (None, False)):
        read.read(PageMemory(pages), 0x40, given, listed=listed)


def _of_nodes(version: PkramVersion) -> Target:
    good = _pages(version)
    return Target(f"pkram {version}", good, partial(_nodes, good, version), 0.02, pages=True)


def _tree(data: bytes) -> None:
    tree = fdt.read(data)
    kho2024_node.blobs(tree, kho2024.decode(tree))


def _laid_out(data: bytes) -> None:
    """By which writer a tree comes back is found by trying them all."""
    formats_fdt.read_2024(Bytes(data))


def _cache(data: bytes) -> None:
    kho2024_tree.read_mem_cache(data)


MECHANISMS = (
    Target("kho 2024", {"tree": TREE}, partial(_any, {"tree": TREE}, _tree), 0.02),
    Target("fdt layout", _COMPILED, partial(_any, _COMPILED, _laid_out), 0.02),
    Target("kho 2024 mem cache", _CACHES, partial(_any, _CACHES, _cache), 0.01),
    Target("kstate stream", _STREAMS, partial(_any, _STREAMS, _stream), 0.03),
    Target("kstate option", _OPTIONS, partial(_any, _OPTIONS, _option), 0.01),
    Target(
        "kstate descriptions",
        {"toml": _TOML.encode()},
        partial(_any, {"toml": _TOML.encode()}, _descriptions),
        0.02,
    ),
    *map(_of_nodes, PkramVersion),
)
