"""The console drives the handover itself, step by step; the scenes follow one another.

First into the same kernel, which takes it, then into one that cannot, against all advice.
"""

import json
from typing import Any

import pytest

from tests.vm.guest import Guest
from tests.vm.scenes import acting, facts, live_update
from tests.vm.scenes.acting import LOADED, WRITE
from tests.vm.scenes.facts import KHO

FILE = f"{KHO}/out/finalize"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What a scene knows that a later one wants."""
    return {}


def test_an_image_before_finalize_is_warned_of(guest: Guest) -> None:
    if guest.kernel.series > (6, 18):
        pytest.skip("an image carries the handover whenever it was loaded")
    checked = acting.checks(guest.document("check", *acting.image(guest)))
    assert checked["finalized"] == "warning"
    answer = guest.console("load", *acting.image(guest), *WRITE)
    assert answer.code == 0
    assert "carries no handover" in answer.err
    acting.done(guest, "unload")


def test_finalize_and_abort(guest: Guest) -> None:
    if guest.kernel.series > (6, 18):
        pytest.skip("nothing to take back on this kernel")
    predicted = guest.document("finalize", "--dry-run")["predicted"]
    assert guest.read(FILE) == "0"
    acting.done(guest, "finalize")
    assert guest.read(FILE) == "1"
    assert acting.wrong_predictions(predicted, guest.document("status")) == {}
    assert "finalized already" in acting.refused(guest, "finalize", *WRITE).err
    explained = acting.attempt(guest, "write", FILE, "1")
    assert (explained["name"], explained["text"]) == ("EEXIST", "the handover is finalized already")

    predicted = guest.document("abort", "--dry-run")["predicted"]
    acting.done(guest, "abort")
    assert guest.read(FILE) == "0"
    assert acting.wrong_predictions(predicted, guest.document("status")) == {}
    assert "not finalized" in acting.refused(guest, "abort", *WRITE).err
    assert acting.attempt(guest, "write", FILE, "0")["name"] == "ENOENT"


def test_finalize_does_not_apply_where_there_is_no_such_step(guest: Guest) -> None:
    if guest.kernel.series <= (7, 0):
        pytest.skip("this kernel has the step")
    for verb in ("finalize", "abort"):
        answer = guest.console(verb, *WRITE)
        assert answer.code == 3
        assert "stateless" in answer.err
        assert "instead: " in answer.err


def test_preflight_passes_an_image_of_this_kernel(guest: Guest, told: dict[str, Any]) -> None:
    _ready(guest)
    if guest.kernel.series >= (6, 19):
        told["held"] = live_update.hold(guest)
    answer = guest.console("check", *acting.image(guest), "--json")
    assert answer.code == 0
    bad = {key: word for key, word in acting.checks(answer.json()).items() if word != "pass"}
    told["crash"] = bad.pop("crashkernel", "pass")
    assert bad == {}
    assert answer.json()["verdict"] == told["crash"]


def test_load_and_unload(guest: Guest) -> None:
    for _ in range(2):
        loaded = acting.done(guest, "load", *acting.image(guest))
        assert loaded["outcome"]["found"][0]["telling"] is True
        assert guest.read(LOADED) == "1"
        acting.done(guest, "unload")
        assert guest.read(LOADED) == "0"
    predicted = guest.document("load", *acting.image(guest), "--dry-run")["predicted"]
    assert predicted
    acting.done(guest, "load", *acting.image(guest))
    assert acting.wrong_predictions(predicted, guest.document("status")) == {}


def test_execute_is_refused_without_what_it_wants(guest: Guest) -> None:
    boot = guest.read("/proc/sys/kernel/random/boot_id")
    call = ("execute", "--system-call")
    assert "systemd does not run here" in acting.refused(guest, "execute", *WRITE).err
    assert "--write" in acting.refused(guest, *call, "--yes-i-mean", "guest").err
    assert "--yes-i-mean guest" in acting.refused(guest, *call, "--write").err
    wrong = acting.refused(guest, *call, "--write", "--yes-i-mean", "guest2")
    assert "guest2 is not the name of this host (guest)" in wrong.err
    assert guest.read("/proc/sys/kernel/random/boot_id") == boot
    assert acting.last(guest)["action"] == "load"


def test_execute(guest: Guest, told: dict[str, Any]) -> None:
    call = ("execute", "--system-call")
    foreseen = guest.document(*call, "--dry-run")
    before = guest.document("journal")["records"]
    scratch = facts.scratch(guest)
    guest.execute("--system-call", *WRITE)

    status = guest.document("status")
    assert status["handover"]["booted_through_handover"] is True
    assert "memblock" in facts.listed(guest, f"{KHO}/in/sub_fdts")
    assert facts.scratch(guest) == scratch
    # Where there was no room in scratch, as preflight has said.
    reserved = guest.read("/sys/kernel/kexec_crash_size") != "0"
    assert told["crash"] == ("pass" if reserved else "warning")
    assert acting.wrong_predictions(foreseen["predicted"] or (), status) == {}
    records = guest.document("journal")["records"]
    assert records[: len(before)] == before
    (record,) = records[len(before) :]
    assert (record["action"], record["standing"]) == ("execute", "arrived")
    assert record["boot"] != guest.read("/proc/sys/kernel/random/boot_id")
    for name, files in told.get("held", {}).items():
        if files:
            digests = json.loads(guest.python("retrieve.py", name, *files))
            assert digests == {token: file["digest"] for token, file in files.items()}


def test_preflight_knows_a_kernel_that_does_not_take_it(guest: Guest) -> None:
    other = acting.incompatible(guest.kernel)
    if other is None:
        pytest.skip("no kernel at hand that speaks another version")
    _ready(guest)
    image = acting.image(guest, str(other.image))
    answer = guest.console("check", *image, "--json")
    assert answer.code == 1
    assert answer.json()["verdict"] == "fail"
    assert answer.json()["image"]["release"] == other.release
    assert acting.checks(answer.json())["kho-version"] == "fail"
    not_loaded = acting.refused(guest, "load", *image, *WRITE, "--json").json()
    assert "kho-version" in acting.obstacles(not_loaded)
    assert guest.read(LOADED) == "0"


def test_what_is_forced_on_that_kernel_is_lost(guest: Guest) -> None:
    other = acting.incompatible(guest.kernel)
    if other is None:
        pytest.skip("no kernel at hand that speaks another version")
    words = (str(other.image), acting.INITRD, guest.arguments)
    assert acting.attempt(guest, "load", *words) is None
    guest.execute("--system-call", *WRITE)
    assert guest.read("/proc/sys/kernel/osrelease") == other.release
    log = guest.run("dmesg")
    assert "disabling KHO revival" in log
    status = guest.document("status")
    assert status["handover"]["booted_through_handover"] is False
    assert status["incoming"] is None
    assert acting.last(guest)["standing"] == "lost"


def _ready(guest: Guest) -> None:
    """Finalized, where the kernel has that step."""
    if guest.kernel.series <= (7, 0):
        acting.done(guest, "finalize")
