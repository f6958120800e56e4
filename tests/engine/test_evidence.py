"""Evidence in one file: the same again, checked, opened elsewhere, and hostile."""

import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from kho_console.engine.evidence import bundle, manifest
from kho_console.engine.evidence.gather import gather
from kho_console.engine.evidence.manifest import BundleError, Manifest
from kho_console.engine.observe import observe
from kho_console.engine.opening import CannotOpenError, open_source
from kho_console.engine.recorder import Limits, Recorder
from kho_console.source.fixture import FixtureSource
from kho_console.source.recording.source import RecordedSource
from tests.engine.same import shape
from tests.recordings import folder

READY = "linux-7.3.4/ready"
FACTS = Manifest("2026-11-21T00:00:00+00:00", "hv-17", "7.3.4", False, "a", {})
HEX = "0" * 64


def packed(place: Path) -> Path:
    """A bundle of two files."""
    files = place / "files"
    (files / "b").mkdir(parents=True)
    (files / "a").write_bytes(b"first")
    (files / "b/c").write_bytes(b"second" * 50_000)
    bundle.pack(files, place / "a.bundle", FACTS)
    return place / "a.bundle"


def written(place: Path, told: object, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """A bundle as somebody else might write it."""
    head = told if isinstance(told, bytes) else json.dumps(told).encode()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, content in [(tarfile.TarInfo(manifest.NAME), head), *members]:
            if info.isreg():
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    place.write_bytes(zstandard.compress(tar.getvalue()))
    return place


def body(**files: object) -> dict[str, object]:
    plain: dict[str, object] = json.loads(manifest.write(FACTS))
    return plain | {"files": {path.replace("__", "/"): item for path, item in files.items()}}


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for place in (first, again):
        place.mkdir()
        packed(place)
    os.utime(again / "files/a", (1, 1))
    bundle.pack(again / "files", again / "a.bundle", FACTS)
    data = (first / "a.bundle").read_bytes()
    assert data == (again / "a.bundle").read_bytes()
    assert (first / "a.bundle").stat().st_mode & 0o777 == 0o600
    told, faults = bundle.verify(first / "a.bundle")
    assert (list(told.files), faults) == (["a", "b/c"], ())
    (tmp_path / "out").mkdir()
    assert bundle.unpack(first / "a.bundle", tmp_path / "out") == told
    assert (tmp_path / "out/b/c").read_bytes() == b"second" * 50_000


def test_every_byte_counts(tmp_path: Path) -> None:
    """Another byte, or a cut, is noticed, but for one that expands to the same."""
    place = packed(tmp_path)
    data = place.read_bytes()
    changes = [data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :] for at in range(len(data))]
    changes += [data[:at] for at in range(0, len(data), 7)] + [data[:-1], data + b"x"]
    whole = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    for changed in changes:
        place.write_bytes(changed)
        try:
            faults = bundle.verify(place)[1]
        except BundleError:
            continue
        if not faults:
            expanded = zstandard.ZstdDecompressor().decompressobj().decompress(changed)
            assert expanded == whole and len(changed) == len(data)


def link(name: str) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = tarfile.SYMTYPE, "/etc"
    return found


FIRST = {"size": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
"""Of the file `x`."""


@pytest.mark.parametrize(
    ("told", "members", "words"),
    [
        (b"[" * 100_000, [], "cannot be read"),
        ({"kind": "other"}, [], "cannot be read|no evidence bundle"),
        (body(**{"..__x": FIRST}), [("../x", b"x")], "no path in a bundle"),
        (body(**{"__x": FIRST}), [("/x", b"x")], "no path in a bundle"),
        (body(**{"a__.__x": FIRST}), [("a/./x", b"x")], "no path in a bundle"),
        (body(**{"x" * 300: FIRST}), [], "no path in a bundle"),
        (body(**{"__".join("x" * 65): FIRST}), [], "no path in a bundle"),
        (body(**{"\ud800": FIRST}), [], "no path in a bundle"),
        (body() | {"opens": "\ud800"}, [], "what it opens is no path"),
        (body(a={"size": -1, "sha256": HEX}), [], "no size"),
        (body(a={"size": True, "sha256": HEX}), [], "no size"),
        (body(a={"size": 1, "sha256": "x"}), [], "no SHA-256"),
        (body(a={"size": 1 << 60, "sha256": HEX}), [("a", b"x")], "no room"),
        (body(a=FIRST), [("a", b"x"), ("b", b"y")], "does not list"),
        (body(a=FIRST), [("a", b"x"), ("a", b"x")], "does not list"),
        (body(a=FIRST), [("a", b"xx")], "2 bytes, and 1 listed"),
        (body(a=FIRST), [("a", b"y")], "not what was packed"),
        (body(a=FIRST, b=FIRST), [("a", b"x")], "b is missing"),
        (body(a=FIRST, a__b=FIRST), [("a", b"x"), ("a/b", b"x")], "below another file"),
        (body(a__b__c=FIRST, a=FIRST), [("a/b/c", b"x"), ("a", b"x")], "below another file"),
    ],
)
def test_hostile_ones(
    told: object, members: list[tuple[str, bytes]], words: str, tmp_path: Path
) -> None:
    made = [(tarfile.TarInfo(name), content) for name, content in members]
    place, out = written(tmp_path / "x", told, made), tmp_path / "out/in"
    out.mkdir(parents=True)
    with pytest.raises(BundleError, match=words):
        bundle.unpack(place, out)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["out", "x"]
    assert {item.name for item in out.rglob("*")} <= {"a"}
    with pytest.raises(CannotOpenError):
        open_source(str(place))


def test_nothing_but_regular_files_is_taken(tmp_path: Path) -> None:
    place = written(tmp_path / "x", body(a=FIRST, b=FIRST), [(link("a"), b"")])
    (tmp_path / "out").mkdir()
    with pytest.raises(BundleError, match="no regular file"):
        bundle.unpack(place, tmp_path / "out")
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "none", "out"):
        assert not bundle.is_bundle(tmp_path / name)
        with pytest.raises(BundleError):
            bundle.verify(tmp_path / name)


def test_what_is_wrong_is_told_of_what_was_looked_at(tmp_path: Path) -> None:
    """A file of another length is the only one that is wrong; behind a strange one nothing is."""
    listed = body(a=FIRST, b=FIRST, c=FIRST) | {"opens": "b"}
    made = [(tarfile.TarInfo(name), content) for name, content in (("a", b"xx"), ("b", b"x"))]
    place = written(tmp_path / "x", listed, made)
    assert bundle.verify(place)[1] == ("a is not what was packed", "c is missing")
    place = written(tmp_path / "y", listed, [(tarfile.TarInfo("strange"), b""), *made])
    strange, behind = bundle.verify(place)[1]
    assert "does not list" in strange and behind.endswith("was not looked at: 3 of 3")


def test_a_bomb_ends_where_the_manifest_ends(tmp_path: Path) -> None:
    """Gibibytes of zeros that no manifest announces are never expanded to the end."""
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    head = tarfile.TarInfo(manifest.NAME)
    head.size = len(json.dumps(body()).encode())
    zeros = tarfile.TarInfo("zeros")
    zeros.size = 1 << 32
    parts = [
        compressor.compress(head.tobuf(tarfile.GNU_FORMAT)),
        compressor.compress(json.dumps(body()).encode().ljust(-(-head.size // 512) * 512, b"\0")),
        compressor.compress(zeros.tobuf(tarfile.GNU_FORMAT)),
        compressor.compress(bytes(64 << 20)),
        compressor.flush(),
    ]
    (tmp_path / "x").write_bytes(b"".join(parts))
    with pytest.raises(BundleError, match="does not list"):
        bundle.unpack(tmp_path / "x", tmp_path)


def test_a_capture_is_opened_elsewhere(tmp_path: Path) -> None:
    files, place = tmp_path / "files", tmp_path / "a.bundle"
    files.mkdir()
    journal = tmp_path / "journal.jsonl"
    journal.write_text("{}\n")
    origin = FixtureSource(folder(READY))
    _, facts = gather(origin, files, None, journal, redacted=False)
    bundle.pack(files, place, facts)
    assert {"journal.jsonl", "capture/manifest.json"} <= bundle.verify(place)[0].files.keys()
    source = open_source(str(place))
    assert source.name == "a.bundle/capture"
    assert shape(observe(source)) == shape(observe(origin))
    with pytest.raises(CannotOpenError, match="one moment only"):
        open_source(str(place), "start")


def test_a_redacted_one_tells_no_names(tmp_path: Path) -> None:
    files, place = tmp_path / "files", tmp_path / "a.bundle"
    files.mkdir()
    recording, journal = tmp_path / "a.kho", tmp_path / "journal.jsonl"
    journal.write_text("{}\n")
    origin = FixtureSource(folder(READY))
    with Recorder(origin, recording, Limits(duration=0.0)) as recorder:
        recorder.run()
    _, facts = gather(origin, files, recording, journal, redacted=True)
    assert (facts.host, facts.redacted, facts.opens) == ("host", True, "capture")
    assert sorted(item.name for item in files.iterdir()) == ["capture"]
    bundle.pack(files, place, facts)
    assert b"hv-17" not in b"".join(
        item.read_bytes() for item in files.rglob("*") if item.is_file()
    )
    seen, expected = observe(open_source(str(place))), observe(origin)
    assert shape(seen.outgoing.preserved) == shape(expected.outgoing.preserved)


def test_a_recording_is_taken_whole(tmp_path: Path) -> None:
    files, recording, place = tmp_path / "files", tmp_path / "odd.kho", tmp_path / "a.bundle"
    files.mkdir()
    origin = FixtureSource(folder(READY))
    with Recorder(origin, recording, Limits(duration=0.0)) as recorder:
        recorder.tick()
        recorder.tick()
    _, facts = gather(open_source(str(recording)), files, recording, None, redacted=False)
    bundle.pack(files, place, facts)
    for at, number in (("start", 0), (None, 1)):
        source = open_source(str(place), at)
        assert source.name == "odd.kho"
        assert shape(observe(source).outgoing) == shape(observe(origin).outgoing)
        assert isinstance(source, RecordedSource) and source.at.number == number
    with pytest.raises(CannotOpenError):
        open_source(str(place), "moment:7")


@pytest.mark.parametrize("damage", [lambda told: replace(told, opens="b"),
                                    lambda told: replace(told, opens="nowhere")])  # fmt: skip
def test_a_bundle_of_nothing_that_opens(
    damage: Callable[[Manifest], Manifest], tmp_path: Path
) -> None:
    packed(tmp_path)
    told = damage(FACTS)
    bundle.pack(tmp_path / "files", tmp_path / "a.bundle", told)
    missing = ("nowhere is what it opens, and is not in it",) if told.opens == "nowhere" else ()
    assert bundle.verify(tmp_path / "a.bundle")[1] == missing
    with pytest.raises(CannotOpenError, match="cannot be opened"):
        open_source(str(tmp_path / "a.bundle"))
