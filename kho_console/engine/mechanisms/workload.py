"""Workloads out of TOML files: `[[range]]`, `[[object]]` and `[[records]]`."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from kho_console import resources
from kho_console.abi.error import FormatError
from kho_console.abi.memparse import memparse
from kho_console.model.workload import Workload, WorkloadObject, WorkloadRange, WorkloadRecords
from kho_console.source.regular import read_regular

T = TypeVar("T")

PAGE = 4096
SMALLEST_RECORD = 16
_LARGEST_RECORD = 4096
_LARGEST_ORDER = 10
_MOST_BYTES = 4 << 30
_MOST_PAGES = 1 << 16
_MOST_RECORDS = 1 << 16
_MOST_STATE = 1 << 20
_MOST_PARTS = 64
_LARGEST_FILE = 1 << 16

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9,._+-]{0,30}")
"""What a node of a device tree may be called; trees, files and nodes of PKRAM take it all."""


def shipped() -> tuple[str, ...]:
    """The names of the workloads that come with the console."""
    return resources.workloads()


def workload(word: str) -> Workload:
    """A shipped workload by its name, or one in a file.

    Raises:
        FormatError: The file describes none.
        SourceError: It cannot be read.
    """
    found = resources.workload(word) if word in resources.workloads() else None
    if found is None:
        content = read_regular(str(Path(word).absolute()), word, _LARGEST_FILE)
        found = content.decode("utf-8", "replace")
    return parse(found)


def parse(text: str) -> Workload:
    """The workload of a file.

    Raises:
        FormatError: It is no TOML, or describes none.
    """
    try:
        keys = tomllib.loads(text)
        found = Workload(
            name=_text(keys, "name"),
            about=_text(keys, "about"),
            ranges=tuple(map(_range, _tables(keys, "range"))),
            objects=tuple(map(_object, _tables(keys, "object"))),
            records=tuple(map(_records, _tables(keys, "records"))),
        )
        _nothing_left(keys)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(0, f"no TOML: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(0, str(error) or "nested too deeply") from error
    _refuse_twice(found)
    _refuse_endless(found)
    return found


def _refuse_twice(found: Workload) -> None:
    """Refuse two parts of one name, which no mechanism carries, and a workload without parts.

    Raises:
        FormatError: It is so.
    """
    names = [item.name for item in found.ranges] + [item.name for item in found.objects]
    names += [item.name for item in found.records]
    for name in names:
        if names.count(name) > 1:
            raise FormatError(0, f"two parts are called {name}")
    if not names:
        raise FormatError(0, "nothing to carry: no [[range]], no [[object]], no [[records]]")


def _refuse_endless(found: Workload) -> None:
    """Refuse what would be simulated for minutes.

    Raises:
        FormatError: It is too much.
    """
    total = sum(item.size for item in found.ranges) + sum(item.size for item in found.objects)
    if total > _MOST_BYTES:
        raise FormatError(0, f"more than {_MOST_BYTES >> 30} GiB: it is all simulated")
    pages = sum(item.size // (PAGE << item.order) for item in found.objects)
    if pages > _MOST_PAGES:
        raise FormatError(0, f"more than {_MOST_PAGES} pages of files: it is all simulated")
    if sum(item.count * item.size for item in found.records) > _MOST_STATE:
        raise FormatError(0, f"more than {_MOST_STATE >> 20} MiB of records: it is all simulated")


def _range(keys: dict[str, Any]) -> WorkloadRange:
    return _whole(keys, WorkloadRange(_name(keys), _size(keys, PAGE)))


def _object(keys: dict[str, Any]) -> WorkloadObject:
    order = _number(keys, "order", 0, _LARGEST_ORDER, 0)
    return _whole(keys, WorkloadObject(_name(keys), _size(keys, PAGE << order), order))


def _records(keys: dict[str, Any]) -> WorkloadRecords:
    count = _number(keys, "count", 1, _MOST_RECORDS)
    size = _number(keys, "size", SMALLEST_RECORD, _LARGEST_RECORD)
    return _whole(keys, WorkloadRecords(_name(keys), count, size))


def _whole(keys: Mapping[str, Any], found: T) -> T:
    _nothing_left(keys)
    return found


def _nothing_left(keys: Mapping[str, Any]) -> None:
    if keys:
        raise ValueError(f"{', '.join(sorted(keys))!r:.60} means nothing here")


def _tables(keys: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = keys.pop(name, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError(f"{name} must be tables: [[{name}]]")
    if len(found) > _MOST_PARTS:
        raise ValueError(f"more than {_MOST_PARTS} of {name}")
    return found


def _text(keys: dict[str, Any], name: str) -> str:
    found = keys.pop(name, None)
    if not isinstance(found, str) or not 0 < len(found) <= 200:
        raise ValueError(f"{name} must be text of up to 200 characters")
    return found


def _name(keys: dict[str, Any]) -> str:
    found = keys.pop("name", None)
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise ValueError(f"name is {found!r:.40}: up to 31 letters, digits or , . _ + - are wanted")
    return found


def _size(keys: dict[str, Any], unit: int) -> int:
    found = keys.pop("size", None)
    raw = str(found).encode() if isinstance(found, str | int) else b""
    size, length = memparse(raw)
    if not length or length != len(raw) or not size or size % unit:
        raise ValueError(f"size is {found!r:.40}: a multiple of {unit} bytes is wanted")
    return size


def _number(
    keys: dict[str, Any], name: str, low: int, high: int, default: int | None = None
) -> int:
    found = keys.pop(name, default)
    if type(found) is not int or not low <= found <= high:
        raise ValueError(f"{name} is {found!r:.40}, no number from {low} to {high}")
    return found
