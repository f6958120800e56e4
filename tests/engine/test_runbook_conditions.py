"""What a condition says of a document."""

from typing import Any

import pytest

from kho_console.engine.runbook.conditions import evaluate, parse
from kho_console.model.check import Result

FACTS: dict[str, Any] = {
    "handover": {"state": "finalized", "booted_through_handover": True},
    "kexec": {"loaded": None, "loaded_reason": "not permitted", "crash_size": 4096},
    "sessions": {"held": 2, "waiting": None},
    "outgoing": {"blobs": [{"name": "LUO"}, {"name": "memblock"}]},
    "findings": [{"id": "tree-damaged"}],
    "findings_unseen": {"tree-damaged": "not permitted", "kernel-warning": "no log"},
    "crash": {"coverage": {"missing": []}},
}


@pytest.mark.parametrize(
    ("words", "result"),
    [
        ("handover.state is finalized", Result.PASS),
        ("handover.state is {wanted}", Result.PASS),
        ("handover.state is not finalized", Result.FAIL),
        ("handover.booted_through_handover is true", Result.PASS),
        ("outgoing.blobs has LUO", Result.PASS),
        ("outgoing.blobs lacks LUO", Result.FAIL),
        ("outgoing.blobs at least 2", Result.PASS),
        ("findings lacks tree-damaged", Result.FAIL),
        ("findings has tree-damaged", Result.PASS),
        ("findings lacks blob-invalid", Result.PASS),
        ("findings lacks kernel-warning", Result.UNKNOWN),
        ("findings has kernel-warning", Result.UNKNOWN),
        ("findings at most 1", Result.UNKNOWN),
        ("findings at least 1", Result.PASS),
        ("sessions.held at least 3", Result.FAIL),
        ("sessions.held at most 2", Result.PASS),
        ("crash.coverage.missing is empty", Result.PASS),
        ("kexec.loaded is false", Result.UNKNOWN),
        ("kexec.loaded is not true", Result.UNKNOWN),
        ("kexec.nothing is true", Result.UNKNOWN),
        ("handover.state has x", Result.UNKNOWN),
        ("handover.booted_through_handover at least 1", Result.UNKNOWN),
        ("handover.state.deeper is x", Result.UNKNOWN),
    ],
)
def test_what_holds(words: str, result: Result) -> None:
    (check,) = evaluate([parse(words)], FACTS, {"wanted": "finalized"})
    assert check.result is result
    assert check.evidence


def test_what_is_not_known_is_said() -> None:
    (check,) = evaluate([parse("kexec.loaded is true")], FACTS, {})
    assert check.evidence == "not permitted"


@pytest.mark.parametrize(
    "words", ["", "kexec.loaded", "kexec.loaded is", "sessions.held at least many", "x is y"]
)
def test_what_is_no_condition(words: str) -> None:
    with pytest.raises(ValueError, match=r"expected|wants|no subject"):
        parse(words)
