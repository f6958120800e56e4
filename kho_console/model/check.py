"""A check: one question about a machine, with its answer and the evidence."""

from enum import StrEnum

from kho_console.model.value import dataclass


class Result(StrEnum):
    """How a check ended."""

    PASS = "pass"
    WARNING = "warning"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer.

    Attributes:
        id: Stable identifier.
        result: The answer.
        text: What was found, in words.
        evidence: What was read where; None where nothing was.
        remedy: What would improve the answer; None where nothing needs to.
    """

    id: str
    result: Result
    text: str
    evidence: str | None = None
    remedy: str | None = None
