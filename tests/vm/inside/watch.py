"""Runs in the guest: `watch.py FILE STOP` writes each event that the console's source hears.

It ends when STOP is there and nothing more came.
"""

import json
import sys
from pathlib import Path

from kho_console.model.event import EventsLost
from kho_console.source.live import LiveSource


def main() -> None:
    """Listen."""
    told, stop = Path(sys.argv[1]), Path(sys.argv[2])
    stream = LiveSource().events()
    with told.open("w", buffering=1) as lines:
        while True:
            stopping = stop.exists()
            events = stream.poll(0.5)
            for event in events:
                heard = (
                    ["lost", event.reason]
                    if isinstance(event, EventsLost)
                    else [event.action, event.device, event.sequence]
                )
                lines.write(json.dumps(heard) + "\n")
            if stopping and not events:
                return


if __name__ == "__main__":
    main()
