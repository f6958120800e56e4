"""The verb `check`: its document, its text, its exit code."""

import gzip
from pathlib import Path

import pytest

from tests.abi.kernel_files import bzimage, cpio, vmlinux
from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.recordings import RECORDINGS

SESSIONS = "linux-7.3.4/sessions"
FINALIZED = "linux-6.18.15/finalized"


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    place = tmp_path / "vmlinuz-7.3.4"
    place.write_bytes(bzimage(gzip.compress(vmlinux())))
    return place


def test_the_document(console: Console, kernel: Path, tmp_path: Path) -> None:
    initrd = tmp_path / "initrd"
    initrd.write_bytes(cpio("lib/modules/7.3.4/modules.dep"))
    words = ("check", "--source", SESSIONS, "--kernel", str(kernel), "--initrd", str(initrd))
    line = "kho=on liveupdate=on reserve_mem=4M:4096:oops reserve_mem=1M:4096:trace"
    answer = console(*words, "--command-line", line + " crashkernel=256M", "--json")
    document = answer.document
    validate(document, "preflight")
    assert (answer.code, document["verdict"]) == (0, "warning")
    assert document["image"] == {
        "format": "bzImage",
        "release": "7.3.4",
        "kho": ["kho-v4"],
        "luo": ["luo-v5"],
        "memfd": ["memfd-v2"],
        "complete": True,
    }
    # The small configuration of the made kernel has no debugfs in it.
    results = {item["id"]: item["result"] for item in document["checks"]}
    assert {name for name, result in results.items() if result != "pass"} == {"target-config"}
    assert results["initrd-modules"] == "pass"


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording(console: Console, kernel: Path, name: str) -> None:
    answer = console("check", "--source", name, "--kernel", str(kernel), "--json")
    validate(answer.document, "preflight")
    verdict = answer.document["verdict"]
    assert answer.code == (1 if verdict == "fail" else 0)
    speaks_v4 = name.startswith(("linux-7.2", "linux-7.3"))
    assert (verdict == "fail") is not speaks_v4


def test_the_text(console: Console, kernel: Path) -> None:
    answer = console("check", "--source", FINALIZED, "--kernel", str(kernel))
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert lines[0].startswith("PREFLIGHT  fail: ")
    assert lines[1].startswith("image      bzImage 7.3.4, ")
    assert lines[1].endswith("complete; speaks kho-v4, luo-v5, memfd-v2")
    at = next(at for at, line in enumerate(lines) if line.startswith("fail     kho-version "))
    assert lines[at + 1].strip() == "seen: kho-v4 there, kho-v1 here"
    assert lines[at + 2].strip().startswith("do:   ")


def test_an_image_that_cannot_be_read_or_told(console: Console, tmp_path: Path) -> None:
    nothing = console("check", "--source", SESSIONS)
    assert nothing.code == 2
    assert "give the kernel image with --kernel FILE" in nothing.err
    gone = console("check", "--source", SESSIONS, "--kernel", str(tmp_path / "none"))
    assert (gone.code, gone.out) == (3, "")
    assert "is not there" in gone.err
    text = tmp_path / "text"
    text.write_text("no kernel\n")
    answer = console("check", "--source", SESSIONS, "--kernel", str(text), "--json")
    validate(answer.document, "preflight")
    assert answer.document["image"]["format"] == "unknown"
    shown = console("check", "--source", SESSIONS, "--kernel", str(text)).out.splitlines()[1]
    assert shown.startswith("image      unknown format, release not known, 10 B, complete or not: ")
    assert answer.document["image"]["kho"] == []
    assert "no kernel of a format" in answer.document["image"]["kho_reason"]
    assert answer.code == 1


@pytest.mark.parametrize(
    ("source", "release", "code"),
    [
        (FINALIZED, "7.3.4", 1),
        (FINALIZED, "6.19.11", 0),
        ("linux-6.19.11/sessions", "6.19.11", 0),
        ("linux-6.19.11/sessions", "7.0.14", 1),
        (SESSIONS, "7.2.13", 0),
        (SESSIONS, "5.10.1", 1),
        (SESSIONS, "9.9", 3),
    ],
)
def test_a_simulated_kernel(console: Console, source: str, release: str, code: int) -> None:
    assert console("check", "--source", source, "--kernel", f"twin:{release}").code == code


def test_a_hostile_release_is_escaped(console: Console, tmp_path: Path) -> None:
    place = tmp_path / "vmlinuz"
    data = bzimage(gzip.compress(vmlinux())).replace(b"7.3.4 (root", b"\x1b[2Jx (root")
    place.write_bytes(data)
    answer = console("check", "--source", SESSIONS, "--kernel", str(place))
    assert "\x1b" not in answer.out
    assert "\\x1b[2Jx" in answer.out
