"""What came in against what goes out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import blob as abi_blob
from kho_console.abi import fdt
from kho_console.engine import comparison
from kho_console.engine.comparison import Change, Comparison
from kho_console.model.snapshot import Snapshot
from kho_console.model.tree import Property, TreeNode
from kho_console.model.unknown import Cause, Unknown
from tests.engine.machines import recorded

RESTORED = "linux-7.1.13/restored"


def machine(came: dict[bytes, bytes], goes: dict[bytes, bytes]) -> Snapshot:
    """A machine with these blobs on its two sides."""
    base = recorded(RESTORED)
    assert not isinstance(base.incoming, Unknown)
    sides = [
        tuple(
            abi_blob.interpret(name, content, 4096, incoming=incoming)
            for name, content in blobs.items()
        )
        for incoming, blobs in ((True, came), (False, goes))
    ]
    return replace(
        base,
        incoming=replace(base.incoming, blobs=sides[0]),
        outgoing=replace(base.outgoing, blobs=sides[1]),
    )


def tree(*nodes: tuple[bytes, dict[bytes, bytes]]) -> bytes:
    children = tuple(
        TreeNode(name, tuple(Property(key, value, 0) for key, value in values.items()))
        for name, values in nodes
    )
    return fdt.write_sequential(TreeNode(b"", (Property(b"compatible", b"x-v1\0", 0),), children))


def known(found: object) -> Comparison:
    assert isinstance(found, Comparison), found
    return found


def test_values_are_compared_by_path() -> None:
    came = tree((b"a", {b"size": b"\1\0\0\0\0\0\0\0", b"old": b"x\0"}), (b"gone", {}))
    goes = tree((b"a", {b"size": b"\2\0\0\0\0\0\0\0", b"new": b"y\0"}))
    found = known(comparison.contents(machine({b"b": came}, {b"b": goes}), b"b"))
    assert [(pair.change, pair.path) for pair in found.pairs] == [
        (Change.SAME, b"/"),
        (Change.SAME, b"/compatible"),
        (Change.SAME, b"/a"),
        (Change.CHANGED, b"/a/size"),
        (Change.GONE, b"/a/old"),
        (Change.GONE, b"/gone"),
        (Change.ADDED, b"/a/new"),
    ]
    size = found.pairs[3]
    assert size.came is not None and size.goes is not None
    assert (size.came.value, size.goes.value) == (1, 2)
    assert found.differing is None
    assert found.counted[Change.GONE] == 2


def test_a_number_of_another_width_has_changed() -> None:
    came = tree((b"a", {b"n": b"\1\0\0\0"}))
    goes = tree((b"a", {b"n": b"\1\0\0\0\0\0\0\0"}))
    found = comparison.contents(machine({b"b": came}, {b"b": goes}), b"b")
    assert known(found).pairs[-1].change is Change.CHANGED


def test_structs_are_compared_by_field() -> None:
    snapshot = recorded("linux-7.1.13/restored")
    found = known(comparison.contents(snapshot, b"kexec-metadata"))
    changes = {pair.path: pair.change for pair in found.pairs}
    assert changes[b"version"] is Change.SAME
    assert changes[b"kexec_count"] is Change.CHANGED


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_bytes_that_nothing_decodes(came: bytes, goes: bytes) -> None:
    found = comparison.contents(machine({b"raw": came}, {b"raw": goes}), b"raw")
    differ = [
        at
        for at in range(max(len(came), len(goes)))
        if came[at : at + 1] != goes[at : at + 1]
    ]  # fmt: skip
    result = known(found)
    assert result.differing == len(differ)
    # Stretches cover what differs and nothing else; only the tail may touch the one before it.
    assert [at for stretch in result.stretches for at in stretch] == differ
    common = min(len(came), len(goes))
    for one, other in zip(result.stretches, result.stretches[1:], strict=False):
        assert one.stop < other.start or other.start == common


def test_very_many_stretches_are_counted_and_not_all_kept() -> None:
    came, goes = b"\0\1" * 5000, b"\0\0" * 5001
    found = known(comparison.contents(machine({b"raw": came}, {b"raw": goes}), b"raw"))
    assert (len(found.stretches), found.differing) == (1000, 5002)


def test_blobs_of_both_sides_by_name() -> None:
    came = {b"same": b"abc", b"other": b"abc", b"gone": b"x", b"LUO": b"not a struct"}
    goes = {b"same": b"abc", b"other": b"abd", b"new": b"yy", b"LUO": b"x"}
    found = known(comparison.blobs(machine(came, goes)))
    assert {pair.path: pair.change for pair in found.pairs} == {
        b"same": Change.SAME,
        b"other": Change.CHANGED,
        b"gone": Change.GONE,
        b"LUO": Change.UNKNOWN,
        b"new": Change.ADDED,
    }
    assert found.pairs[-1].goes is not None and found.pairs[-1].goes.value == 2


@pytest.mark.parametrize(
    ("name", "blob", "cause", "reason"),
    [
        ("linux-7.1.13/sessions", b"LUO", Cause.ABSENT, "did not come through a handover"),
        (
            "linux-7.3.4/retrieved",
            b"LUO",
            Cause.RELEASED,
            "released by the kernel; its records are gone (in)",
        ),
        (RESTORED, b"no such", Cause.ABSENT, "in: there is no blob of that name"),
        (RESTORED, None, Cause.ABSENT, "out: "),
    ],
)
def test_why_nothing_can_be_compared(
    name: str, blob: bytes | None, cause: Cause, reason: str
) -> None:
    found = comparison.contents(recorded(name), blob)
    assert isinstance(found, Unknown)
    assert found.cause is cause
    assert reason in found.reason


def test_no_sides_to_compare() -> None:
    found = comparison.blobs(recorded("linux-7.3.4/cold"))
    assert isinstance(found, Unknown)
