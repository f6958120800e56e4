"""Runs in the guest: does what the host asks for, one request a line, and answers a line each.

It keeps the console loaded, and forks for each request: Python itself starts slowly in an emulator.
"""

import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, Any

NOBODY = 65534


def main() -> None:
    """Say hello, then serve."""
    with _port() as port:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        _send(port, {"hello": os.uname().release, "boot": boot})
        while line := port.readline():
            _send(port, _served(json.loads(line)))


def _port() -> IO[bytes]:
    for name in Path("/sys/class/virtio-ports").glob("*/name"):
        if name.read_text().strip() == "agent":
            return open(f"/dev/{name.parent.name}", "r+b", buffering=0)  # noqa: PTH123
    raise SystemExit("the agent's port is not there")


def _send(port: IO[bytes], answer: dict[str, Any]) -> None:
    left = memoryview(json.dumps(answer).encode() + b"\n")
    while left:
        left = left[port.write(left) :]


def _served(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] != "shell":
        _load_console()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _be_child(request, out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
        if late:
            os.killpg(child, signal.SIGKILL)
        return {
            "id": request["id"],
            "late": late,
            "code": os.waitstatus_to_exitcode(status),
            "out": _text(out),
            "err": _text(err),
        }


def _be_child(request: dict[str, Any], out: int, err: int) -> None:
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    signal.alarm(request["deadline"])
    if request.get("unprivileged"):
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    code = 70
    try:
        if request["do"] == "shell":
            os.execv("/bin/sh", ["sh", "-c", request["text"]])
        if request["do"] == "script":
            sys.argv = [request["script"], *request["arguments"]]
            runpy.run_path(request["script"], run_name="__main__")
            code = 0
        else:
            code = _console(request["arguments"])
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 2
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _console(arguments: list[str]) -> int:
    from kho_console.cli.main import main as console

    return console(arguments)


def _load_console() -> None:
    """Every module but the screens; nobody may be unable to read them later."""
    if "kho_console.cli.main" in sys.modules:
        return
    import kho_console

    for module in pkgutil.walk_packages(kho_console.__path__, "kho_console."):
        if not module.name.startswith(("kho_console.tui", "kho_console.__main__")):
            importlib.import_module(module.name)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="backslashreplace")


if __name__ == "__main__":
    main()
