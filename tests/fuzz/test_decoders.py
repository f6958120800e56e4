"""No damaged input makes a decoder fail in a way of its own, hang, or take memory without end."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType

import pytest

from kho_console import abi
from kho_console.abi import fdt_agreement
from tests.fuzz.decoders import TARGETS
from tests.fuzz.target import CASES, SEED, Target, attempt, damaged

WRITERS = {
    "elfcorehdr.build",
    "elfcorehdr.header_of",
    "purgatory.filled",
    "purgatory.regions",
    "purgatory.write_regions",
    "kexec_metadata.encode",
    "kho2024_tree.ftrace",
    "kho2024_tree.mem",
    "kho2024_tree.mem_cache",
    "kho2024_tree.pages_of",
    "kho2024_tree.root",
    "kstate.command_line.write",
    "kstate.encode.writes",
    "kstate.v3.reserve_mem_instance",
    "kstate.v3.runs_over",
    "page_flags.free",
    "page_flags.reserved",
    "pkram.table.write",
    "kstate.encode.entry",
    "kstate.stream.pack",
    "kstate.stream.write",
    "luo.encode_struct",
    "luo.encode_tree",
    "memblock.encode",
    "native.number",
    "native.string",
    "pkram.layout.entry",
    "pkram.layout.write_link",
    "pkram.layout.write_node",
    "pkram.layout.write_object",
    "pkram.layout.write_regions",
    "pkram.layout.write_super",
    "pkram.regions.estimate",
    "pkram.regions.write",
    "pkram.write.links",
    "pkram.write.splits",
    "pkram.write.write",
    "chunk_list.write",
    "radix_tree.write",
    "root_tree.write",
    "runs.bitmap_of",
    "recording.fields.times",
    "recording.framing.frame",
    "recording.framing.number",
    "recording.content.compress",
    "recording.content.pack",
    "recording.bodies.checkpoint",
    "recording.bodies.index",
    "recording.bodies.mark",
    "recording.bodies.moment",
    "recording.bodies.run",
    "recording.bodies.table",
}
"""What makes bytes out of values of ours: it meets no foreign input."""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_input(target: Target) -> None:
    attempt(target, {})
    for number in range(max(int(CASES * target.share), 1)):
        try:
            attempt(target, damaged(target, SEED, number))
        except BaseException as error:
            error.add_note(f"replay: python -m tests.fuzz --case '{target.name}' {SEED} {number}")
            raise


def test_every_decoder_has_a_target() -> None:
    """Every public function of the package runs when the targets read good input."""
    fdt_agreement.disagreement.cache_clear()
    ran = codes_of(lambda: [target.run({}) for target in TARGETS])
    missing = {name for name, code in decoders() if code not in ran}
    assert missing == WRITERS


def codes_of(run: Callable[[], object]) -> set[CodeType]:
    """The code of all functions that `run` gets to."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return seen


def decoders() -> Iterable[tuple[str, CodeType]]:
    """The public functions of the package, by module and name."""
    for found in pkgutil.walk_packages(abi.__path__, f"{abi.__name__}."):
        module = importlib.import_module(found.name)
        for name, item in inspect.getmembers(module):
            function = inspect.unwrap(item) if callable(item) else item
            public = inspect.isfunction(function) and not name.startswith("_")
            if public and function.__module__ == found.name:
                yield f"{found.name.removeprefix(abi.__name__ + '.')}.{name}", function.__code__
