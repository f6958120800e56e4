"""Descriptions out of a TOML file.

A file says `version = "v1"` and has a `[[description]]` for each description with a
`[[description.field]]` for each field; `flags` are the kernel's without `KS_`.
"""

import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

from kho_console.abi.error import FormatError
from kho_console.abi.kstate.description import (
    KS,
    POINTER_SIZE,
    Custom,
    Description,
    Field,
    Registry,
    base_type,
)
from kho_console.model.kstate import KstateVersion

T = TypeVar("T")

_INT = 1 << 31
_MOST = 1 << 16
"""Elements of a field with a fixed count, at most."""


def parse(text: str) -> Registry:
    """The descriptions of a file.

    Raises:
        FormatError: It is no TOML, or says something that makes no description.
    """
    try:
        keys = tomllib.loads(text)
        version = KstateVersion(_taken(keys, "version", str, ""))
        found = tuple(map(_description, _taken(keys, "description", list, [])))
        _nothing_left(keys, "the file")
        return Registry(version, found)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(0, f"no TOML: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(0, str(error) or "nested too deeply") from error


def _description(keys: object) -> Description:
    keys = _table(keys, "description")
    name: str = _taken(keys, "name", str)
    try:
        found = Description(
            name=name,
            id=_int(_taken(keys, "id", int)),
            version_id=_int(_taken(keys, "version", int, 0)),
            fields=tuple(map(_field, _taken(keys, "field", list, []))),
            min_version_id=_int(_taken(keys, "min_version", int, 0)),
            subsections=tuple(map(_int, _taken(keys, "subsections", list, []))),
        )
        _nothing_left(keys, "a description")
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return found


def _field(keys: object) -> Field:
    keys = _table(keys, "field")
    name: str = _taken(keys, "name", str)
    words: list[str] = _taken(keys, "flags", list, [])
    kind = _taken(keys, "type", str, "")
    ksd = _taken(keys, "struct", int, None)
    custom = _taken(keys, "custom", str, "")
    flags = KS(0)
    for word in words:
        if word not in KS.__members__:
            raise ValueError(f"{name}: {word!r} is no flag: {', '.join(KS.__members__)}")
        flags |= KS[word]
    # An array of pointers to nothing that is described writes nothing.
    nothing = flags == KS.ARRAY_OF_POINTER and not (kind or custom) and ksd is None
    if not nothing and not flags & (KS.STRUCT | KS.CUSTOM | KS.BASE_TYPE | KS.ADDRESS | KS.END):
        flags |= KS.CUSTOM if custom else KS.STRUCT if ksd is not None else KS.BASE_TYPE
    found = Field(
        name=name,
        flags=flags,
        type=base_type(kind) if kind else None,
        ksd=None if ksd is None else _int(ksd),
        count=_count(keys.pop("count", None)),
        custom=Custom(custom) if custom else None,
        version_id=_int(_taken(keys, "version", int, 0)),
    )
    _nothing_left(keys, name)
    _complete(found)
    return found


def _complete(field: Field) -> None:
    """That a field has what its flags ask for.

    Raises:
        ValueError: It has not.
    """
    needs = {KS.STRUCT: (field.ksd, "struct"), KS.BASE_TYPE: (field.type, "type")}
    for flag, (value, key) in needs.items():
        if flag in field.flags and value is None:
            raise ValueError(f"{field.name}: {flag.name} wants {key}")
    pointers = KS.ARRAY_OF_POINTER in field.flags and not field.flags & (KS.STRUCT | KS.CUSTOM)
    if pointers and field.type is not None and field.type.size != POINTER_SIZE:
        said = f"the kernel goes through its pointers by {field.type.size} bytes"
        raise ValueError(f"{field.name}: {said}, a plain type has to have {POINTER_SIZE}")
    if field.custom is Custom.MARKED and field.ksd is None:
        raise ValueError(f"{field.name}: marked wants struct")


def _count(value: object) -> int | str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise ValueError(f"a count is a name or a number up to {_MOST}, not {value!r:.50}")
    return value


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a table, not {value!r:.50}")
    return value


_REQUIRED = object()


def _taken(keys: dict[str, Any], key: str, kind: Callable[..., T], default: Any = _REQUIRED) -> Any:
    value = keys.pop(key, default)
    if value is _REQUIRED:
        raise ValueError(f"no {key}")
    if value is not default and type(value) is not kind:
        raise ValueError(f"{key} is {value!r:.50}")
    return value


def _int(value: object) -> int:
    if type(value) is not int or not -_INT <= value < _INT:
        raise ValueError(f"{value!r:.50} is no number of 32 bits")
    return value


def _nothing_left(keys: dict[str, Any], where: str) -> None:
    if keys:
        raise ValueError(f"{where} has an unknown key {next(iter(keys))!r:.50}")
