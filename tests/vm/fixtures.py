"""Records fixtures from real kernels: `python -m tests.vm.fixtures [--again] [SERIES ...]`.

A recording that is there already is left alone unless `--again` is given: tests hold numbers that
were read from it by hand.
"""

import argparse
import shutil
import sys
from pathlib import Path

from tests.vm.guest import CHECKOUT, INSIDE, PYTHON, Guest
from tests.vm.kernels import Kernel, chosen
from tests.vm.scenes import live_update
from tests.vm.scenes.facts import KHO

FIXTURES = CHECKOUT / "fixtures"


class Recording:
    """The moments of one kernel, in order."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.folder = guest.share / "moments"

    def take(self, name: str, description: str) -> None:
        """Capture this moment."""
        print(f"[{self._guest.kernel}] {name}: {description}", flush=True)
        script = f"{PYTHON} -B {INSIDE / 'capture.py'} /run/share/moments/{name}"
        self._guest.run(f"{script} '{description}'", 240)


def record(kernel: Kernel) -> Path:
    """Take a kernel through its handover and put the moments into the fixtures."""
    with Guest(kernel) as guest:
        recording = Recording(guest)
        recording.take("cold", "cold boot, nothing preserved by user space")
        if kernel.series >= (6, 19):
            live_update.hold(guest)
            recording.take("sessions", "three sessions with three memfds held")
        if kernel.series <= (7, 0):
            _finalize(guest, recording)
        guest.python("image.py", "load-crash", "console=ttyS0")
        recording.take("crash-loaded", "crash image loaded")
        guest.python("image.py", "load", guest.arguments)
        recording.take("ready", "the image is loaded, a kexec would hand over")
        guest.kexec()
        recording.take("restored", "after the kexec, nothing opened yet")
        if kernel.series >= (6, 19):
            guest.python("retrieve.py", "vm-web", *live_update.HELD["vm-web"])
            recording.take("retrieved", "vm-web retrieved and finished")
        target = FIXTURES / f"linux-{kernel.release}"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(recording.folder, target)
    return target


def main(arguments: list[str] | None = None) -> int:
    """Record all kernels asked for; 1 when none was there."""
    parser = argparse.ArgumentParser(prog="tests.vm.fixtures", description=__doc__)
    parser.add_argument("--again", action="store_true", help="also those that are there already")
    parser.add_argument("series", nargs="*")
    wanted = parser.parse_args(arguments)
    kernels, missing = chosen(wanted.series)
    for series, reason in missing.items():
        print(f"[{series}] skipped: {reason}")
    for kernel in kernels:
        if (FIXTURES / f"linux-{kernel.release}").exists() and not wanted.again:
            print(f"[{kernel}] is there already; --again takes it anew")
            continue
        print(f"[{kernel}] written: {record(kernel).relative_to(CHECKOUT)}")
    return 0 if kernels else 1


def _finalize(guest: Guest, recording: Recording) -> None:
    guest.run(f"echo 1 > {KHO}/out/finalize")
    recording.take("finalized", "finalized")
    if guest.kernel.series <= (6, 18):
        guest.run(f"echo 0 > {KHO}/out/finalize")
        recording.take("aborted", "finalize taken back")
        guest.run(f"echo 1 > {KHO}/out/finalize")


if __name__ == "__main__":
    sys.exit(main())
