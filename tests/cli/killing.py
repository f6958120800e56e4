"""Has a verb of a kept twin killed before everything that goes to disk, and gone on with.

`python -m tests.cli.killing FOLDER PLAN` prints an object a line: the point, the exit code of what
was killed and of what went on after it, and what was done to the twin. PLAN is a JSON object:
`source`; `first`, the commands before it; `killed`, the command; `between`, what somebody else
does then; `after`, what goes on; `steps`, the only steps that it is killed at, all without it.
"""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from kho_console.cli.main import main
from kho_console.engine import journal, kept_twin
from kho_console.engine.recorder import Recorder
from kho_console.engine.verify import note_file
from kho_console.twin import history, keep


class Points:
    """Counts writes, and kills before one of them: so the disk is as after the one before.

    The writes of a step are those from one line of the run to the next that tells of another.
    """

    def __init__(self, deadly: int, steps: Collection[str]) -> None:
        self.passed = 0
        self._deadly = deadly
        self._steps = steps
        self._step = ""

    def before(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*values: Any, **named: Any) -> Any:
            self._pass()
            return write(*values, **named)

        return watched

    def line(self, append: Callable[..., None]) -> Callable[..., None]:
        def watched(path: Path, line: bytes) -> None:
            self._step = json.loads(line).get("step", "") if b'"line"' in line else self._step
            self._pass()
            append(path, line)

        return watched

    def _pass(self) -> None:
        if self._steps and self._step not in self._steps:
            return
        self.passed += 1
        if self.passed == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


def run(words: list[str], deadly: int = 0, steps: Collection[str] = ()) -> int:
    """The exit code of `kho-console WORDS`, killed at a point; minus the signal where it was."""
    child = os.fork()
    if not child:
        points = Points(deadly, steps)
        journal.append = points.line(journal.append)
        kept_twin.KeptTwin.save = points.before(kept_twin.KeptTwin.save)  # type: ignore[method-assign]
        Recorder.run = points.before(Recorder.run)  # type: ignore[method-assign]
        note_file.write = points.before(note_file.write)
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        code = 99
        try:
            code = main(words)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def deeds(twin: Path) -> list[dict[str, object]]:
    return [history.encode(deed) for deed in keep.read(twin.read_bytes()).deeds]


def killed_at(folder: Path, plan: dict[str, Any], point: int) -> int:
    """Kill at one point, go on, and tell; what came of what was killed."""
    twin = folder / f"{point}.twin"
    run(["--source", plan["source"], "--twin", str(twin), "status"])

    def on_it(words: list[str], deadly: int = 0) -> int:
        return run(["--twin", str(twin), *words], deadly, plan.get("steps", ()))

    for words in plan.get("first", ()):
        on_it(words)
    killed, codes = on_it(plan["killed"], point), []
    if killed == -signal.SIGKILL:
        for words in plan.get("between", ()):
            on_it(words)
        codes = [on_it(words) for words in plan["after"]]
        if codes[-1] == 3 and not any(folder.glob(f"{twin.name}.runs/*/*.jsonl")):
            codes.append(on_it(plan["killed"]))
    print(
        json.dumps({"point": point, "killed": killed, "codes": codes, "deeds": deeds(twin)}),
        flush=True,
    )
    return killed


def warm(folder: Path, plan: dict[str, Any]) -> None:
    """Have all modules loaded before there are children, which would each load them again."""
    with redirect_stdout(io.StringIO()):
        twin = str(folder / "warm.twin")
        main(["--source", plan["source"], "--twin", twin, "status"])
        for words in (*plan.get("first", ()), plan["killed"]):
            main(["--twin", twin, *words])


def every_point(folder: Path, plan: dict[str, Any]) -> None:
    warm(folder, plan)
    point, killed = 0, -signal.SIGKILL
    while point < 2 or killed == -signal.SIGKILL:
        killed = killed_at(folder, plan, point)
        point += 1


if __name__ == "__main__":
    every_point(Path(sys.argv[1]), json.loads(sys.argv[2]))
