"""A kernel with KHO that is not switched on."""

from tests.vm.guest import Guest
from tests.vm.scenes import facts

EXTRA = "kho=off"


def test_says_that_it_is_off_and_why(guest: Guest) -> None:
    assert guest.try_run(f"test -e {facts.KHO}").code != 0
    status = guest.document("status")
    assert status["handover"]["state"] == "unavailable"
    assert status["handover"]["generation"] == "none"
    assert status["scratch"] is None
    assert status["outgoing"]["preserved"] is None
    told = str(status["findings"])
    assert "kho=off" in told


def test_preserved_and_tree_are_not_available(guest: Guest) -> None:
    assert guest.console("preserved").code == 3
    assert guest.console("tree").code == 3


def test_the_crash_kernel_is_shown_all_the_same(guest: Guest) -> None:
    size = int(guest.read("/sys/kernel/kexec_crash_size"))
    assert guest.document("status")["kexec"]["crash_size"] == size > 0
