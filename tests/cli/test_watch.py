"""`watch`: the recordings tell the story of their events; a live machine is followed to the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kho_console.cli import main
from kho_console.model.event import EventsLost
from kho_console.source.protocol import EventStream
from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.pilot.machines import LiveRecording, Stream
from tests.recordings import RECORDINGS, folder

CHECKOUT = Path(__file__).parents[2]
HOTPLUGGED = [name for name in RECORDINGS if name.endswith("/hotplugged")]


def lines(printed: str) -> list[Any]:
    found = [json.loads(line) for line in printed.splitlines()]
    for item in found:
        validate(item, "watch")
    return found


def recorded(name: str) -> list[tuple[float, str, str, int]]:
    """The events as the file has them."""
    entries = map(json.loads, (folder(name) / "events.jsonl").read_text().splitlines())
    return [
        (
            entry["monotonic"],
            entry["env"]["ACTION"],
            entry["env"]["DEVPATH"].rpartition("/")[2],
            int(entry["env"]["SEQNUM"]),
        )
        for entry in entries
        if entry["env"]["SUBSYSTEM"] in ("cpu", "memory")
    ]


@pytest.mark.parametrize("name", HOTPLUGGED)
def test_a_recording_tells_the_story_of_its_events(console: Console, name: str) -> None:
    answer = console("watch", "--source", name, "--json")
    assert answer.code == 0
    found = lines(answer.out)
    events = [item for item in found if item["kind"] == "event"]
    keys = ("monotonic", "action", "device", "sequence")
    assert [tuple(item[key] for key in keys) for item in events] == recorded(name)
    told = [
        (item["action"], item["subsystem"], item["devices"], item["size"])
        for item in found
        if item["kind"] == "happening"
    ]
    dimm = {"first": 32, "last": 35}
    assert told == [
        ("offline", "cpu", {"first": 1, "last": 1}, 0),
        ("online", "cpu", {"first": 1, "last": 1}, 0),
        ("add", "memory", dimm, 512 << 20),
        ("online", "memory", dimm, 512 << 20),
    ]
    # The number between them was that of an ACPI container, so nothing is missing.
    flow = {key: found[-1][key] for key in ("kind", "seen", "backlog", "lost", "gaps")}
    assert flow == {"kind": "flow", "seen": len(events), "backlog": 0, "lost": 0, "gaps": 0}
    crash = console("crash", "--source", name, "--json").document
    assert crash["events"] == {"seen": len(events), "lost": 0}


def test_the_same_for_people(console: Console) -> None:
    answer = console("watch", "--source", "linux-7.3.4/hotplugged")
    heads, *rows, end, flow = answer.out.splitlines()
    assert heads.split() == ["time", "UTC", "what", "header", "memory", "covered"]
    assert [row[:10].strip() for row in rows] == ["00:48:23", "00:48:24", "00:48:26", "00:48:36"]
    whats = [row[10:52].strip() for row in rows]
    assert whats[0] == "offline cpu1, node 0"
    assert whats[3] == "online memory32-35, 512.0 MiB, node 1"
    assert end.split() == ["00:48:41", "at", "the", "end", "7", "entries", "complete"]
    assert flow.startswith("10 events, ")


def copied(place: Path) -> Path:
    return Path(shutil.copytree(folder("linux-7.3.4/hotplugged"), place / "machine"))


def test_an_event_is_not_charged_with_memory_that_it_did_not_bring(
    console: Console, tmp_path: Path
) -> None:
    copy = copied(tmp_path)
    iomem = copy / "root/proc/iomem"
    iomem.write_text(iomem.read_text() + "180000000-19fffffff : System RAM\n")
    *_, last, end, _ = console("watch", "--source", str(copy)).out.splitlines()
    assert last.endswith("not recorded")
    assert end.endswith("missing 512.0 MiB")


def test_what_stands_before_a_loss_is_not_credited_with_the_end(
    console: Console, tmp_path: Path
) -> None:
    copy = copied(tmp_path)
    with (copy / "events.jsonl").open("a") as events:
        events.write("nonsense\n" * 3)
    *_, last, gap, end, _ = console("watch", "--source", str(copy)).out.splitlines()
    assert last.endswith("not recorded")
    assert "and 2 more such" in gap
    assert end.endswith("complete")


def test_without_an_image_there_is_nothing_to_cover(console: Console, tmp_path: Path) -> None:
    copy = copied(tmp_path)
    (copy / "root/sys/kernel/kexec_crash_loaded").write_text("0\n")
    *_, last, _, _ = console("watch", "--source", str(copy)).out.splitlines()
    assert last.split()[-4:] == ["no", "image", "no", "image"]


def test_a_recording_without_events_says_so(console: Console) -> None:
    answer = console("watch", "--source", "linux-7.3.4/cold", "--json")
    assert (answer.code, answer.out) == (3, "")
    assert "no events were recorded" in answer.err


def test_damaged_events_are_gaps(console: Console, tmp_path: Path) -> None:
    copy = tmp_path / "machine"
    shutil.copytree(folder("linux-7.3.4/hotplugged"), copy)
    (copy / "events.jsonl").write_text(
        '{"monotonic": 1, "kind": "uevent", "env": {"ACTION": "add", "SEQNUM": "5",'
        ' "DEVPATH": "/x/memory1", "SUBSYSTEM": "memory"}}\nnonsense\n'
        '{"monotonic": 9, "kind": "uevent", "env": {"ACTION": "add", "SEQNUM": "9",'
        ' "DEVPATH": "/x/memory9", "SUBSYSTEM": "memory"}}\n'
    )
    answer = console("watch", "--source", str(copy), "--json")
    found = lines(answer.out)
    (gap,) = [item for item in found if item["kind"] == "gap"]
    assert (gap["certain"], gap["missed"], gap["found"]) == (True, 3, None)
    assert "recorded" in gap["found_reason"]
    assert "events were lost (" in console("watch", "--source", str(copy)).out


def test_without_netlink_it_says_why(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(LiveRecording):
        def events(self) -> EventStream:  # type: ignore[override]
            stream = super().events()
            assert isinstance(stream, Stream)
            stream._waiting.append(EventsLost(1.0, "kernel events cannot be heard here: no"))
            return stream

    monkeypatch.setattr(main, "open_source", lambda word: Deaf("linux-7.3.4/cold"))
    answer = console("watch")
    assert (answer.code, answer.out) == (3, "")
    assert "kernel events cannot be heard here: no" in answer.err


@pytest.mark.parametrize("word", ["x", "-1", "nan", "1e99"])
def test_no_number_of_seconds(console: Console, word: str) -> None:
    assert console("watch", f"--for={word}").code == 2


@contextmanager
def watching(*words: str) -> Iterator[subprocess.Popen[str]]:
    """The program on a live machine."""
    environment = {**os.environ, "KHO_CONSOLE_NO_CONFIG": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cli.watched", *words],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def test_a_live_machine_for_a_while() -> None:
    with watching("--json", "--for", "1.5") as program:
        printed, errors = program.communicate(timeout=60)
    assert (program.returncode, errors) == (0, "")
    found = lines(printed)
    kinds = [item["kind"] for item in found if item["kind"] != "flow"]
    assert kinds == ["event"] * 6 + ["happening", "happening", "gap", "happening"]
    dimm, _, gap, _ = [item for item in found if item["kind"] in ("happening", "gap")]
    assert (dimm["devices"], dimm["events"]) == ({"first": 32, "last": 35}, 4)
    # The machine did not change at all: numbers that were not heard were none of ours.
    assert dimm["before"] == dimm["after"]
    assert (gap["certain"], gap["missed"], gap["found"]) == (False, 4, "nothing is missing")
    last = {key: found[-1][key] for key in ("kind", "seen", "backlog", "lost", "gaps")}
    assert last == {"kind": "flow", "seen": 6, "backlog": 0, "lost": 0, "gaps": 1}


def test_it_ends_when_nobody_reads_any_more() -> None:
    with watching("--json") as program:
        assert program.stdout is not None and program.stderr is not None
        assert json.loads(program.stdout.readline())["device"] == "memory32"
        program.stdout.close()
        assert program.wait(60) == 0
        assert program.stderr.read() == ""


def test_ctrl_c_ends_it_with_the_sum() -> None:
    with watching("--json") as program:
        assert program.stdout is not None and program.stderr is not None
        assert program.stdout.readline()
        program.send_signal(signal.SIGINT)
        assert program.wait(60) == 130
        assert program.stderr.read() == ""
        assert lines(program.stdout.read())[-1]["kind"] == "flow"


def test_a_full_disk_is_no_fault_of_the_console() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "kho_console", "--source", "linux-7.3.4/hotplugged", "watch"],
            cwd=CHECKOUT,
            env={**os.environ, "KHO_CONSOLE_NO_CONFIG": "1"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 3
    assert ended.stderr == "kho-console: standard output: No space left on device\n"


@pytest.mark.parametrize("closed", ["1", "1 2"])
def test_closed_outputs_are_no_fault_of_the_console(closed: str) -> None:
    """As `>&-` in a shell: what should act asks for its output first."""
    shut = " ".join(f"{number}>&-" for number in closed.split())
    words = f"{sys.executable} -m kho_console --source linux-7.3.4/hotplugged watch {shut}"
    ended = subprocess.run(
        ["sh", "-c", words],
        cwd=CHECKOUT,
        env={**os.environ, "KHO_CONSOLE_NO_CONFIG": "1"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    said = "kho-console: standard output is closed\n" if closed == "1" else ""
    assert (ended.returncode, ended.stderr) == (3, said)


def test_kernel_log_lines_stand_where_they_belong_in_time(console: Console, tmp_path: Path) -> None:
    """The DIMM of the recording came at 52.06 and went online from 62.19 on."""
    place = tmp_path / "made"
    shutil.copytree(folder("linux-7.3.4/hotplugged"), place, symlinks=True)
    with (place / "kmsg.txt").open("a") as log:
        log.write(
            "[   62.200000] crash hp: kexec_trylock() failed, kdump image may be inaccurate\n"
        )
        log.write("[   55.000000] crash hp: unable to create new elfcorehdr\n")
    found = lines(console("watch", "--source", str(place), "--json").out)
    told = [item for item in found if item["kind"] in ("log", "happening")]
    assert [item.get("action", "log") for item in told[2:]] == ["add", "log", "online", "log"]


def test_the_end_of_a_twin_is_not_before_its_last_event(console: Console, tmp_path: Path) -> None:
    twin = ("--twin", str(tmp_path / "twin"), "--source", "linux-7.3.4/hotplugged")
    for words in (("offline", "memory33"), ("online", "memory33"), ("offline", "cpu1")):
        assert console(*words, *twin).code == 0
    rows = console("watch", *twin).out.splitlines()[1:-1]
    assert "at the end" in rows[-1]
    assert rows[-1].split()[0] >= max(row.split()[0] for row in rows[:-1])
