"""`decode image`: what a kernel file says of itself, whole, cut short, and where it is none."""

import gzip
from pathlib import Path

from tests.abi.kernel_files import bzimage, vmlinux
from tests.cli.run import Console
from tests.cli.test_documents import validate


def test_a_kernel_image(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "vmlinuz"
    file.write_bytes(bzimage(gzip.compress(vmlinux())))
    answer = console("decode", "image", str(file), "--json")
    validate(answer.document, "image")
    found = answer.document
    assert (answer.code, found["format"], found["release"]) == (0, "bzImage", "7.3.4")
    assert (found["kho"], found["complete"]) == (["kho-v4"], True)
    assert (found["bytes"], found["config"]["CONFIG_LIVEUPDATE"]) == (file.stat().st_size, "y")
    printed = console("decode", "image", str(file)).out
    assert "bzImage 7.3.4" in printed
    assert "kho-v4, luo-v5, memfd-v2" in printed
    assert "page size      4.0 KiB" in printed


def test_one_that_is_cut_short(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "vmlinuz"
    file.write_bytes(bzimage(gzip.compress(vmlinux()))[:-100])
    answer = console("decode", "image", str(file), "--json")
    validate(answer.document, "image")
    assert (answer.code, answer.document["complete"]) == (1, False)
    assert any("cut short" in item["text"] for item in answer.document["findings"])
    assert "error  image: " in console("decode", "image", str(file)).out


def test_no_kernel_image(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("not a kernel\n")
    answer = console("decode", "image", str(file), "--json")
    assert (answer.code, answer.out) == (1, "")
    assert "no format of a kernel image" in answer.err


def test_nothing_encodes_one(console: Console, tmp_path: Path) -> None:
    assert console("encode", "image", str(tmp_path / "a")).code == 2
