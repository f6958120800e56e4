"""`hugepages=` and the sizes before it (mm/hugetlb.c, `hugepages_setup`).

A count belongs to the `hugepagesz=` before it, or to the default size where none came before. It
is one number, or NODE:COUNT pairs with commas.
"""

import re
from collections.abc import Iterable, Mapping

from kho_console.abi.command_line import Argument
from kho_console.abi.memparse import memparse

_PAIRS = re.compile(rb"\d{1,9}:\d{1,9}(?:,\d{1,9}:\d{1,9})*")
_COUNT = re.compile(rb"\d{1,9}")


def asked(arguments: Iterable[Argument], default: int) -> Mapping[int, int]:
    """How many pages of each size, in bytes, a command line asks for.

    Args:
        arguments: The command line.
        default: The default size where no `default_hugepagesz=` names one.
    """
    found: dict[int, int] = {}
    size: int | None = None
    early = 0
    for item in arguments:
        if item.value is None:
            continue
        match item.name.replace(b"-", b"_"):
            case b"hugepagesz":
                size = memparse(item.value)[0]
            case b"default_hugepagesz":
                default = size = memparse(item.value)[0]
            case b"hugepages" if size is None:
                early = _number(item.value)
            case b"hugepages" if size is not None:
                found[size] = _number(item.value)
            case _:
                pass
    if early:
        found.setdefault(default, early)
    return found


def _number(value: bytes) -> int:
    if _PAIRS.fullmatch(value):
        return sum(int(pair.partition(b":")[2]) for pair in value.split(b","))
    found = _COUNT.match(value)
    return int(found[0]) if found else 0
