"""The handover itself, and what the kernel behind it shows; the scenes follow one another."""

import json
from typing import Any

import pytest

from tests.vm import machine
from tests.vm.guest import Guest
from tests.vm.kernels import Kernel
from tests.vm.scenes import facts, live_update
from tests.vm.scenes.facts import KHO


@pytest.fixture(scope="module")
def handed_over(guest: Guest, kernel: Kernel) -> dict[str, Any]:
    """Preserve, load, check, execute; what was known before."""
    held = live_update.hold(guest) if kernel.series >= (6, 19) else {}
    if kernel.series <= (7, 0):
        guest.run(f"echo 1 > {KHO}/out/finalize")
    guest.python("image.py", "load", guest.arguments)
    before = {
        "scratch": facts.scratch(guest),
        "reserved": facts.reserved(guest),
        "held": held,
        "status": guest.document("status"),
    }
    guest.kexec()
    return before


def test_the_image_was_seen_before(handed_over: dict[str, Any]) -> None:
    assert handed_over["status"]["kexec"]["loaded"] is True
    assert "image-before-finalize" not in facts.finding_ids(handed_over["status"])


def test_the_new_kernel_came_through_a_handover(guest: Guest, handed_over: dict[str, Any]) -> None:
    status = guest.document("status")
    assert status["handover"]["booted_through_handover"] is True
    names = [blob["name"] for blob in status["incoming"]["blobs"]]
    assert sorted(names) == facts.listed(guest, f"{KHO}/in/sub_fdts")
    assert "memblock" in names
    assert status["kexec"]["loaded"] is False
    assert status["incoming"]["tree"]["compatible"] == facts.kind(guest.kernel.series).generation
    assert status["incoming"]["preserved"] is None
    assert status["incoming"]["preserved_reason"]


def test_scratch_is_inherited(guest: Guest, handed_over: dict[str, Any]) -> None:
    areas = guest.document("scratch")["scratch"]
    assert [(area["address"], area["size"]) for area in areas] == handed_over["scratch"]


def test_reserved_memory_came_through(guest: Guest, handed_over: dict[str, Any]) -> None:
    log = guest.run("dmesg")
    for name in machine.RESERVED:
        assert f"Revived memory reservation '{name}' from KHO" in log
    blobs = {blob["name"]: blob for blob in guest.document("blobs")["incoming"]}
    fields = {field["path"]: field["value"] for field in blobs["memblock"]["fields"]}
    for name, (start, size) in handed_over["reserved"].items():
        assert (fields[f"/{name}/start"], fields[f"/{name}/size"]) == (start, size)


def test_the_count_is_that_of_the_metadata(guest: Guest, handed_over: dict[str, Any]) -> None:
    handover = guest.document("status")["handover"]
    if guest.kernel.series <= (7, 0):
        assert handover["kexec_count"] is None
        assert handover["previous_release"] is None
        return
    assert handover["kexec_count"] == 1
    assert handover["previous_release"] == guest.kernel.release
    assert f"exec from: {guest.kernel.release} (count 1)" in guest.run("dmesg")


def test_the_live_update_blob_is_stale_where_its_page_is_freed(
    guest: Guest, handed_over: dict[str, Any]
) -> None:
    if guest.kernel.series < (6, 19):
        pytest.skip("no live update before 6.19")
    blobs = guest.document("status")["incoming"]["blobs"]
    (found,) = [blob for blob in blobs if blob["name"] == "LUO"]
    head = guest.run(f"od -An -c -N 5 {KHO}/in/sub_fdts/LUO")
    stale = guest.kernel.series >= (7, 2) and "luo-v" not in "".join(head.split())
    assert found["state"] == ("stale" if stale else "valid")


def test_incoming_sessions_are_listed_while_nobody_has_opened_the_device(
    guest: Guest, handed_over: dict[str, Any]
) -> None:
    if not (6, 19) <= guest.kernel.series <= (7, 1):
        pytest.skip("only 6.19 to 7.1 keep the records until the device is opened")
    shown = guest.document("sessions")["sessions"]
    found = {
        session["name"]: {str(file["token"]): file["size"] for file in session["files"]}
        for session in shown
    }
    assert found == live_update.HELD
    assert {session["direction"] for session in shown} == {"incoming"}


def test_sessions_are_retrieved_with_their_content(
    guest: Guest, handed_over: dict[str, Any]
) -> None:
    if guest.kernel.series < (6, 19):
        pytest.skip("no live update before 6.19")
    for name in ("vm-web", "vm-db"):
        files = handed_over["held"][name]
        digests = json.loads(guest.python("retrieve.py", name, *files))
        assert digests == {token: file["digest"] for token, file in files.items()}
    shown = guest.document("sessions")
    assert shown["sessions"] == []
