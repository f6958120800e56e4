"""Small kernel files as values, or as the reason why there is none."""

import os
from collections.abc import Callable
from typing import TypeVar

from kho_console.abi.error import FormatError
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import SMALL_FILE, Source, SourceError

_SHOWN = 40
"""Bytes of a file that are quoted where it holds no value."""

T = TypeVar("T")


def raw(source: Source, path: str, limit: int = SMALL_FILE) -> Maybe[bytes]:
    """The bytes of a file."""
    try:
        return source.read(path, limit)
    except SourceError as error:
        return error.unknown


def text(source: Source, path: str, limit: int = SMALL_FILE) -> Maybe[str]:
    """A text file without its last newline; bytes that are no UTF-8 stay visible as escapes."""
    content = raw(source, path, limit)
    if isinstance(content, Unknown):
        return content
    return content.decode("utf-8", "backslashreplace").rstrip("\n")


def parsed(
    source: Source, path: str, parse: Callable[[bytes], T], limit: int = SMALL_FILE
) -> Maybe[T]:
    """A file as `parse` reads it; what it refuses is invalid, with the file's name."""
    content = raw(source, path, limit)
    if isinstance(content, Unknown):
        return content
    try:
        return parse(content)
    except FormatError as error:
        return Unknown(Cause.INVALID, f"{path}: {error.reason}", error.offset)
    except ValueError:
        return Unknown(Cause.INVALID, f"{path} holds {_quoted(content)}")


def _quoted(content: bytes) -> str:
    """How a file begins, without its last newline."""
    begin = content.removesuffix(b"\n")[:_SHOWN]
    return f'"{os.fsdecode(begin)}"'


def number(source: Source, path: str, least: int = 0) -> Maybe[int]:
    """A file that holds one decimal number, no smaller than `least`."""

    def parse(content: bytes) -> int:
        value = int(content)
        if value < least:
            raise ValueError(content)
        return value

    return parsed(source, path, parse)


def flag(source: Source, path: str) -> Maybe[bool]:
    """A file that holds 0 or 1."""
    return parsed(source, path, _zero_or_one)


def first_known(*values: Maybe[T]) -> Maybe[T]:
    """The first value that is known; the first reason where none is."""
    return next((value for value in values if not isinstance(value, Unknown)), values[0])


def names(source: Source, path: str) -> Maybe[tuple[str, ...]]:
    """The names in a directory."""
    try:
        return source.list(path)
    except SourceError as error:
        return error.unknown


def stands(source: Source, path: str) -> bool:
    """Whether something is known to stand at `path`."""
    return source.exists(path) is True


def _zero_or_one(content: bytes) -> bool:
    if content.strip() not in (b"0", b"1"):
        raise ValueError(content)
    return content.strip() == b"1"
