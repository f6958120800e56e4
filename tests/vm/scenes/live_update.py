"""Live-update sessions that the scenes hold themselves."""

import json
from typing import Any

from tests.vm.guest import INSIDE, PYTHON, Guest

HELD = {"vm-web": {"4097": 2 << 20, "4098": 64 << 10}, "vm-db": {"8193": 5 << 20}, "empty": {}}
"""Session, token, bytes."""


def hold(guest: Guest) -> Any:
    """Hold them until the kexec; what the holder itself knows of its memory."""
    # From a place of its own: command lines go into fixtures.
    guest.run(
        f"rm -f /run/held.json; ln -sf {PYTHON} /run/python3\n"
        f"cp {INSIDE / 'hold.py'} /run/agent.py\n"
        f"/run/python3 -ISB /run/agent.py '{json.dumps(HELD)}' >/run/hold.log 2>&1 & "
        "echo $! > /run/hold.pid"
    )
    guest.run(
        "until test -e /run/held.json; do "
        "kill -0 $(cat /run/hold.pid) || { cat /run/hold.log >&2; exit 1; }; sleep 0.2; done",
        120,
    )
    return json.loads(guest.read("/run/held.json"))
