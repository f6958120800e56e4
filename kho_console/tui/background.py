"""Work on daemon threads: what takes long, or may never come back, is not done by the screen."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from textual.message_pump import MessagePump

from kho_console import text
from kho_console.tui.lookout import Failure

if TYPE_CHECKING:
    from kho_console.engine.image_files import Watch

T = TypeVar("T")

CALLED_OFF = Failure("called off: nothing was changed")

_log = logging.getLogger(__name__)


def begin(node: MessagePump, task: Callable[[], T], then: Callable[[T | Failure], Any]) -> None:
    """Run `task` on a thread; `node` calls `then` with what comes of it, if it is still there."""

    def work() -> None:
        found: T | Failure
        from kho_console.engine.image_files import CancelledError

        try:
            found = task()
        except CancelledError:
            found = CALLED_OFF
        except Exception as error:  # Whatever it is, the screen must live on and say so.
            _log.exception("%s failed", task)
            found = Failure(f"{type(error).__name__}: {error}")
        tell(node, then, found)

    threading.Thread(target=work, name="kho-task", daemon=True).start()


def tell(node: MessagePump, call: Callable[..., Any], *values: object) -> None:
    """Let a node call something soon, from a thread; one that has gone hears nothing."""
    with suppress(RuntimeError):
        node.call_later(call, *values)


class Reading:
    """How far the reading of large files is; it can be called off."""

    def __init__(self, node: MessagePump, show: Callable[[str], Any]) -> None:
        """Let `node` call `show` with words, at most once for each percent."""
        self._node = node
        self._show = show
        self._said = ""
        self._off = threading.Event()

    @property
    def watch(self) -> "Watch":
        """What the reading is given."""
        from kho_console.engine.image_files import Watch

        return Watch(self._progress, self._off.is_set)

    def call_off(self) -> None:
        """Let it end as soon as it can."""
        self._off.set()

    def _progress(self, path: str, done: int, size: int) -> None:
        percent = min(100 * done // size, 100) if size else 100
        words = f"reading {text.escaped(path)}: {percent} % of {text.size(size)}"
        if words != self._said:
            self._said = words
            tell(self._node, self._show, words)
