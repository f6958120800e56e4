"""`decode elfcorehdr` and `encode elfcorehdr`: both ways, against real headers and readelf."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import elfcorehdr
from kho_console.abi.reader import Bytes
from kho_console.documents import elfcorehdr as documents
from kho_console.engine.formats import elfcorehdr as file_format
from kho_console.model.crash import CoreHeader, CoreLoad, LoadKind
from kho_console.model.memory import MemoryRange
from tests.abi.test_elfcorehdr import WITH_IMAGE, real
from tests.cli.run import Console
from tests.cli.test_documents import validate

MAP = 0xFF11_0000_0000_0000


@pytest.mark.parametrize("name", WITH_IMAGE)
def test_a_real_header_comes_back_byte_by_byte(console: Console, tmp_path: Path, name: str) -> None:
    file, made, back = (tmp_path / word for word in ("header", "document", "back"))
    file.write_bytes(real(name))
    answer = console("decode", "elfcorehdr", str(file), "--json")
    validate(answer.document, "elfcorehdr")
    assert (answer.code, answer.document["layout"]) == (0, "kernel")
    made.write_text(answer.out)
    assert console("encode", "elfcorehdr", str(made), "--output", str(back)).code == 0
    assert back.read_bytes() == file.read_bytes()


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
@pytest.mark.parametrize("name", WITH_IMAGE[:1])
def test_it_says_what_readelf_says(console: Console, tmp_path: Path, name: str) -> None:
    file = tmp_path / "header"
    file.write_bytes(real(name))
    run = subprocess.run(["readelf", "-lW", str(file)], capture_output=True, text=True, check=False)
    rows = [line.split() for line in run.stdout.splitlines()]
    loads = [
        {"address": int(row[3], 16), "size": int(row[5], 16), "virtual": int(row[2], 16)}
        for row in rows
        if row[:1] == ["LOAD"]
    ]
    found = console("decode", "elfcorehdr", str(file), "--json").document
    assert [{key: item[key] for key in loads[0]} for item in found["loads"]] == loads
    printed = console("decode", "elfcorehdr", str(file)).out.splitlines()
    assert len([line for line in printed if line.startswith(("text", "memory"))]) == len(loads)


@st.composite
def headers(draw: st.DrawFn) -> CoreHeader:
    """A header as the kernel makes it."""
    pages = draw(st.lists(st.integers(1, 1 << 30), unique=True, max_size=30))
    edges = sorted(pages[: len(pages) // 2 * 2])
    loads = tuple(
        CoreLoad(MemoryRange(at << 12, (end - at) << 12), MAP + (at << 12), LoadKind.MEMORY)
        for at, end in zip(edges[::2], edges[1::2], strict=True)
    )
    notes = tuple(
        MemoryRange(at << 12, 400) for at in draw(st.lists(st.integers(0, 1 << 20), max_size=9))
    )
    machine = draw(st.integers(0, 0xFFFF))
    return CoreHeader(machine, draw(st.booleans()), notes, loads)


@given(headers(), st.integers(0, 5000))
def test_any_header_of_the_kernel_comes_back(header: CoreHeader, more: int) -> None:
    data = elfcorehdr.write(header) + bytes(more)
    found, size, layout, findings = file_format.read(Bytes(data))
    assert (found, layout, findings) == (header, "kernel", [])
    document = json.loads(json.dumps(documents.elfcorehdr(found, size, layout, findings)))
    assert file_format.encoded(*documents.core_header(document)) == data


def test_bytes_that_the_kernel_does_not_write_are_named(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "header"
    data = bytearray(real(WITH_IMAGE[0]))
    data[-1] = 1
    file.write_bytes(data)
    answer = console("decode", "elfcorehdr", str(file), "--json")
    validate(answer.document, "elfcorehdr")
    assert answer.document["layout"] is None
    assert answer.document["findings"][0]["id"] == "elfcorehdr-layout"


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 60, bytes(4096)])
def test_what_is_no_header_is_bad_news(console: Console, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "header"
    file.write_bytes(content)
    answer = console("decode", "elfcorehdr", str(file), "--json")
    assert (answer.code, answer.out) == (1, "")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"machine": 62, "notes": [], "loads": [7]},
        {"machine": 62, "notes": [], "loads": [], "bytes": 1 << 31},
        {"machine": 62, "notes": [], "loads": [], "bytes": 3},
        {
            "machine": 62,
            "notes": [],
            "loads": [{"address": 0, "size": 1, "virtual": 0, "kind": "x"}],
        },
    ],
)
def test_what_is_no_document_writes_nothing(
    console: Console, tmp_path: Path, document: object
) -> None:
    file, target = tmp_path / "document", tmp_path / "target"
    file.write_text(json.dumps(document))
    assert console("encode", "elfcorehdr", str(file), "--output", str(target)).code == 1
    assert not target.exists()


def _damaged(count: int, rows: list[tuple[int, int, int]]) -> bytes:
    """A header by hand: type, address and size of each entry, and how many it says there are."""
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0
    )
    entries = (
        struct.pack("<IIQQQQQQ", kind, 7, start, MAP + start, start, size, size, 0)
        for kind, start, size in rows
    )
    return head + b"".join(entries)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (_damaged(9, [(1, 4096, 4096)]), "at 0x78: 9 program headers announced, 1 there"),
        (
            _damaged(2, [(1, 4096, 8192), (1, 8192, 4096)]),
            "at 0x90: memory at 0x2000 is described twice",
        ),
        (
            _damaged(2, [(0, 0, 0), (1, 4096, 4096)]),
            "at 0x40: a program header of type 0x0, neither note nor load",
        ),
    ],
)
def test_of_a_damaged_header_what_is_sound_is_told(
    console: Console, tmp_path: Path, content: bytes, fault: str
) -> None:
    file = tmp_path / "header"
    file.write_bytes(content)
    answer = console("decode", "elfcorehdr", str(file), "--json")
    validate(answer.document, "elfcorehdr")
    assert answer.code == 1
    assert answer.document["loads"][0]["address"] == 4096
    assert [item["text"] for item in answer.document["findings"]] == [fault]
    shown = console("decode", "elfcorehdr", str(file))
    assert (shown.code, shown.out.splitlines()[-1]) == (1, f"error  header: {fault}")
