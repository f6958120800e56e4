"""A recording file as it grows, ends in the middle, is damaged, and goes on."""

import fcntl
import json
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kho_console.abi.recording.bodies import (
    TABLES,
    Checkpoint,
    Counts,
    Entry,
    Happened,
    Mark,
    checkpoint,
)
from kho_console.abi.recording.framing import HEADER, Kind, frame
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause
from kho_console.source.protocol import SourceError
from kho_console.source.recording import Recording, RecordingError
from kho_console.source.recording.file import RecordingFile
from kho_console.source.recording.source import event_content
from kho_console.source.recording.writer import CHECKPOINT_EVERY, INDEX_EVERY, RecordingWriter
from tests.source.recorded import FACTS, MICRO, counting

MANY = CHECKPOINT_EVERY * (2 * INDEX_EVERY + 3) + 7
"""Moments enough for two indexes, a few checkpoints behind them, and a tail."""


def number_at(recording: Recording, moment: int) -> int:
    return int(recording.at(moment).read("/n"))


def test_every_moment_is_there_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(path, MANY)
    recording = Recording(path)
    assert len(recording) == MANY
    for number in [*range(0, MANY, 37), 1, 63, 64, 65, MANY - 1]:
        source = recording.at(number)
        assert int(source.read("/n")) == number
        assert source.clock() == source.at.monotonic == number
        assert source.read("/same") == b"same " * 50
        last = number // 10 * 10
        there = source.known.get(b"F/now-and-then")
        assert there == (b"v" + b"v%d" % last * 20 if last % 20 else None)
    assert [item.number for item in recording.moments(MANY - 70)] == list(range(MANY - 70, MANY))
    assert recording.timeline.last_before(99 * MICRO + 5) == 99
    assert recording.timeline.last_before(-1) is None
    assert recording.timeline.last_before(10**15) == MANY - 1
    with pytest.raises(RecordingError, match=f"no moment {MANY}"):
        recording.at(MANY)


def test_opening_reads_little_of_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.kho"
    counting(path, MANY)
    read: list[int] = []
    plain = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        read.append(size)
        return plain(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    assert number_at(Recording(path), MANY // 3) == MANY // 3
    assert sum(read) < path.stat().st_size / 2
    assert len(read) < 12 * CHECKPOINT_EVERY


def test_an_unchanged_tick_is_small_and_a_quiet_day_too(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    writer = RecordingWriter(path)
    writer.run(FACTS)
    files = {b"F/sys/file%d" % at: b"v" + random.Random(at).randbytes(300) for at in range(500)}
    writer.moment(0.0, 0, files)
    first, before, moments = writer.size, writer.size, 8640
    available = 2_000_000
    for number in range(1, moments):
        noise: dict[bytes, bytes | None] = {}
        if number % 2:
            available += random.Random(number).randint(-99, 99)
            noise[b"F/proc/meminfo"] = b"vMemTotal:  8243248 kB\nMemAvailable: %d kB\n" % available
        writer.moment(float(number), number * MICRO, noise)
        if not number % 2 and number % CHECKPOINT_EVERY:
            assert writer.size - before <= 100
        before = writer.size
    writer.close()
    assert first + (path.stat().st_size - first) * 10 < 10_000_000


@pytest.mark.slow
def test_a_whole_quiet_day(tmp_path: Path) -> None:
    path = tmp_path / "day.kho"
    writer = RecordingWriter(path)
    writer.run(FACTS)
    noise = random.Random(7)
    for number in range(86_400):
        line = b"vMemAvailable: %d kB\n" % noise.randint(2_000_000, 2_000_999)
        writer.moment(float(number), number * MICRO, {b"F/proc/meminfo": line})
    writer.close()
    assert path.stat().st_size < 10_000_000
    recording = Recording(path)
    assert recording.at(43_210).clock() == 43_210


def test_a_file_cut_in_its_last_records_keeps_the_rest(tmp_path: Path) -> None:
    path, cut = tmp_path / "a.kho", tmp_path / "cut.kho"
    writer = counting(path, 70, close=False)
    before = writer.size
    writer.moment(70.0, 70 * MICRO, {b"F/n": b"v70", b"F/other": b"vnew"})
    data = path.read_bytes()
    assert len(data) > before
    for end in range(before, len(data)):
        cut.write_bytes(data[:end])
        assert len(Recording(cut)) == 70
        assert number_at(Recording(cut), 69) == 69
    assert len(Recording(path)) == 71


@pytest.mark.parametrize("end", [0, 5, 15, 16, 20, 150])
def test_a_file_cut_in_its_beginning_is_begun_anew(tmp_path: Path, end: int) -> None:
    path = tmp_path / "a.kho"
    counting(path, 3)
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(RecordingError, match=r"no recording|no whole moment"):
        Recording(path)
    counting(path, 4)
    assert number_at(Recording(path), 3) == 3


def test_what_is_torn_is_cut_off_before_a_recording_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(tmp_path / "left.kho", 100, close=False)
    path.write_bytes((tmp_path / "left.kho").read_bytes() + b"\x12\x34 torn")
    counting(path, 100, start=100)
    recording = Recording(path)
    assert len(recording) == 200
    assert [number_at(recording, at) for at in (0, 99, 100, 199)] == [0, 99, 100, 199]
    # A new run knows nothing of the one before.
    assert recording.at(105).known.get(b"F/now-and-then") is None
    assert recording.at(95).known.get(b"F/now-and-then") is not None


def test_damage_in_the_middle_costs_what_lies_before_the_next_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(path, MANY)
    file = RecordingFile(path)
    moments = [item for item in file.frames(len(HEADER)) if item.kind == Kind.MOMENT]
    data = bytearray(path.read_bytes())
    data[moments[1000].end - 1] ^= 1
    path.write_bytes(data)
    recording = Recording(path)
    assert len(recording) == MANY
    behind = (1000 // CHECKPOINT_EVERY + 1) * CHECKPOINT_EVERY
    for number in (999, behind + 1, MANY - 1):
        assert number_at(recording, number) == number
    with pytest.raises(RecordingError, match="moment 1000 cannot be read"):
        recording.at(1000)


@pytest.mark.parametrize("kind", [Kind.INDEX, Kind.CHECKPOINT])
def test_without_its_indexes_or_last_checkpoint_a_file_is_scanned(
    tmp_path: Path, kind: Kind
) -> None:
    path = tmp_path / "a.kho"
    counting(path, MANY)
    records = [item for item in RecordingFile(path).frames(len(HEADER)) if item.kind == kind]
    data = bytearray(path.read_bytes())
    for item in records if kind is Kind.INDEX else records[-2:]:
        data[item.end - 1] ^= 1
    path.write_bytes(data)
    recording = Recording(path)
    for number in (0, 5, 1000, 2100, MANY - 1 if kind is Kind.INDEX else 4200):
        assert number_at(recording, number) == number


def test_a_damaged_index_among_several_and_moved_bytes_cost_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    writer = counting(path, MANY, close=False)
    writer.mark(Mark(Happened.ACTION, float(MANY), MANY * MICRO, "load"))
    writer.close()
    whole = path.read_bytes()
    records = list(RecordingFile(path).frames(len(HEADER)))
    index = next(item for item in records if item.kind == Kind.INDEX)
    path.write_bytes(whole[: index.end - 1] + b"\xff" + whole[index.end :])
    for number in (5, 1000, 2100, MANY - 1):
        assert number_at(Recording(path), number) == number
    moment = [item for item in records if item.kind == Kind.MOMENT][1000]
    path.write_bytes(whole[: moment.end] + b"moved" + whole[moment.end :])
    recording = Recording(path)
    assert [item.moment for item in recording.marks(Happened.ACTION)] == [MANY - 1]
    there = {item.number for item in recording.moments()}
    lost = range(1001, (1000 // CHECKPOINT_EVERY + 1) * CHECKPOINT_EVERY)
    assert there == set(range(MANY)) - set(lost)
    for number in (5, 1000, 2100, MANY - 1):
        assert recording.timeline.last_before(number * MICRO) == number


def test_a_recording_goes_on_behind_a_damaged_last_index(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(path, MANY)
    counting(path, 1)
    data = bytearray(path.read_bytes())
    records = list(RecordingFile(path).frames(len(HEADER)))
    for item in [item for item in records if item.kind == Kind.INDEX][-2:]:
        data[item.end - 1] ^= 1
    path.write_bytes(data)
    counting(path, 2 * CHECKPOINT_EVERY)
    recording = Recording(path)
    assert len(recording) == MANY + 1 + 2 * CHECKPOINT_EVERY
    for number in (5, 1000, 2100, MANY - 80, len(recording) - 1):
        assert number_at(recording, number) == (number - MANY - 1 if number > MANY else number)


ENDLESS = """
import json, sys
from pathlib import Path
from kho_console.source.recording.writer import RecordingWriter

writer = RecordingWriter(Path(sys.argv[1]))
writer.run(json.loads(sys.argv[2]))
for number in range(1 << 30):
    writer.moment(float(number), number, {b"F/n": b"v%d" % number})
    print(number, flush=True)
"""


def test_a_killed_writer_has_kept_all_that_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    command = [sys.executable, "-c", ENDLESS, str(path), json.dumps(dict(FACTS))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in range(500):
            last = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        told = child.stdout.read().split()
        last = int(told[-1]) if told else last
    recording = Recording(path)
    assert len(recording) > last >= 499
    assert number_at(recording, last) == last


def test_a_full_disk_leaves_what_was_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.kho"
    writer = counting(path, 20, close=False)
    size, plain = path.stat().st_size, os.write
    monkeypatch.setattr(os, "write", lambda at, data: _room(plain, at, data, path, size + 9))
    with pytest.raises(OSError, match="No space"):
        writer.moment(20.0, 20 * MICRO, {b"F/n": b"v20"})
    assert path.stat().st_size == size
    assert number_at(Recording(path), 19) == 19
    with pytest.raises(OSError, match="closed"):
        writer.moment(21.0, 21 * MICRO, {})
    writer.close()


def _room(plain: object, at: int, data: memoryview, path: Path, most: int) -> int:
    assert callable(plain)
    room = most - path.stat().st_size
    if not room:
        raise OSError(28, "No space left on device")
    written: int = plain(at, data[:room])
    return written


def test_a_recording_is_private_and_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    path.touch(0o644)
    writer = RecordingWriter(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(RecordingError, match="somebody else"):
        RecordingWriter(path)
    writer.close()
    link, other = tmp_path / "link.kho", tmp_path / "other"
    link.symlink_to(path)
    with pytest.raises(RecordingError, match="link"):
        RecordingWriter(link)
    for content in ("something else altogether", "short", "KHO-REC!"):
        other.write_text(content)
        other.chmod(0o644)
        with pytest.raises(RecordingError, match="no recording"):
            RecordingWriter(other)
        assert other.read_text() == content
        assert stat.S_IMODE(other.stat().st_mode) == 0o644
    (tmp_path / "hard").hardlink_to(path)
    with pytest.raises(RecordingError, match="one name"):
        RecordingWriter(path)


def test_a_file_that_gets_another_name_is_nobody_elses(tmp_path: Path) -> None:
    path, late = tmp_path / "a.kho", list[bool]()
    writer, plain = RecordingWriter(path), fcntl.flock

    def renamed_meanwhile(descriptor: int, operation: int) -> None:
        if not late:
            late.append(True)
            writer.close(rename=tmp_path / "a.kho.1")
        plain(descriptor, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "flock", renamed_meanwhile)
        with pytest.raises(RecordingError, match="somebody else"):
            RecordingWriter(path)
    assert [item.name for item in tmp_path.iterdir()] == ["a.kho.1"]


def test_counts_beyond_the_file_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(path, 3)
    start = path.stat().st_size
    entry = Entry(start, Counts(2**64 - 2, 0, 0, 0), 2.0, 2)
    told = Checkpoint(entry, len(HEADER), 0, 0, (0,) * TABLES)
    with path.open("ab") as file:
        file.write(frame(Kind.CHECKPOINT, checkpoint(told)))
    assert len(Recording(path)) == 3


def test_events_come_with_the_moment_that_saw_them(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    writer = counting(path, 100, close=False)
    events = [Event(100.0 + at, "online", "memory", f"memory{at}", at) for at in range(5)]
    for at, event in enumerate(events):
        content = event_content(event)
        writer.mark(Mark(Happened.EVENT, event.monotonic, (100 + at) * MICRO, content))
        for number in range(200):
            writer.moment(100.0 + at, (100 + at) * MICRO + number, {})
    content = event_content(EventsLost(9.0, "overflow"))
    writer.mark(Mark(Happened.EVENT, 9.0, 200 * MICRO, content))
    writer.close()
    recording = Recording(path)
    assert recording.at(99).events().poll(0) == []
    assert recording.at(100).events().poll(0) == events[:1]
    assert recording.at(499).events().poll(0) == events[:2]
    assert recording.at(500).events().poll(0) == events[:3]
    assert recording.timeline.mark(Happened.EVENT, 2).moment == 500
    assert recording.timeline.mark(Happened.EVENT, 5).moment == 1099
    assert [item.moment for item in recording.marks(Happened.EVENT, 3)] == [700, 900, 1099]


def test_what_was_not_asked_for_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(path, 1)
    source = Recording(path).at(0)
    with pytest.raises(SourceError) as caught:
        source.read("/elsewhere")
    assert caught.value.unknown.cause is Cause.NOT_RECORDED


def test_damaged_answers_are_invalid(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    writer = RecordingWriter(path)
    writer.run(FACTS)
    for key in (b"P", b"T", b"B", b"A" + bytes(8)):
        writer.moment(0.0, 0, {key: b"v[{]"})
    writer.moment(0.0, 0, {b"F/f": b"?", b"L/d": b'u{"cause": 3}', b"M" + bytes(8): b"vshort"})
    writer.close()
    source = Recording(path).at(4)
    answers = (
        source.processes(),
        source.memory_total(),
        source.boot_time(),
        source.page_flags(0),
    )
    assert [getattr(item, "cause", None) for item in answers] == [Cause.INVALID] * 4
    for ask in (lambda: source.read("/f"), lambda: source.list("/d")):
        with pytest.raises(SourceError) as caught:
            ask()
        assert caught.value.unknown.cause is Cause.INVALID
    with pytest.raises(LookupError, match="no whole page"):
        source.memory.read(0, 8)


def test_whatever_is_damaged_ends_in_one_kind_of_error(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    counting(path, 130)
    good = path.read_bytes()
    choice = random.Random(4)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(choice.randint(1, 4)):
            data[choice.randrange(len(data))] = choice.randrange(256)
        path.write_bytes(data[: choice.randint(1, len(data))])
        try:
            recording = Recording(path)
            for number in (0, len(recording) // 2, len(recording) - 1):
                recording.at(number).exists("/n")
                recording.at(number).events()
            list(recording.moments())
        except RecordingError:
            continue
