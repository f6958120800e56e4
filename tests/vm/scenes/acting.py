"""What the scenes of the actions share: images, what a verb answered, what the journal tells."""

import re
from typing import Any

from tests.vm.guest import Done, Guest
from tests.vm.initramfs import SHARE
from tests.vm.kernels import Kernel, cached

WRITE = ("--write", "--yes-i-mean", "guest")
"""What lets the guest be changed."""

KERNEL, INITRD = f"{SHARE}/bzImage", f"{SHARE}/initrd"
LOADED = "/sys/kernel/kexec_loaded"

CHOSEN_ANEW = re.compile(
    r"\.address$|blocks_by_order|preserved\.ranges$|^incoming\.blobs\[LUO\]|^sessions\.waiting$"
)
"""Keys of `status` whose values the page allocator of a kernel chooses.

From 7.2 on it soon has other uses for the page of `LUO`, and so for the list of what waits.
"""


def image(guest: Guest, kernel: str = KERNEL, initrd: str = INITRD) -> tuple[str, ...]:
    """The options of an image with the command line of this boot."""
    return ("--kernel", kernel, "--initrd", initrd, "--command-line", guest.arguments)


def attempt(guest: Guest, *words: str) -> Any:
    """How the console explains what the kernel says to a change that nobody checked before."""
    return guest.script("attempt.py", *words)


def done(guest: Guest, *arguments: str) -> Any:
    """The document of an action that the kernel took and that was proven."""
    answer = guest.console(*arguments, *WRITE, "--json")
    assert answer.code == 0, answer
    document = answer.json()
    assert document["outcome"]["ending"] == "done"
    assert all(item["expected"] == item["found"] for item in document["outcome"]["found"])
    return document


def refused(guest: Guest, *arguments: str, unprivileged: bool = False) -> Done:
    """What is said when the console itself refuses; the machine is as before."""
    answer = guest.console(*arguments, unprivileged=unprivileged)
    assert answer.code == 4, answer
    return answer


def obstacles(document: Any) -> dict[str, str]:
    """The preconditions that fail, by id, each with what was seen."""
    checks = document["action"]["preconditions"]
    return {item["id"]: item["evidence"] for item in checks if item["result"] == "fail"}


def checks(document: Any) -> dict[str, str]:
    """The answers of a preflight by id."""
    return {item["id"]: item["result"] for item in document["checks"]}


def last(guest: Guest) -> Any:
    """The last action that the journal has."""
    return guest.document("journal")["records"][-1]


def incompatible(kernel: Kernel) -> Kernel | None:
    """A kernel of the rig that does not take what this one hands over."""
    return cached("7.3" if kernel.series <= (6, 18) else "6.18")


def wrong_predictions(predicted: Any, status: Any) -> dict[str, tuple[object, object]]:
    """The values that a dry run promised and the real machine does not show, with what it shows."""
    shown = dict(_leaves(status, ""))
    return {
        item["key"]: (item["after"], shown.get(item["key"]))
        for item in predicted
        if not CHOSEN_ANEW.search(item["key"]) and shown.get(item["key"]) != item["after"]
    }


def _leaves(value: Any, key: str) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        parts = [(f"{key}.{name}" if key else name, item) for name, item in value.items()]
    elif isinstance(value, list):
        parts = [
            (f"{key}[{item.get('name', at) if isinstance(item, dict) else at}]", item)
            for at, item in enumerate(value)
        ]
    else:
        return [(key, value)]
    return [leaf for name, item in parts for leaf in _leaves(item, name)]
