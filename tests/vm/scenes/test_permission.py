"""What may not be read is shown as not permitted, never as zero and never wrong."""

from typing import Any

from tests.vm.guest import Guest
from tests.vm.scenes import facts
from tests.vm.scenes.facts import KHO

EXTRA = "lockdown=confidentiality"


def test_the_guest_is_locked_down(guest: Guest) -> None:
    assert "[confidentiality]" in guest.read("/sys/kernel/security/lockdown")
    assert "Operation not permitted" in guest.try_run("head -c 1 /proc/kcore").err


def test_locked_down_root_still_sees_the_files(guest: Guest) -> None:
    areas = guest.document("scratch")["scratch"]
    assert [(area["address"], area["size"]) for area in areas] == facts.scratch(guest)
    status = guest.document("status")
    assert status["handover"]["generation"] == facts.kind(guest.kernel.series).generation
    names = [blob["name"] for blob in status["outgoing"]["blobs"] or []]
    assert sorted(names) == facts.listed(guest, f"{KHO}/out/sub_fdts")


def test_locked_down_memory_is_not_permitted(guest: Guest) -> None:
    status = guest.document("status")
    assert status["outgoing"]["preserved"] is None
    if guest.kernel.series >= (7, 1):
        reason = status["outgoing"]["preserved_reason"]
        assert "not permitted" in reason or "lockdown" in reason
        done = guest.console("preserved")
        assert done.code == 3
        assert done.out == ""
    assert "not permitted" not in str(status["kexec"])


def test_doctor_names_the_lockdown(guest: Guest) -> None:
    done = guest.console("doctor", "--json")
    checks = {check["id"]: check for check in done.json()["checks"]}
    assert checks["lockdown"]["result"] != "pass"
    assert "confidentiality" in str(checks["lockdown"])
    # Before finalize there is no map that could not be read.
    assert done.code == (1 if guest.kernel.series >= (7, 1) else 0)


def test_an_unprivileged_user_is_told_so(guest: Guest) -> None:
    status = guest.document("status", unprivileged=True)
    assert status["scratch"] is None
    assert "not permitted" in status["scratch_reason"]
    outgoing = status["outgoing"]
    for name in ("blobs", "tree", "preserved"):
        assert outgoing[name] is None
        assert "not permitted" in outgoing[f"{name}_reason"]
    # The boot protocol's data is open to all, and holds no handover after a cold boot.
    assert status["handover"]["booted_through_handover"] is not True
    assert status["incoming"] is None
    assert status["incoming_reason"]
    assert status["handover"]["state"] == "unavailable"
    assert status["handover"]["finalize"] == "unknown"
    assert status["handover"]["kexec_count"] is None
    assert "not permitted" in status["handover"]["kexec_count_reason"]
    assert status["kexec"]["crash_size"] == int(guest.read("/sys/kernel/kexec_crash_size"))


def test_an_unprivileged_user_sees_no_addresses(guest: Guest) -> None:
    crash: Any = guest.document("crash", unprivileged=True)
    assert guest.try_run("grep -c '^00000000-00000000' /proc/iomem", unprivileged=True).code == 0
    assert crash["regions"] is None
    assert "CAP_SYS_ADMIN" in crash["regions_reason"]


def test_an_unprivileged_user_does_not_see_sessions_as_none(guest: Guest) -> None:
    sessions = guest.document("sessions", unprivileged=True)
    assert sessions["sessions"] is None
    assert sessions["sessions_reason"]
