"""A value that could not be had, and why."""

from enum import StrEnum
from typing import TypeAlias, TypeVar

from kho_console.model.value import dataclass

T = TypeVar("T")


class Cause(StrEnum):
    """The kinds of not knowing, each with the word that faces show."""

    ABSENT = "absent"
    NOT_YET = "not yet"
    NOT_PERMITTED = "not permitted"
    NOT_RECORDED = "not recorded"
    RELEASED = "released by the kernel"
    TRUNCATED = "truncated"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    LATE = "late"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Unknown:
    """The place of a value that is not known.

    Attributes:
        cause: The kind of not knowing.
        reason: One phrase that says why, for an operator.
        offset: Byte offset of the fault where the cause is damaged data.
    """

    cause: Cause
    reason: str
    offset: int | None = None


Maybe: TypeAlias = T | Unknown
