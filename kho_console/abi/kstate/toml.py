"""Descriptions out of a TOML file.

A file says `version = "v1"` and has a `[[description]]` for each description with a
`[[description.field]]` for each field; `flags` are the kernel's without `KS_`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from kho_console.abi.error import FormatError
from kho_console.abi.kstate.description import (
    KS,
    POINTER_SIZE,
    BaseType,
    Custom,
    Description,
    Field,
    Registry,
    base_type,
)
from kho_console.model.kstate import KstateVersion
from kho_console.toml_lines import KeyPath, key_lines, loads

T = TypeVar("T")

_INT = 1 << 31
_MOST = 1 << 16
"""Elements of a field with a fixed count, at most."""

_LAST = -1
"""`KSTATE_LAST_ID`, by which a stream without sections ends."""


class _Wrong(ValueError):
    """What a file says and must not; `path` leads to it."""

    def __init__(self, said: str, *path: str | int) -> None:
        super().__init__(said)
        self.path: KeyPath = path


def parse(text: str) -> Registry:
    """The descriptions of a file.

    Raises:
        FormatError: It is no TOML, or says something that makes no description; the words name
            the line.
    """
    try:
        keys = loads(text)
    except ValueError as error:
        raise FormatError(0, f"no TOML: {error}") from error
    try:
        version = _version(keys)
        found = _each(keys, "description", partial(_description, version))
        _nothing_left(keys, "the file")
        return Registry(version, found)
    except _Wrong as error:
        raise FormatError(0, f"line {_line(text, error.path)}: {error}") from error
    except ValueError as error:
        raise FormatError(0, str(error)) from error


def _line(text: str, path: KeyPath) -> int:
    """The line of a key, or of the table that it is missing in."""
    lines = key_lines(text)
    known = (path[:length] for length in range(len(path), 0, -1) if path[:length] in lines)
    return lines.get(next(known, ()), 1)


def _version(keys: dict[str, Any]) -> KstateVersion:
    found: str = _taken(keys, "version", str)
    if found not in list(KstateVersion):
        raise _Wrong(f"version is {found!r:.50}: {', '.join(KstateVersion)}", "version")
    return KstateVersion(found)


def _each(keys: dict[str, Any], key: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Each table of an array; where one is wrong, the way to it is put before what is."""
    found: list[T] = []
    for at, item in enumerate(_taken(keys, key, list, [])):
        try:
            found.append(read(item))
        except ValueError as error:
            below = error.path if isinstance(error, _Wrong) else ()
            raise _Wrong(str(error), key, at, *below) from error
    return tuple(found)


def _description(version: KstateVersion, keys: object) -> Description:
    keys = _table(keys, "description")
    name: str = _taken(keys, "name", str)
    try:
        found = Description(
            name=name,
            id=_int(_taken(keys, "id", int)),
            version_id=_int(_taken(keys, "version", int, 0)),
            fields=_each(keys, "field", partial(_field, version)),
            min_version_id=_int(_taken(keys, "min_version", int, 0)),
            subsections=tuple(map(_int, _taken(keys, "subsections", list, []))),
        )
        _nothing_left(keys, "a description")
        _distinct(found)
    except _Wrong as error:
        raise _Wrong(f"{name}: {error}", *error.path) from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if found.id == _LAST and not version.has_sections:
        raise _Wrong(f"{name}: id {_LAST} is the end mark of a stream", "id")
    return found


def _distinct(found: Description) -> None:
    """That no value hides another one of its name.

    Raises:
        ValueError: One does.
    """
    names: set[str] = set()
    for at, field in enumerate(found.fields):
        if KS.DEPRECATED in field.flags or field.custom is Custom.NOTHING:
            continue
        if field.name in names:
            raise _Wrong(f"two fields are called {field.name}", "field", at, "name")
        names.add(field.name)


def _field(version: KstateVersion, keys: object) -> Field:
    keys = _table(keys, "field")
    name: str = _taken(keys, "name", str)
    words: list[str] = _taken(keys, "flags", list, [])
    kind = _taken(keys, "type", str, "")
    ksd = _taken(keys, "struct", int, None)
    custom = _taken(keys, "custom", str, "")
    flags = _flags(name, words, version)
    # An array of pointers to nothing that is described writes nothing.
    nothing = flags == KS.ARRAY_OF_POINTER and not (kind or custom) and ksd is None
    if not nothing and not flags & (KS.STRUCT | KS.CUSTOM | KS.BASE_TYPE | KS.ADDRESS | KS.END):
        flags |= KS.CUSTOM if custom else KS.STRUCT if ksd is not None else KS.BASE_TYPE
    if custom and custom not in list(Custom):
        raise _Wrong(f"{name}: custom is {custom!r:.50}: {', '.join(Custom)}", "custom")
    found = Field(
        name=name,
        flags=flags,
        type=_type(kind) if kind else None,
        ksd=None if ksd is None else _int(ksd),
        count=_count(keys.pop("count", None)),
        custom=Custom(custom) if custom else None,
        version_id=_int(_taken(keys, "version", int, 0)),
    )
    _nothing_left(keys, name)
    _complete(found)
    return found


def _flags(name: str, words: list[str], version: KstateVersion) -> KS:
    """Flags by the words that the series has for them."""
    known = dict(KS.__members__)
    if version is KstateVersion.V1:
        known["SIMPLE"] = KS.BASE_TYPE
        del known["ADDRESS"]
    if not version.has_sections:
        del known["DEPRECATED"]
    flags = KS(0)
    for word in words:
        if not isinstance(word, str) or word not in known:
            said = f"{name}: {word!r:.50} is no flag of {version}: {', '.join(known)}"
            raise _Wrong(said, "flags")
        flags |= known[word]
    return flags


def _type(word: str) -> BaseType:
    try:
        return base_type(word)
    except ValueError as error:
        raise _Wrong(str(error), "type") from error


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
        raise _Wrong(f"a count is a name or a number up to {_MOST}, not {value!r:.50}", "count")
    return value


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a table, not {value!r:.50}")
    return value


_REQUIRED = object()


def _taken(keys: dict[str, Any], key: str, kind: Callable[..., T], default: Any = _REQUIRED) -> Any:
    value = keys.pop(key, default)
    if value is _REQUIRED:
        raise _Wrong(f"no {key}", key)
    if value is not default and type(value) is not kind:
        raise _Wrong(f"{key} is {value!r:.50}", key)
    return value


def _int(value: object) -> int:
    if type(value) is not int or not -_INT <= value < _INT:
        raise ValueError(f"{value!r:.50} is no number of 32 bits")
    return value


def _nothing_left(keys: dict[str, Any], where: str) -> None:
    if keys:
        key = next(iter(keys))
        raise _Wrong(f"{where} has an unknown key {key!r:.50}", key)
