import pytest

from kho_console.abi import blob
from kho_console.model.blob import (
    Blob,
    BlobState,
    KexecMetadata,
    KhoTest,
    LuoHeader,
    MemblockTree,
)
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Unknown
from tests.abi import kernel_trees
from tests.abi.page_memory import recorded_file


def outgoing(name: bytes, content: bytes) -> Blob:
    return blob.interpret(name, content, 4096, incoming=False)


def incoming(name: bytes, content: bytes) -> Blob:
    return blob.interpret(name, content, 4096, incoming=True)


def recorded_blob(moment: str, side: str, name: str) -> bytes:
    return recorded_file(moment, f"/sys/kernel/debug/kho/{side}/sub_fdts/{name}")


@pytest.mark.parametrize(
    ("moment", "side", "name", "size", "format_word", "compatible", "payload"),
    [
        ("linux-7.3.4/sessions", "out", "LUO", 32, "luo-v5", b"luo-v5", LuoHeader),
        ("linux-7.3.4/sessions", "out", "memblock", 294, "fdt", b"memblock-v1", MemblockTree),
        ("linux-7.3.4/restored", "in", "kexec-metadata", 73, "kexec-metadata", None, KexecMetadata),
        ("linux-7.1.13/restored", "in", "LUO", 311, "fdt", b"luo-v1", LuoHeader),
        ("linux-6.18.15/finalized", "out", "memblock", 294, "fdt", b"memblock-v1", MemblockTree),
    ],
)
def test_recorded_blobs(
    moment: str,
    side: str,
    name: str,
    size: int,
    format_word: str,
    compatible: bytes | None,
    payload: type,
) -> None:
    found = outgoing(name.encode(), recorded_blob(moment, side, name))
    assert (found.size, found.format, found.compatible) == (size, format_word, compatible)
    assert (found.state, found.reason) == (BlobState.VALID, "")
    assert isinstance(found.address, Unknown)
    assert isinstance(found.payload, payload)
    assert isinstance(found.content, bytes)
    for field in found.fields:
        raw = found.content[field.offset : field.offset + field.size]
        if isinstance(field.value, int):
            assert int.from_bytes(raw, "little") == field.value
        else:
            assert raw.rstrip(b"\0") == field.value


def test_a_tree_of_an_unknown_producer() -> None:
    content = kernel_trees.sequential([("compatible", b"vendor,thing\0")])
    found = outgoing(b"thing", content)
    assert (found.format, found.compatible, found.state) == (
        "fdt",
        b"vendor,thing",
        BlobState.VALID,
    )
    assert isinstance(found.payload, FlatTree)
    assert found.fields == ()


def test_a_tree_without_a_word() -> None:
    found = outgoing(b"thing", kernel_trees.sequential([("a", b"b")]))
    assert (found.compatible, found.state) == (None, BlobState.VALID)


def test_a_known_tree_under_another_name_is_still_that_tree() -> None:
    content = recorded_blob("linux-7.3.4/sessions", "out", "memblock")
    assert isinstance(outgoing(b"other", content).payload, MemblockTree)


def test_kho_test_by_its_word() -> None:
    data = [("nr_folios", bytes(4)), ("csum", bytes(4)), ("folios_info", b"")]
    magic = (0x4B484F21).to_bytes(4, "little")
    content = kernel_trees.sequential(
        [("compatible", b"kho-test-v1\0"), ("magic", magic)], [("data", data)]
    )
    assert isinstance(outgoing(b"kho_test", content).payload, KhoTest)


def test_raw_bytes_of_an_unknown_producer() -> None:
    found = outgoing(b"thing", b"\x00\x01")
    assert (found.format, found.compatible, found.payload) == ("unknown", None, None)
    assert (found.state, found.reason) == (BlobState.VALID, "")


def test_an_empty_blob() -> None:
    found = outgoing(b"thing", b"")
    assert (found.state, found.reason) == (BlobState.INVALID, "it is empty")


def test_a_later_live_update_struct_is_named_only() -> None:
    found = outgoing(b"LUO", b"luo-v6\0\0" + bytes(24))
    assert (found.format, found.compatible, found.payload) == ("unknown", b"luo-v6", None)
    assert (found.state, found.reason) == (BlobState.VALID, "luo-v6 is not known here")


@pytest.mark.parametrize("name", [b"LUO", b"memblock", b"kho_test"])
def test_what_reuses_the_page_of_an_incoming_blob(name: bytes) -> None:
    """In five of six boots of 7.3 the page of the incoming LUO blob held initramfs text."""
    text = b"#!/bin/sh\n"
    stale = incoming(name, text)
    assert stale.state is BlobState.STALE
    assert stale.reason.startswith("released by the kernel; not what ")
    assert outgoing(name, text).state is BlobState.INVALID


def test_another_version_of_the_metadata() -> None:
    found = incoming(b"kexec-metadata", b"\x02\0\0\0" + bytes(80))
    assert found.state is BlobState.VALID
    assert isinstance(found.payload, KexecMetadata)
    assert isinstance(found.payload.previous_release, Unknown)


def test_damaged_trees_keep_what_can_be_read() -> None:
    content = recorded_blob("linux-7.3.4/sessions", "out", "memblock")
    cut = outgoing(b"memblock", content[:200])
    assert (cut.format, cut.state) == ("fdt", BlobState.INVALID)
    assert isinstance(cut.payload, FlatTree)
    assert "is missing" in cut.reason
    hollow = outgoing(b"memblock", content[:44])
    assert (hollow.state, hollow.payload) == (BlobState.INVALID, None)
    broken = kernel_trees.sequential([("compatible", b"memblock-v1\0")], [("oops", [])])
    found = outgoing(b"memblock", broken)
    assert (found.state, found.compatible) == (BlobState.INVALID, b"memblock-v1")
    assert "no compatible" in found.reason
