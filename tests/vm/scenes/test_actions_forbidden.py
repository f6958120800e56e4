"""What forbids an action is told apart: lockdown, a user's rights, the switch of kexec.

The scenes follow one another; the last two switch something off until the next boot.
"""

import json

import pytest

from tests.vm.guest import INSIDE, PYTHON, Guest
from tests.vm.scenes import acting
from tests.vm.scenes.acting import INITRD, KERNEL, LOADED, WRITE
from tests.vm.scenes.facts import KHO

EXTRA = "lockdown=integrity"
SYSCTL = "/proc/sys/kernel"


def test_lockdown_keeps_finalize_shut(guest: Guest) -> None:
    if guest.kernel.series > (7, 0):
        pytest.skip("no finalize step on this kernel")
    answer = acting.refused(guest, "finalize", *WRITE)
    assert "lockdown (integrity)" in answer.err
    explained = acting.attempt(guest, "write", f"{KHO}/out/finalize", "1")
    assert explained["name"] == "EPERM"
    assert "lockdown (integrity)" in explained["text"]


def test_lockdown_asks_for_signatures_where_the_kernel_can_check_them(guest: Guest) -> None:
    checks = "CONFIG_KEXEC_SIG=y" in guest.run("zcat /proc/config.gz")
    answer = guest.console("load", *acting.image(guest), *WRITE)
    explained = acting.attempt(guest, "load", KERNEL, INITRD, guest.arguments)
    if checks:
        assert answer.code == 4
        assert "signature" in answer.err
        assert explained["name"] == "EPERM"
        assert "lockdown (integrity)" in explained["text"]
    else:
        assert explained is None
        assert answer.code == 0, answer
        assert guest.read(LOADED) == "1"
        acting.done(guest, "unload")


def test_root_without_the_capability_is_not_told_of_lockdown(guest: Guest) -> None:
    words = f"{PYTHON} -B {INSIDE / 'attempt.py'} unload"
    explained = json.loads(guest.run(f"setpriv --bounding-set -sys_boot {words}", 180))
    assert explained["name"] == "EPERM"
    assert "CAP_SYS_BOOT" in explained["text"]
    assert "lockdown" not in explained["text"]


def test_the_limit_of_loads(guest: Guest) -> None:
    guest.run(f"echo 1 > {SYSCTL}/kexec_load_limit_reboot")
    load = ("load", *acting.image(guest), *WRITE)
    answer = guest.console(*load)
    assert "1 load left" in answer.err
    explained = acting.attempt(guest, "unload")
    assert guest.read(f"{SYSCTL}/kexec_load_limit_reboot") == "0"
    if answer.code == 0:
        assert explained["name"] == "EPERM"
        assert "kexec_load_limit_reboot is 0" in explained["text"]
    assert "used up" in acting.refused(guest, *load).err
    assert "used up" in acting.refused(guest, "unload", *WRITE).err


def test_the_switch_of_kexec(guest: Guest) -> None:
    guest.run(f"echo 1 > {SYSCTL}/kexec_load_disabled")
    answer = acting.refused(guest, "load", "--crash", *acting.image(guest), *WRITE)
    assert "switched off" in answer.err
    assert "lockdown" not in answer.err
    explained = acting.attempt(guest, "load-crash", KERNEL, INITRD, guest.arguments)
    assert explained["name"] == "EPERM"
    assert "kexec_load_disabled is 1" in explained["text"]
