"""Answers to the questions of a runbook."""

from pathlib import Path

from kho_console.model.change import SIMULATED
from kho_console.model.runbook import AnswerKind, Question


def wrong_answer(question: Question, word: str) -> str | None:
    """Why a word is no answer to a question; None where it is one."""
    if not word and question.default == "":
        return None
    match question.kind:
        case AnswerKind.TEXT if not word.strip() or not word.isprintable():
            return "expected words on one line"
        case AnswerKind.NUMBER if not (word.isascii() and word.isdecimal()):
            return "expected a number"
        case AnswerKind.YES_NO if word not in ("yes", "no"):
            return "expected yes or no"
        case AnswerKind.CHOICE if word not in question.choices:
            return f"expected one of {', '.join(question.choices)}"
        case AnswerKind.FILE if not word.startswith(SIMULATED) and not Path(word).is_file():
            return "there is no such file" if word else "expected a file"
    return None
