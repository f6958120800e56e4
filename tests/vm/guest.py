"""A guest: a real kernel in QEMU, with the host's file system and a channel to run things in it."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.vm import initramfs, machine
from tests.vm.channel import Channel, SilentError
from tests.vm.kernels import Kernel

BOOT_SECONDS = 180
"""Longest to the agent's hello; 10 s on an idle machine without KVM."""

ANSWER_SECONDS = 300
TAIL = 60
"""Lines of the serial log shown when a guest hangs."""

CHECKOUT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).resolve().parent / "inside"
PYTHON = Path(sys.prefix) / "bin/python"
"""The environment the tests run in; the guest sees it at the same place."""


class GuestHungError(Exception):
    """A guest that does not answer, with the end of its serial log."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command in the guest left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its output as a JSON document."""
        assert self.out, f"no output, exit {self.code}: {self.err}"
        return json.loads(self.out)


class Guest:
    """One boot of a kernel, and those that follow it by kexec."""

    def __init__(self, kernel: Kernel, extra: str = "") -> None:
        """Boot `kernel` with `extra` arguments; the last one of a kind wins.

        Raises:
            GuestHungError: It does not come up.
        """
        self.kernel = kernel
        self._folder = Path(tempfile.mkdtemp(prefix="kho-vm-"))
        self.share = self._folder / "share"
        self.arguments = f"{machine.ARGUMENTS} {extra}".strip()
        self._requests = 0
        self._boot = ""
        self._channel: Channel | None = None
        self._monitor: Channel | None = None
        self._fill_share()
        words = machine.command(
            kernel.image, self.arguments, self._folder, machine.accelerator(kernel.image)
        )
        self._errors = (self._folder / "qemu.log").open("w")
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors
        )
        try:
            self._channel = Channel(self._folder / "agent", 20)
            self._monitor = Channel(self._folder / "qmp", 20)
            self._wait_for_hello()
            self.command("qmp_capabilities")
        except SilentError as error:
            hung = self._hung(str(error))
            self.close()
            raise hung from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Switch the machine off."""
        for channel in (self._channel, self._monitor):
            if channel:
                channel.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def try_run(self, text: str, seconds: int = 60, *, unprivileged: bool = False) -> Done:
        """Run a shell command, whatever becomes of it."""
        request = {"do": "shell", "text": text, "unprivileged": unprivileged}
        return self._ask(request, seconds)

    def run(self, text: str, seconds: int = 60) -> str:
        """Run a shell command that must work, and give its output."""
        done = self.try_run(text, seconds)
        assert done.code == 0, f"{text}\nexit {done.code}\n{done.out}{done.err}"
        return done.out

    def read(self, path: str) -> str:
        """A file of the guest, without blanks around it."""
        return self.run(f"cat {path}").strip()

    def python(self, script: str, *arguments: str, seconds: int = 90) -> str:
        """Run one of the scripts beside the agent; it must work."""
        return self.run(f"{PYTHON} -ISB {INSIDE / script} {' '.join(arguments)}", seconds)

    def console(self, *arguments: str, unprivileged: bool = False) -> Done:
        """Run the console's command line."""
        request = {"do": "console", "arguments": arguments, "unprivileged": unprivileged}
        return self._ask(request, ANSWER_SECONDS)

    def script(self, script: str, *arguments: str) -> Any:
        """Run one of the scripts beside the agent that use the console; its JSON document."""
        request = {"do": "script", "script": str(INSIDE / script), "arguments": arguments}
        return self._ask(request, ANSWER_SECONDS).json()

    def document(self, *arguments: str, unprivileged: bool = False) -> Any:
        """What a verb prints with `--json`."""
        return self.console(*arguments, "--json", unprivileged=unprivileged).json()

    def kexec(self) -> None:
        """Execute the image that is loaded, and wait for the kernel behind it."""
        words = f"{PYTHON} -ISB {INSIDE / 'image.py'} execute"
        self._leave({"do": "shell", "text": words})

    def execute(self, *arguments: str) -> None:
        """Leave this kernel by the console's own verb, and wait for the kernel behind it."""
        self.leave("execute", *arguments)

    def leave(self, *arguments: str) -> None:
        """Leave this kernel by a verb that executes, and wait for the kernel behind it."""
        self._leave({"do": "console", "arguments": arguments})

    def command(self, execute: str, **arguments: object) -> Any:
        """A command to QEMU's monitor, and its answer."""
        assert self._monitor
        self._monitor.send({"execute": execute, "arguments": arguments})
        while True:
            answer = self._monitor.receive(30)
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]

    def _ask(self, request: dict[str, Any], seconds: int) -> Done:
        number = self._send(request, seconds)
        assert self._channel
        try:
            answer = self._channel.receive(seconds + 30)
        except SilentError as error:
            raise self._hung(f"{_asked(request)}: {error}") from None
        assert answer.get("id") == number, f"the guest answered {answer}"
        if answer["late"]:
            raise self._hung(f"{_asked(request)}: not done in {seconds} s: {answer['err']}")
        return Done(answer["code"], answer["out"], answer["err"])

    def _leave(self, request: dict[str, Any]) -> None:
        self._send(request, ANSWER_SECONDS)
        try:
            self._wait_for_hello()
        except SilentError as error:
            raise self._hung(f"{_asked(request)}: {error}") from None

    def _send(self, request: dict[str, Any], seconds: int) -> int:
        assert self._channel
        self._requests += 1
        self._channel.send({**request, "id": self._requests, "deadline": seconds})
        return self._requests

    def _wait_for_hello(self) -> None:
        """The agent of a boot that was not there before."""
        assert self._channel
        while True:
            answer = self._channel.receive(BOOT_SECONDS)
            if "hello" in answer and answer["boot"] != self._boot:
                self._boot = answer["boot"]
                return
            assert "code" not in answer, f"the kernel is still there: {answer}"

    def _fill_share(self) -> None:
        self.share.mkdir()
        initramfs.write(self.share / "initrd")
        shutil.copy(self.kernel.image, self.share / "bzImage")
        (self.share / "start").write_text(
            "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run\n"
            f"export XDG_STATE_HOME={initramfs.SHARE}/state\n"
            "export PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 LC_ALL=C.UTF-8 TERM=linux\n"
            f"export PYTHONPATH={CHECKOUT}\n"
            "hostname guest; ip link set lo up 2>/dev/null\n"
            f"cd {CHECKOUT}\n{PYTHON} {INSIDE / 'agent.py'} </dev/console >/dev/console 2>&1\n"
            "echo the agent has ended; poweroff -f\n"
        )

    def _hung(self, what: str) -> GuestHungError:
        log = self._folder / "serial.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        gone = self._process.poll()
        if gone is not None:
            errors = (self._folder / "qemu.log").read_text(errors="replace")
            what = f"{what}; QEMU has ended with {gone}: {errors.strip()}"
        tail = "\n".join(lines[-TAIL:])
        return GuestHungError(f"{what}\nthe end of the serial log:\n{tail}")


def _asked(request: dict[str, Any]) -> str:
    words: Sequence[str] = request.get("arguments", ())
    return request.get("text") or " ".join((request.get("script", "kho-console"), *words))
