"""`encode` of documents that were edited, and what `decode` says of the wrong input."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kho_console.engine.formats import pkram
from kho_console.model.pkram import PkramVersion, PreservedPage
from tests.abi.kstate.streams import V2
from tests.abi.test_kho2024 import TREE
from tests.cli.run import Answer, Console
from tests.recordings import folder

Edit = Callable[[Any], object]
MAINLINE = folder("linux-6.18.15/ready") / "root/sys/kernel/debug/kho/out/fdt"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[str]]:
    """What `decode` takes, by format."""
    (tmp_path / "stream").write_bytes(V2)
    (tmp_path / "tree").write_bytes(TREE)
    pages = tuple(PreservedPage(at, (1 << 30) + at * 4096, 0, 0) for at in range(3))
    nodes = [(b"a", [(pages, b"bytes")])]
    with (tmp_path / "image").open("wb") as image:
        for address, page in pkram.encoded(0x40, nodes, PkramVersion.V3).items():
            image.seek(address)
            image.write(page)
    return {
        "kstate": [str(tmp_path / "stream")],
        "kho2024": [str(tmp_path / "tree")],
        "pkram": [str(tmp_path / "image"), "--pfn", "40", "--pages"],
    }


def encoded(console: Console, place: Path, form: str, document: Any) -> Answer:
    (place / "document").write_text(json.dumps(document))
    return console("encode", form, str(place / "document"), "--output", str(place / "out"))


def set_to(key: str, value: object, *path: str | int) -> Edit:
    def edit(document: Any) -> None:
        for step in path:
            document = document[step]
        document[key] = value

    return edit


@pytest.mark.parametrize(
    ("form", "edit", "said"),
    [
        ("kstate", set_to("i", 99, "entries", 0, "fields"), "i is 99 in fields, and 10 in data"),
        ("kstate", set_to("bogus", 1, "entries", 0, "fields"), "no field bogus"),
        ("kstate", set_to("size", 10, "entries", 0), "size is 10, and data has 54 bytes"),
        ("kstate", set_to("data", "zz", "entries", 0), "data: 'zz' is not hexadecimal"),
        ("kstate", set_to("version", "v9"), "v1, v2, dev, v3"),
        ("kho2024", set_to("address", 1, "mem", 0, "ranges", 0), "mem is not what root says"),
        ("kho2024", set_to("crc", 0x777, "events", 0), "events is not what root says"),
        ("pkram", set_to("page_bytes", 1, "nodes", 0, "objects", 0), "page_bytes is 1"),
        ("pkram", set_to("byte_count", 6, "nodes", 0, "objects", 0), "byte_count is 6"),
        ("pkram", lambda it: it["nodes"][0]["objects"][0].pop("pages"), "--pages"),
        ("pkram", lambda it: it.pop("nodes"), "decode pkram"),
    ],
)
def test_no_edit_is_lost_without_a_word(
    console: Console,
    tmp_path: Path,
    files: dict[str, list[str]],
    form: str,
    edit: Edit,
    said: str,
) -> None:
    document = console("decode", form, *files[form], "--json").document
    assert encoded(console, tmp_path, form, document).code == 0
    (tmp_path / "out").unlink()
    edit(document)
    answer = encoded(console, tmp_path, form, document)
    assert (answer.code, said in answer.err) == (1, True), answer.err
    assert not (tmp_path / "out").exists()


def test_fields_count_where_there_are_no_bytes(
    console: Console, tmp_path: Path, files: dict[str, list[str]]
) -> None:
    document = console("decode", "kstate", *files["kstate"], "--json").document
    entry = document["entries"][0]
    entry["fields"]["i"] = 99
    del entry["data"], entry["size"]
    assert encoded(console, tmp_path, "kstate", document).code == 0
    shown = console("decode", "kstate", str(tmp_path / "out")).out
    assert "i = 99\n" in shown and "page = 4194304 (0x400000)\n" in shown
    entry["fields"]["bogus"] = 1
    assert "no field bogus" in encoded(console, tmp_path, "kstate", document).err


def test_zeros_may_be_no_super_block(console: Console, tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(8192))
    words = ("decode", "pkram", str(tmp_path / "zeros"), "--pfn", "1")
    answer = console(*words)
    assert "or no super block at all; --version says" in answer.out
    assert "PKRAM, read as v1" in answer.out
    assert "or no super block" not in console(*words, "--version", "v1").out


def test_a_root_of_mainline_is_no_root_of_2024(console: Console) -> None:
    answer = console("decode", "kho2024", str(MAINLINE))
    assert answer.code == 1
    assert "root tree  kho-v1" in answer.out
    assert "root tree of 6.16 to 6.18" in answer.out


def test_wrong_words_are_named(
    console: Console, tmp_path: Path, files: dict[str, list[str]]
) -> None:
    document = console("decode", "kstate", *files["kstate"], "--json").document
    nowhere = tmp_path / "none"
    assert f"{nowhere}/out: No such file" in encoded_to(console, tmp_path, nowhere, document).err
    answer = console("decode", "pkram", files["pkram"][0], "--pfn", "zz")
    assert "'zz' is no hexadecimal frame number" in answer.err


def encoded_to(console: Console, place: Path, target: Path, document: Any) -> Answer:
    (place / "document").write_text(json.dumps(document))
    return console("encode", "kstate", str(place / "document"), "--output", str(target / "out"))
