"""`record`, and every verb on what it has written."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kho_console.engine.journal import Journal
from kho_console.engine.opening import open_source, shipped
from kho_console.engine.recorder import Limits, Recorder
from kho_console.engine.replay import Cursor
from kho_console.model.outcome import Ending, Outcome
from kho_console.model.record import Who
from kho_console.source.fixture import FixtureSource
from kho_console.source.recording import Recording
from tests.cli.run import Console
from tests.cli.test_documents import VERBS, validate
from tests.engine.test_journal import FINALIZE
from tests.recordings import FIXTURES, folder

ORIGIN = "linux-7.3.4/hotplugged"


@pytest.fixture
def recorded(console: Console, tmp_path: Path) -> str:
    path = str(tmp_path / "a.kho")
    for name in ("linux-7.3.4/sessions", ORIGIN):
        assert console("record", path, "--source", name).code == 0
    return path


def test_what_was_recorded_is_told(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    answer = console("--source", ORIGIN, "record", str(path), "--json")
    validate(answer.document, "recorded")
    assert answer.document["moments"] == 1
    assert answer.document["size"] == path.stat().st_size
    assert "2 moments" in console("--source", ORIGIN, "record", str(path)).out


def test_a_still_machine_is_recorded_as_often_as_asked(console: Console, tmp_path: Path) -> None:
    path = str(tmp_path / "a.kho")
    words = ("--source", ORIGIN, "record", path, "--every", "0.01", "--for", "1", "--json")
    assert console(*words).document["moments"] > 1


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != ("doctor",)], ids=" ".join)
def test_every_verb_answers_at_a_moment(
    console: Console, recorded: str, verb: tuple[str, ...]
) -> None:
    for word, name in (("start", "linux-7.3.4/sessions"), ("end", ORIGIN), ("event:3", ORIGIN)):
        was = console("--source", name, *verb, "--json")
        now = console("--source", recorded, "--at", word, *verb, "--json")
        validate(now.document, VERBS[verb])
        assert now.code == was.code
        same, expected = now.document, was.document
        for document in (same, expected):
            document.pop("source", None)
        assert same == expected


def test_a_moment_that_is_none_is_an_error(console: Console, recorded: str) -> None:
    for words, code, said in (
        (("--source", recorded, "--at", "never", "status"), 2, "names no moment"),
        (("--source", recorded, "--at", "event:99", "status"), 3, "there is no event 99"),
        (("--source", recorded, "--at=-9d", "status"), 3, "before the recording"),
        (("--at", "end", "status"), 2, "give --source FILE"),
        (("--source", ORIGIN, "--at", "end", "status"), 3, "one moment only"),
        (("--source", recorded, "--at", "end", "--twin", "x", "status"), 2, "give one of them"),
        (("--source", __file__, "status"), 3, "no recording"),
        (("replay", recorded, "--at", "+9d"), 3, "behind the recording"),
        (("replay", f"{recorded}.gone"), 3, "no such folder"),
        (("record", recorded, "--for", "soon"), 2, "no time such as"),
        (("record", recorded, "--max-size", "0"), 2, "no size such as"),
    ):
        answer = console(*words)
        assert (answer.code, answer.out) == (code, ""), answer
        assert said in answer.err


def test_a_file_that_may_not_be_written_is_refused(
    console: Console, recorded: str, tmp_path: Path
) -> None:
    link = tmp_path / "link.kho"
    link.symlink_to(recorded)
    answer = console("--source", ORIGIN, "record", str(link))
    assert (answer.code, answer.out) == (4, "")
    assert "symbolic link" in answer.err
    assert console("--source", ORIGIN, "record", str(tmp_path)).code == 3
    assert console("--source", ORIGIN, "record", str(tmp_path / "no/such")).code == 3


def test_the_journal_of_a_recording_is_what_was_done_meanwhile(
    console: Console, tmp_path: Path
) -> None:
    path, journal = tmp_path / "a.kho", tmp_path / "journal.jsonl"
    with Recorder(FixtureSource(folder(ORIGIN)), path, Limits(), journal) as recorder:
        recorder.tick()
        written = Journal(journal, Who(0, "operator", None, None, None), mirror=None)
        known = written.begin(FINALIZE, {"source": "live", "host": "hv-17", "boot": "one"})
        recorder.tick()
        written.end(known, FINALIZE, Outcome(Ending.DONE, "proven"))
        recorder.tick()
    listed = []
    for at in ("start", "moment:1", "end"):
        found = console("--source", str(path), "--at", at, "journal", "--json").document
        listed.append([item["standing"] for item in found["records"]])
    assert listed == [[], ["interrupted"], ["done"]]


def test_a_twin_of_a_moment_may_be_changed(console: Console, recorded: str) -> None:
    answer = console("--source", recorded, "--at", "start", "--rehearse", "offline", "cpu1")
    assert answer.code == 0, answer.err


def test_the_unit_asks_for_options_that_there_are(console: Console, tmp_path: Path) -> None:
    unit = console("record", "--unit").out
    (command,) = re.findall(r"^ExecStart=kho-console (.*)$", unit, re.M)
    path = str(tmp_path / "a.kho")
    words = command.replace("${STATE_DIRECTORY}/recording.kho", path).split()
    assert path in words
    assert console(*words, "--source", ORIGIN, "--for", "0.01").code == 0
    for wrong in (("record",), ("record", path, "--unit")):
        assert console(*wrong).code == 2


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_recording_whole(tmp_path: Path, ending: signal.Signals) -> None:
    path = tmp_path / "a.kho"
    command = [sys.executable, "-m", "kho_console", "record", str(path), "--every", "0.01"]
    with subprocess.Popen(
        [*command, "--source", "live"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        assert "Ctrl-C ends it" in child.stderr.readline()
        child.send_signal(ending)
        told, _ = child.communicate(timeout=60)
    assert child.returncode == (130 if ending is signal.SIGINT else 0)
    recording = Recording(path)
    assert re.fullmatch(rf"{path}: {len(recording)} moments?, .*\n", told)
    assert recording.timeline.file.last is not None
    assert recording.timeline.file.index_place


def test_a_shipped_recording_is_known_by_its_name(console: Console, tmp_path: Path) -> None:
    name = "linux-7.3.4/live-update"
    file = str(folder(f"{name}.khorec"))
    assert name in shipped() and not Path(name).exists()
    for moment in ("start", "end"):
        shown = [
            console("--source", *words, "status", "--json")
            for words in ((name, "--at", moment), (file, "--at", moment), (f"{name}@{moment}",))
        ]
        assert shown[0].code == 0
        assert shown[0] == shown[1] == shown[2]
    packed = tmp_path / "a.bundle"
    assert console("bundle", str(packed), "--source", name).code == 0
    assert console("--source", f"{packed}@moment:0", "status").code == 0
    assert "linux-7.3.4/live-update" in console("status", "--source", f"{name}s").err


def test_damage_is_told_and_the_rest_can_be_walked(console: Console, tmp_path: Path) -> None:
    whole = (FIXTURES / "linux-6.18.15/live-update.khorec").read_bytes()
    file = tmp_path / "a.khorec"
    file.write_bytes(whole)
    assert console("--source", str(file), "status").err == ""
    file.write_bytes(whole[:2000] + bytes(20) + whole[2020:])
    words = "damaged: "
    assert words in console("--source", str(file), "status").err
    checks = console("--source", str(file), "doctor", "--json").document["checks"]
    (found,) = (item for item in checks if item["id"] == "recording")
    assert (found["result"], found["text"].startswith(words)) == ("warning", True)
    cursor = Cursor.of(open_source(str(file)))
    assert cursor.position.number == 32
    walked = [cursor.position.number for _ in range(32) if cursor.step(-1)]
    assert walked[-1] < 32
    assert cursor.position.first < cursor.position.last
    file.write_bytes(whole + b"torn")
    assert "the last 4 bytes" in console("--source", str(file), "status").err


def test_a_lone_damaged_moment_has_its_time(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "a.kho"
    assert console("--source", ORIGIN, "record", str(file)).code == 0
    whole = file.read_bytes()
    # The first content, which hides all records up to the checkpoint; then the run itself.
    for at, code in ((3000, 0), (60, 3)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        for word in ("+0", "moment:0", "end"):
            answer = console("--source", str(file), f"--at={word}", "status")
            assert answer.code == code and "damaged" in answer.err
        answer = console("--source", str(file), "--at=2020-01-01", "status")
        assert answer.code == 3 and "before the recording" in answer.err


def test_the_journal_of_a_recording_reaches_over_the_kexec(console: Console) -> None:
    file = str(FIXTURES / "linux-7.3.4/live-update.khorec")
    before = console("--source", file, "--at", "moment:6", "journal", "--json").document
    assert before["records"] == []
    found = console("--source", file, "journal", "--json").document
    assert [item["action"] for item in found["records"]] == ["load"]
