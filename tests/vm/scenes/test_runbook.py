"""The live-update runbook, headless, beside a recorder; the scenes follow one another.

First with the kernel of the other release, which preflight stops; then from the cold boot through
the kexec to the end in the new kernel. What is written lies on a share that outlives the guest.
"""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from kho_console.source.recording import Recording, RecordingError
from tests.vm import machine
from tests.vm.guest import PYTHON, Guest
from tests.vm.initramfs import SHARE
from tests.vm.scenes import acting, live_update
from tests.vm.scenes.acting import LOADED, WRITE

KEEP = "KHO_VM_RECORDINGS"
"""Environment variable: a folder in which the recordings are kept."""

STATE = "state/kho-console"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def APPLIES(series: tuple[int, int]) -> bool:  # noqa: N802
    return series in ((6, 18), (7, 3))


@pytest.fixture(scope="module")
def told(guest: Guest) -> dict[str, Any]:
    """What a scene knows that a later one wants; sessions are held from the begin."""
    held = live_update.hold(guest) if guest.kernel.series >= (6, 19) else {}
    return {"boots": [guest.read(BOOT_ID)], "held": held}


def test_preflight_stops_the_wrong_kernel(guest: Guest, told: dict[str, Any]) -> None:
    other = acting.incompatible(guest.kernel)
    if other is None:
        pytest.skip("no kernel at hand that speaks another version")
    shutil.copy(other.image, guest.share / "other")
    _answers(guest, f"{SHARE}/other")
    _record(guest, "wrong-target", 1)
    answer = guest.console("runbook", "run", _book(guest), *_headless(), *WRITE)
    assert answer.code == 1, answer
    *_, failed, last = map(json.loads, answer.out.splitlines())
    assert (failed["step"], failed["standing"]) == ("preflight", "failed")
    assert "kho-version" in [item["id"] for item in failed["checks"] if item["result"] == "fail"]
    assert (last["step"], last["need"]) == ("preflight", "a check")
    again = guest.console("runbook", "resume", *_headless(), *WRITE)
    assert again.code == 1, again
    assert guest.read(LOADED) == "0"
    assert guest.document("journal")["records"] == []
    _end_recording(guest)
    assert guest.console("runbook", "resume", "--abandon", "--write").code == 0
    _keep(guest, "wrong-target")


def test_it_goes_through_the_kexec(guest: Guest, told: dict[str, Any]) -> None:
    _answers(guest, acting.KERNEL)
    _record(guest, "live-update", 1)
    guest.leave("runbook", "run", _book(guest), *_headless(), *WRITE)
    told["boots"].append(guest.read(BOOT_ID))
    assert len(set(told["boots"])) == 2


def test_it_is_gone_on_with_and_verified(guest: Guest, told: dict[str, Any]) -> None:
    _record(guest, "live-update", len(_recording(guest, "live-update")) + 1)
    (waiting,) = [run for run in _runs(guest) if run["over"] is None]
    assert (waiting["runbook"], waiting["at"]) == (_book(guest), "execute")
    answer = guest.console("runbook", "resume", *_headless(), *WRITE)
    assert answer.code == 0, answer
    steps = {item["step"]: item for item in map(json.loads, answer.out.splitlines())}
    assert steps.pop(None)["text"] == "finished"
    assert {item["standing"] for item in steps.values()} <= {"done", "not needed here"}
    checks = {(item["id"], item["text"]): item for item in steps["verify"]["checks"]}
    (arrival,) = (item for item in steps["verify"]["checks"] if item["id"] == "arrival")
    # Whether sessions arrived is known only to who retrieves them.
    assert arrival["text"] == "verified" or "nothing is known to be missing" in arrival["text"]
    for name in machine.RESERVED:
        assert ("reserve_mem", f"{name} arrived and unchanged") in checks
    (run,) = [item for item in _runs(guest) if item["id"] == waiting["id"]]
    assert (run["over"], run["done"]) == ("finished", run["steps"])
    assert acting.last(guest)["standing"] == "arrived"
    lines = (guest.share / STATE / "runs" / waiting["id"] / "journal.jsonl").read_text()
    boots = [json.loads(line)["boot"] for line in lines.splitlines()]
    assert list(dict.fromkeys(boots)) == told["boots"]


def test_nothing_is_lost(guest: Guest, told: dict[str, Any]) -> None:
    status = guest.document("status")
    assert status["handover"]["booted_through_handover"] is True
    log = guest.run("dmesg")
    blobs = {blob["name"]: blob for blob in guest.document("blobs")["incoming"]}
    fields = {field["path"]: field["value"] for field in blobs["memblock"]["fields"]}
    for name, size in machine.RESERVED.items():
        assert f"Revived memory reservation '{name}' from KHO" in log
        assert fields[f"/{name}/size"] == size
    for name, files in told["held"].items():
        if files:
            digests = json.loads(guest.python("retrieve.py", name, *files))
            assert digests == {token: file["digest"] for token, file in files.items()}
    _end_recording(guest)


def test_the_recording_has_both_boots(guest: Guest, told: dict[str, Any]) -> None:
    recording = _recording(guest, "live-update")
    seen = [recording.at(number).read(BOOT_ID).decode().strip() for number in range(len(recording))]
    assert list(dict.fromkeys(seen)) == told["boots"]
    _keep(guest, "live-update")


def _book(guest: Guest) -> str:
    return "live-update-finalize" if guest.kernel.series <= (7, 0) else "live-update-sessions"


def _answers(guest: Guest, kernel: str) -> None:
    words = {"kernel": kernel, "initrd": acting.INITRD, "way": "at-once"}
    lines = "".join(f'{key} = "{word}"\n' for key, word in words.items())
    (guest.share / "answers.toml").write_text(lines)


def _headless() -> tuple[str, ...]:
    return ("--answers", f"{SHARE}/answers.toml", "--json")


def _runs(guest: Guest) -> list[Any]:
    found: list[Any] = guest.document("runbook", "list")["runs"]
    return found


def _record(guest: Guest, name: str, moments: int) -> None:
    """Begin to record, and wait for so many moments."""
    words = f"record {SHARE}/{name}.khorec --every 5"
    guest.run(f"{PYTHON} -m kho_console {words} >/run/record.log 2>&1 & echo $! > /run/record.pid")
    end = time.monotonic() + 180
    while time.monotonic() < end:
        try:
            if len(_recording(guest, name)) >= moments:
                return
        except (OSError, RecordingError):
            pass
        guest.run("kill -0 $(cat /run/record.pid) || { cat /run/record.log >&2; exit 1; }; sleep 1")
    raise AssertionError(guest.run("cat /run/record.log"))


def _end_recording(guest: Guest) -> None:
    guest.run(
        "kill -INT $(cat /run/record.pid); "
        "while kill -0 $(cat /run/record.pid) 2>/dev/null; do sleep 0.2; done"
    )


def _recording(guest: Guest, name: str) -> Recording:
    return Recording(guest.share / f"{name}.khorec")


def _keep(guest: Guest, name: str) -> None:
    assert len(_recording(guest, name)) > 1
    folder = os.environ.get(KEEP)
    if folder:
        target = Path(folder) / f"linux-{guest.kernel.release}"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(guest.share / f"{name}.khorec", target)
