"""The verb `bundle`."""

import json
from pathlib import Path

import pytest

from tests.cli.run import Console
from tests.cli.test_documents import validate

READY = "linux-7.3.4/ready"


def test_packed_checked_and_opened_elsewhere(console: Console, tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("a", "b")]
    for file in files:
        packed = console("--source", READY, "bundle", file, "--json")
        validate(packed.document, "bundle")
        assert packed.code == 0
    first, second = (Path(file).read_bytes() for file in files)
    assert first == second
    checked = console("bundle", "verify", files[0], "--json")
    validate(checked.document, "bundle")
    names = {item["path"] for item in checked.document["files"]}
    assert {"status.json", "doctor.json", "capture/manifest.json"} <= names
    assert (checked.code, checked.document["faults"]) == (0, [])
    assert console("diff", READY, files[0]).code == 0
    assert console("--source", files[0], "sessions").out == (
        console("--source", READY, "sessions").out
    )


def test_redacted(console: Console, tmp_path: Path) -> None:
    file = str(tmp_path / "a")
    packed = console("--source", READY, "bundle", file, "--redact")
    assert packed.code == 0
    assert packed.out.splitlines()[0].endswith("of host, 7.3.4, redacted")
    status = console("--source", file, "status", "--json").document
    assert status["kernel"]["release"] == "7.3.4"
    assert "vm-web" not in json.dumps(status)


def test_a_recording_with_its_journal(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, file = str(tmp_path / "a.kho"), str(tmp_path / "a")
    assert console("--source", READY, "record", recording).code == 0
    packed = console("--source", recording, "bundle", file, "--json")
    assert packed.document["opens"] == "recording/a.kho"
    assert console("--source", file, "--at", "moment:0", "sessions").code == 0
    assert console("--source", file, "--at", "moment:1", "sessions").code == 3


def test_a_moment_that_is_named_is_what_the_bundle_shows(console: Console, tmp_path: Path) -> None:
    recording, file = str(tmp_path / "a.kho"), str(tmp_path / "a")
    for _ in range(2):
        assert console("--source", READY, "record", recording).code == 0
    packed = console("--source", recording, "--at", "moment:0", "bundle", file, "--json")
    assert packed.document["opens"] == "capture"


def test_a_file_that_is_there_stays(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("mine")
    refused = console("--source", READY, "bundle", str(file))
    assert (refused.code, file.read_text()) == (4, "mine")


def test_verify_needs_its_file(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert console("--source", READY, "bundle", "verify").code == 2
    assert not any(tmp_path.iterdir())


def test_what_is_no_bundle(console: Console, tmp_path: Path) -> None:
    file = str(tmp_path / "a")
    assert console("--source", READY, "bundle", file).code == 0
    data = Path(file).read_bytes()
    Path(file).write_bytes(data[: len(data) // 2])
    cut = console("bundle", "verify", file)
    assert cut.code == 3
    assert "it is cut short" in cut.err
    assert console("bundle", "verify", str(tmp_path / "none")).code == 3
    assert console("bundle", "verify", "/dev/null").code == 3
    assert console("--source", READY, "bundle", str(tmp_path / "no/such")).code == 3
    assert console("bundle", "check", file).code == 2
