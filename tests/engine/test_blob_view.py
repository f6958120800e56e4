from dataclasses import replace

import pytest

from kho_console.engine import blob_view
from kho_console.engine.blob_view import Line
from kho_console.engine.observe import observe
from kho_console.model.blob import BlobState
from kho_console.model.snapshot import Side
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder


@pytest.fixture(scope="module")
def outgoing() -> Side:
    return observe(FixtureSource(folder("linux-7.3.4/ready"))).outgoing


def known(found: object) -> tuple[Line, ...]:
    assert isinstance(found, tuple)
    return found


def test_the_root_tree_line_by_line(outgoing: Side) -> None:
    lines = known(blob_view.lines(outgoing, None))
    assert lines[:5] == (
        Line(0, b"/", path=b"/"),
        Line(1, b"compatible", b"kho-v4", "text", "", 76, 7, b"/compatible"),
        Line(
            1,
            b"preserved-memory-map",
            0x400D7000,
            "address",
            "native u64",
            96,
            8,
            b"/preserved-memory-map",
        ),
        Line(1, b"/memblock", path=b"/memblock"),
        Line(2, b"blob-size", 294, "bytes", "native u64", 132, 8, b"/memblock/blob-size"),
    )
    assert [line.label for line in lines if line.value is None] == [
        b"/",
        b"/memblock",
        b"/LUO",
        b"/kexec-metadata",
    ]


def test_decoded_fields_win_over_guesses(outgoing: Side) -> None:
    lines = known(blob_view.lines(outgoing, b"memblock"))
    start = next(line for line in lines if line.label == b"start")
    assert start == Line(2, b"start", 0x6E800000, "address", "native u64", 148, 8, b"/oops/start")
    blob = outgoing.blob(b"memblock")
    assert blob is not None
    bare = replace(outgoing, blobs=(replace(blob, fields=()),))
    guessed = known(blob_view.lines(bare, b"memblock"))
    assert next(line for line in guessed if line.label == b"start").meaning == ""


def test_a_struct_line_by_line(outgoing: Side) -> None:
    lines = known(blob_view.lines(outgoing, b"kexec-metadata"))
    assert [(line.label, line.value, line.offset) for line in lines] == [
        (b"version", 1, 0),
        (b"previous_release", b"7.3.4", 4),
        (b"kexec_count", 1, 69),
    ]
    assert all(line.path == line.label for line in lines)


def test_what_nobody_knows(outgoing: Side) -> None:
    blob = outgoing.blob(b"kexec-metadata")
    assert blob is not None
    strange = replace(blob, content=b"\x01\x02", fields=(), payload=None)
    found = blob_view.lines(replace(outgoing, blobs=(strange,)), b"kexec-metadata")
    assert isinstance(found, Unknown)
    assert found.cause is Cause.UNSUPPORTED
    torn = replace(strange, state=BlobState.INVALID, reason="at 0x1: torn")
    found = blob_view.lines(replace(outgoing, blobs=(torn,)), b"kexec-metadata")
    assert found == Unknown(Cause.INVALID, "at 0x1: torn")
    assert isinstance(blob_view.lines(outgoing, b"nobody"), Unknown)


def test_a_damaged_tree_names_its_faults(outgoing: Side) -> None:
    blob = outgoing.blob(b"memblock")
    assert blob is not None
    assert isinstance(blob.content, bytes)
    torn = replace(blob, content=blob.content[:200], fields=())
    lines = known(blob_view.lines(replace(outgoing, blobs=(torn,)), b"memblock"))
    faults = [line for line in lines if not line.label]
    assert faults and all(line.note.startswith("at byte ") for line in faults)


def test_source_lines(outgoing: Side) -> None:
    found = blob_view.source_lines(outgoing, b"memblock")
    assert isinstance(found, tuple)
    assert found[0] == "/dts-v1/;"
    assert '    compatible = [6d 65 6d 62 6c 6f 63 6b 2d 76 31 00]; /* "memblock-v1" */' in found
    assert isinstance(blob_view.source_lines(outgoing, b"kexec-metadata"), Unknown)
