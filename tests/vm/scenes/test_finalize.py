"""Finalize and abort, 6.16 to 6.18; the scenes follow one another."""

from tests.vm.guest import Guest
from tests.vm.scenes import facts
from tests.vm.scenes.facts import KHO

FILE = f"{KHO}/out/finalize"


def APPLIES(series: tuple[int, int]) -> bool:  # noqa: N802
    return series <= (6, 18)


def test_an_image_loaded_before_finalize_carries_nothing(guest: Guest) -> None:
    guest.python("image.py", "load", guest.arguments)
    assert guest.read("/sys/kernel/kexec_loaded") == "1"
    status = guest.document("status")
    assert status["kexec"]["loaded"] is True
    assert "image-before-finalize" in facts.finding_ids(status)
    guest.python("image.py", "unload")
    assert guest.document("status")["kexec"]["loaded"] is False


def test_finalize(guest: Guest) -> None:
    guest.run(f"echo 1 > {FILE}")
    status = guest.document("status")
    assert status["handover"]["state"] == "finalized"
    tree = status["outgoing"]["tree"]
    assert tree["bytes"] == tree["totalsize"] == int(guest.run(f"cat {KHO}/out/fdt | wc -c"))
    assert tree["truncated"] is False
    names = [blob["name"] for blob in status["outgoing"]["blobs"]]
    assert sorted(names) == facts.listed(guest, f"{KHO}/out/sub_fdts") == ["memblock"]
    assert status["handover"]["map_format"] == facts.kind(guest.kernel.series).map_format
    ranges = guest.document("preserved")["ranges"]
    for start, size in facts.reserved(guest).values():
        assert facts.covers(ranges, start, size)


def test_finalize_again_changes_nothing(guest: Guest) -> None:
    done = guest.try_run(f"/bin/echo 1 > {FILE}")
    assert "File exists" in done.err
    assert guest.document("status")["handover"]["state"] == "finalized"


def test_abort(guest: Guest) -> None:
    guest.run(f"echo 0 > {FILE}")
    assert guest.read(FILE) == "0"
    status = guest.document("status")
    assert status["handover"]["state"] == "open"
    assert status["outgoing"]["tree"] is None
    assert status["outgoing"]["preserved"] is None
    assert status["outgoing"]["preserved_reason"]


def test_abort_again_changes_nothing(guest: Guest) -> None:
    done = guest.try_run(f"/bin/echo 0 > {FILE}")
    assert "No such file" in done.err
    assert guest.document("status")["handover"]["state"] == "open"
