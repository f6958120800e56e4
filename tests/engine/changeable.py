"""A recorded machine that takes changes: what it answers is given, what it was asked is kept."""

from collections.abc import Callable
from pathlib import Path

from kho_console.model.change import Change
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SMALL_FILE, SourceError, SourceKind
from tests.recordings import folder

Answer = Callable[["Changeable", Change], None]
"""What happens on a change; raises what the kernel answers."""


class Changeable(FixtureSource):
    """A recording with files on top of it, None for one that is gone."""

    kind = SourceKind.LIVE

    def __init__(self, name: str | Path, answer: Answer = lambda machine, change: None) -> None:
        super().__init__(name if isinstance(name, Path) else folder(name))
        self.files: dict[str, str | None] = {}
        self.log = ""
        self.boot = "boot-1"
        self.asked: list[Change] = []
        self.forbidden: Unknown | None = None
        self._answer = answer

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        if path not in self.files:
            return super().read(path, limit)
        content = self.files[path]
        if content is None:
            raise SourceError(path, Unknown(Cause.ABSENT, f"{path} is not there"), 2)
        return content.encode()

    def exists(self, path: str) -> Maybe[bool]:
        if path in self.files:
            return self.files[path] is not None
        return super().exists(path)

    def kernel_log(self) -> Maybe[str]:
        recorded = super().kernel_log()
        return (recorded if isinstance(recorded, str) else "") + self.log

    @property
    def kernel_start(self) -> str:
        return self.boot

    def change(self, change: Change) -> None:
        self.asked.append(change)
        self._answer(self, change)

    def refusal(self, change: Change) -> Unknown | None:
        return self.forbidden


def refuse(number: int, path: str = "/sys/kernel/debug/kho/out/finalize", log: str = "") -> Answer:
    """A kernel that refuses everything."""

    def answer(machine: Changeable, change: Change) -> None:
        machine.log = log
        raise SourceError.from_errno(path, number)

    return answer


def put(path: str, value: str | None) -> Answer:
    """A kernel that takes it: a file reads so from then on."""

    def answer(machine: Changeable, change: Change) -> None:
        machine.files[path] = value

    return answer
