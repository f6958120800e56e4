"""Runs in the agent's folder: is the one writer until `/run/writer.stop` is there."""

import time
from pathlib import Path

from kho_console.config import places
from kho_console.engine.who import who
from kho_console.engine.writer_lock import WriterLock


def main() -> None:
    """Hold the lock."""
    place = places.lock_file()
    assert place is not None
    with WriterLock(place, who()):
        Path("/run/writer.held").touch()
        while not Path("/run/writer.stop").exists():
            time.sleep(0.2)


if __name__ == "__main__":
    main()
