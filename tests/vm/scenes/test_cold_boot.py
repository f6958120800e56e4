"""A kernel after a cold boot, with KHO on: the console against plain files and QEMU's arguments."""

import json
from pathlib import Path

from tests.vm import machine
from tests.vm.guest import CHECKOUT, PYTHON, Guest
from tests.vm.scenes import facts
from tests.vm.scenes.facts import KHO


def test_status_names_the_kernel_and_its_kind(guest: Guest) -> None:
    status = guest.document("status")
    assert status["kernel"]["release"] == guest.read("/proc/sys/kernel/osrelease")
    assert status["kernel"]["page_size"] == int(guest.run("getconf PAGESIZE"))
    handover, kind = status["handover"], facts.kind(guest.kernel.series)
    assert handover["generation"] == kind.generation
    assert handover["finalize"] == kind.finalize
    assert handover["booted_through_handover"] is False
    assert handover["state"] == ("stateless" if kind.finalize == "none" else "open")
    assert status["incoming"] is None
    assert status["kexec"]["loaded"] is False
    assert status["kexec"]["crash_loaded"] is False
    assert status["kexec"]["crash_size"] == machine.CRASH


def test_the_finalize_step_is_there_or_said_not_to_be(guest: Guest) -> None:
    there = guest.try_run(f"test -e {KHO}/out/finalize").code == 0
    assert there == (guest.kernel.series <= (7, 0))
    status = guest.document("status")
    assert ("stateless" in facts.finding_ids(status)) == (not there)


def test_scratch_areas_are_those_asked_for(guest: Guest) -> None:
    areas = guest.document("scratch")["scratch"]
    assert [(area["role"], area["node"], area["size"]) for area in areas] == [
        ("lowmem", None, machine.SCRATCH["lowmem"]),
        ("global", None, machine.SCRATCH["global"]),
        ("node", 0, machine.SCRATCH["node"]),
        ("node", 1, machine.SCRATCH["node"]),
    ]
    assert [(area["address"], area["size"]) for area in areas] == facts.scratch(guest)


def test_blobs_are_those_in_debugfs(guest: Guest) -> None:
    shown = guest.document("blobs")["outgoing"] or []
    assert sorted(blob["name"] for blob in shown) == facts.listed(guest, f"{KHO}/out/sub_fdts")
    for blob in shown:
        path = f"{KHO}/out/sub_fdts/{blob['name']}"
        assert blob["size"] == int(guest.run(f"cat {path} | wc -c"))
        assert blob["state"] == "valid"


def test_reserved_memory_is_preserved_where_there_is_no_finalize_step(guest: Guest) -> None:
    preserved = guest.document("preserved")
    if guest.kernel.series <= (7, 0):
        assert preserved["ranges"] is None
        assert "finalize" in preserved["ranges_reason"]
        return
    for start, size in facts.reserved(guest).values():
        assert facts.covers(preserved["ranges"], start, size)


def test_doctor_finds_nothing_wrong(guest: Guest) -> None:
    done = guest.console("doctor", "--json")
    found = {check["id"] for check in done.json()["checks"] if check["result"] != "pass"}
    # Where there is a finalize step there is no map before it.
    expected = {"preserved-map"} if guest.kernel.series <= (7, 0) else set()
    if guest.kernel.series <= (6, 18):
        expected.add("sessions")  # There is no live update yet.
    if not facts.has_kexec_tool(guest):
        expected.add("tool-kexec")
    assert found == expected
    assert done.code == 0


def test_the_installed_command_says_the_same(guest: Guest) -> None:
    command = Path(PYTHON).with_name("kho-console")
    text = guest.run(f"cd {CHECKOUT} && {command} scratch --json", 120)
    assert json.loads(text) == guest.document("scratch")
