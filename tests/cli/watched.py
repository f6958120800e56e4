"""Run as a program: `watch` with the words given, on a recording that says it is a live machine.

Events come once it looks: a DIMM of four blocks, then a CPU that goes, and comes back after four
numbers that nobody heard.
"""

import signal
import sys

from kho_console.cli import main
from kho_console.model.event import Event
from kho_console.source.protocol import SMALL_FILE
from tests.pilot.machines import EACH_LOOK, LiveRecording

DIMM = [Event(1.0 + at / 1000, "online", "memory", f"memory{32 + at}", 920 + at) for at in range(4)]
CPU = [
    Event(2.0, "offline", "cpu", "cpu1", 930, follows=929),
    Event(2.1, "online", "cpu", "cpu1", 940, follows=935),
]


class Watched(LiveRecording):
    """Something happens while it is looked at for the first time."""

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        found = super().read(path, limit)
        if path == EACH_LOOK and self.looks == 1:
            self.streams[0].send(*DIMM, *CPU)
        return found


if __name__ == "__main__":
    # Tests that a shell runs in the background have it ignored, and hand that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    setattr(main, "open_source", lambda word: Watched("linux-7.3.4/hotplugged"))  # noqa: B010
    sys.exit(main.main(["watch", *sys.argv[1:]]))
