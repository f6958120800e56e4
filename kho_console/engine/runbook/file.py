"""A runbook as a TOML file, checked key by key: a fault names the line and the key.

```toml
schema = 1
version = 1
title = "..."
about = "..."
twin-only = false

[[step]]
id = "load"                 # a-z, 0-9 and dashes
what = "..."
why = "..."
action = "load"             # one of: ask, check, preflight, action, record, verify
with = { kernel = "{kernel}" }
when = ["..."]              # conditions; where one is false, the machine has no such step
before = ["..."]            # what must be true before
after = ["..."]             # and after
undo = "unload"             # or "nothing"; for actions
timeout = 30                # seconds in which it must become true
optional = false            # whether it may be skipped
```

`ask` is the kind of an answer, with `default` and, for a choice, `choices`; the answer is known by
the id of the step, and `{ID}` stands for it in later steps. `check` is a list of conditions as
`kho_console.engine.runbook.conditions` has them; `preflight` is true, and takes `with` as the
action `load` does; `record` and `verify` name a recording in the folder of the run.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kho_console.engine.runbook import conditions, subjects
from kho_console.engine.runbook.actions import ARGUMENTS, IMAGE
from kho_console.engine.runbook.answer import wrong_answer
from kho_console.engine.runbook.error import RunbookError
from kho_console.model.runbook import (
    EXECUTE,
    NOTHING,
    AnswerKind,
    Condition,
    Kind,
    Question,
    Runbook,
    Step,
)
from kho_console.source.protocol import SourceError
from kho_console.source.regular import read_regular
from kho_console.toml_lines import KeyPath, key_lines, loads

SCHEMA = 1

_LARGEST = 1 << 17
_TOP = ("schema", "version", "title", "about", "twin-only", "step")
_KINDS = {
    "ask": Kind.QUESTION,
    "check": Kind.CHECK,
    "preflight": Kind.PREFLIGHT,
    "action": Kind.ACTION,
    "record": Kind.RECORD,
    "verify": Kind.VERIFY,
}
_ALL = ("id", "what", "why", "when", "before", "after", "timeout", "optional")
_OF_KIND: Mapping[Kind, tuple[str, ...]] = {
    Kind.QUESTION: ("default", "choices"),
    Kind.PREFLIGHT: ("with",),
    Kind.ACTION: ("with", "undo"),
}
_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_LONGEST_WAIT = 86400
RESERVED = "skip"
"""The key of answers that names no question."""


def read(path: Path) -> Runbook:
    """The runbook in a file.

    Raises:
        RunbookError: It cannot be read, or is not as it must be.
    """
    return parse(content(path), path.stem, str(path))


def content(path: Path) -> str:
    """The text of a file, of an operator's or of somebody else's.

    Raises:
        RunbookError: It cannot be read, is no regular file or a large one, or is no UTF-8.
    """
    name = str(path)
    try:
        raw = read_regular(str(path.absolute()), name, _LARGEST)
    except SourceError as error:
        raise RunbookError(f"{name}: {error.unknown.reason}") from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RunbookError(f"{name}: line {line} is no UTF-8") from error


def parse(text: str, name: str, place: str) -> Runbook:
    """The runbook in a text.

    Args:
        text: The TOML.
        name: Its name.
        place: What a fault calls it.

    Raises:
        RunbookError: It is not as it must be.
    """
    found = document(text, place)
    return _Check(place, key_lines(text)).all(found, name)


def document(text: str, place: str) -> dict[str, Any]:
    """What a text says, before anything in it is checked.

    Raises:
        RunbookError: It is no TOML.
    """
    try:
        return loads(text)
    except ValueError as error:
        at = _PLACE.search(str(error))
        line = at[1] if at else text.rstrip("\n").count("\n") + 1
        said = str(error)[: at.start()] if at else str(error)
        raise RunbookError(f"{place}: line {line}: no TOML: {said}") from error


class _Check:
    """Reads a document, and keeps what is wrong with it."""

    def __init__(self, place: str, lines: Mapping[KeyPath, int]) -> None:
        self._place = place
        self._lines = lines
        self._faults: list[str] = []
        self._asked: list[str] = []

    def all(self, document: Mapping[str, Any], name: str) -> Runbook:
        self._known(document, (), _TOP)
        schema = document.get("schema")
        if schema != SCHEMA or isinstance(schema, bool):
            self._fault(("schema",), f"expected {SCHEMA}, the schema that this console reads")
        version = document.get("version")
        if type(version) is not int or version < 1:
            self._fault(("version",), "expected a number from 1 on")
        title, about = (self._words(document, (), key) for key in ("title", "about"))
        twin_only = self._flag(document, (), "twin-only")
        found = document.get("step")
        if not isinstance(found, list) or not found:
            self._fault(("step",), "expected steps, each below its [[step]]")
            found = []
        steps = tuple(
            step for at, entry in enumerate(found) if (step := self._step(entry, ("step", at)))
        )
        self._whole(steps)
        if self._faults:
            raise RunbookError(*self._faults)
        return Runbook(name, version or 0, title, about, twin_only, steps)

    def _step(self, entry: Any, path: KeyPath) -> Step | None:
        if not isinstance(entry, dict):
            self._fault(path, "expected a table")
            return None
        kinds = [key for key in _KINDS if key in entry]
        if len(kinds) != 1:
            words = ", ".join(_KINDS)
            self._fault(
                path, f"a step is one of {words}, and this is {' and '.join(kinds) or 'none'}"
            )
            return None
        key = kinds[0]
        kind = _KINDS[key]
        self._known(entry, path, (*_ALL, key, *_OF_KIND.get(kind, ())))
        known = self._id(entry, path)
        action = self._one_of(entry, path, "action", ARGUMENTS) if kind is Kind.ACTION else ""
        wanted = ARGUMENTS.get(action, {}) if kind is Kind.ACTION else IMAGE
        takes = kind in (Kind.ACTION, Kind.PREFLIGHT)
        if kind is Kind.PREFLIGHT and entry[key] is not True:
            self._fault((*path, key), "expected true")
        step = Step(
            id=known,
            kind=kind,
            what=self._words(entry, path, "what"),
            why=self._words(entry, path, "why"),
            question=self._question(entry, path) if kind is Kind.QUESTION else None,
            action=action,
            arguments=self._arguments(entry, path, wanted) if takes else (),
            conditions=self._conditions(entry, path, "check") if kind is Kind.CHECK else (),
            file=self._file(entry, path, key) if kind in (Kind.RECORD, Kind.VERIFY) else "",
            when=self._conditions(entry, path, "when"),
            before=self._conditions(entry, path, "before"),
            after=self._conditions(entry, path, "after"),
            undo=self._undo(entry, path, action) if kind is Kind.ACTION else NOTHING,
            timeout=self._timeout(entry, path),
            optional=self._flag(entry, path, "optional"),
        )
        if kind is Kind.QUESTION:
            self._asked.append(known)
        return step

    def _id(self, entry: Mapping[str, Any], path: KeyPath) -> str:
        found = entry.get("id")
        if not isinstance(found, str) or not _ID.fullmatch(found) or found == RESERVED:
            words = f"expected a name of a-z, 0-9 and dashes, other than {RESERVED}"
            self._fault((*path, "id"), words)
            return ""
        return found

    def _question(self, entry: Mapping[str, Any], path: KeyPath) -> Question | None:
        word = self._one_of(entry, path, "ask", tuple(AnswerKind))
        if not word:
            return None
        kind, choices = AnswerKind(word), entry.get("choices", [])
        if not isinstance(choices, list) or not all(isinstance(item, str) for item in choices):
            self._fault((*path, "choices"), "expected a list of words")
            choices = []
        elif bool(choices) != (kind is AnswerKind.CHOICE):
            self._fault((*path, "choices"), "a choice, and nothing else, has choices")
        default = entry.get("default")
        if default is not None and not isinstance(default, str):
            self._fault((*path, "default"), "expected words")
            default = None
        question = Question(kind, default, tuple(choices))
        # A file that is a default need not be there: it is looked for when the step is reached.
        if default is not None and kind is not AnswerKind.FILE:
            wrong = wrong_answer(question, default)
            if wrong is not None:
                self._fault((*path, "default"), wrong)
        return question

    def _arguments(
        self, entry: Mapping[str, Any], path: KeyPath, wanted: Mapping[str, bool]
    ) -> tuple[tuple[str, str], ...]:
        found = entry.get("with", {})
        where = (*path, "with")
        if not isinstance(found, dict) or not all(isinstance(item, str) for item in found.values()):
            self._fault(where, "expected a table of words")
            return ()
        for name in found:
            if name not in wanted:
                words = f"; there are {', '.join(wanted)}" if wanted else ": it takes none"
                self._fault((*where, name), f"unknown argument{words}")
        for name, needed in wanted.items():
            if needed and name not in found:
                self._fault(where, f"{name} is missing")
        for name, value in found.items():
            self._answered(value, (*where, name))
        return tuple(found.items())

    def _conditions(
        self, entry: Mapping[str, Any], path: KeyPath, key: str
    ) -> tuple[Condition, ...]:
        found, where = entry.get(key, []), (*path, key)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self._fault(where, "expected a list of conditions")
            return ()
        if key == "check" and not found:
            self._fault(where, "expected a condition at least")
        parsed = []
        for words in found:
            try:
                condition = conditions.parse(words)
            except ValueError as error:
                self._fault(where, f"{_short(words)}: {error}")
            else:
                parsed.append(condition)
                wrong = subjects.fault(condition)
                if wrong is not None:
                    self._fault(where, f"{_short(words)}: {wrong}")
            self._answered(words, where)
        return tuple(parsed)

    def _answered(self, words: str, path: KeyPath) -> None:
        for name in conditions.answers_in(words):
            if name not in self._asked:
                self._fault(path, f"{{{name}}}: no step before asks for {name}")

    def _undo(self, entry: Mapping[str, Any], path: KeyPath, action: str) -> str:
        if "undo" not in entry:
            self._fault(
                path, f"undo is missing: the action that undoes {action or 'it'}, or {NOTHING}"
            )
            return NOTHING
        undo = self._one_of(entry, path, "undo", (*ARGUMENTS, NOTHING))
        if action == EXECUTE and undo != NOTHING:
            self._fault((*path, "undo"), f"{NOTHING} undoes {action}")
        given = entry.get("with", {})
        for name, needed in ARGUMENTS.get(undo, {}).items():
            if needed and isinstance(given, dict) and name not in given:
                self._fault((*path, "undo"), f"{undo} wants {name}, which is not below with")
        return undo or NOTHING

    def _timeout(self, entry: Mapping[str, Any], path: KeyPath) -> float:
        found = entry.get("timeout", 0)
        if isinstance(found, bool) or not isinstance(found, int | float):
            found = -1
        if not 0 <= found <= _LONGEST_WAIT:
            self._fault((*path, "timeout"), f"expected seconds from 0 to {_LONGEST_WAIT}")
            return 0.0
        return float(found)

    def _file(self, entry: Mapping[str, Any], path: KeyPath, key: str) -> str:
        found = entry.get(key)
        if not isinstance(found, str) or not _ID.fullmatch(found):
            self._fault((*path, key), "expected the name of a recording, of a-z, 0-9 and dashes")
            return ""
        return found

    def _whole(self, steps: tuple[Step, ...]) -> None:
        """What holds of the steps together."""
        seen: set[str] = set()
        recorded: set[str] = set()
        for at, step in enumerate(steps):
            if step.id and step.id in seen:
                self._fault(("step", at, "id"), f"{step.id} is the name of an earlier step")
            seen.add(step.id)
            if step.kind is Kind.RECORD:
                recorded.add(step.file)
            elif step.kind is Kind.VERIFY and step.file not in recorded:
                self._fault(("step", at, "verify"), f"no step before records {step.file}")

    def _words(self, table: Mapping[str, Any], path: KeyPath, key: str) -> str:
        found = table.get(key)
        if not isinstance(found, str) or not found.strip():
            self._fault((*path, key), "expected words" if key in table else "it is missing")
            return ""
        return " ".join(found.split())

    def _flag(self, table: Mapping[str, Any], path: KeyPath, key: str) -> bool:
        found = table.get(key, False)
        if not isinstance(found, bool):
            self._fault((*path, key), "expected true or false")
        return found is True

    def _one_of(
        self, table: Mapping[str, Any], path: KeyPath, key: str, words: Iterable[str]
    ) -> str:
        found = table.get(key)
        if isinstance(found, str) and found in words:
            return found
        self._fault((*path, key), f"expected one of {', '.join(words)}")
        return ""

    def _known(self, table: Mapping[str, Any], path: KeyPath, keys: tuple[str, ...]) -> None:
        for key in table:
            if key not in keys:
                nearest = get_close_matches(key, keys, n=1, cutoff=0.0)
                words = "".join(f"; the nearest is {item}" for item in nearest)
                self._fault((*path, key), f"unknown key{words}")

    def _fault(self, path: KeyPath, words: str) -> None:
        """Note a fault on the line of its key, or of the nearest table around it."""
        known = next(
            (
                self._lines[path[:end]]
                for end in range(len(path), 0, -1)
                if path[:end] in self._lines
            ),
            1,
        )
        key = ".".join(str(part + 1) if isinstance(part, int) else _short(part) for part in path)
        self._faults.append(f"{self._place}: line {known}: {key}: {words}")


def _short(words: str) -> str:
    """Words of a file in a message: short, and of printable ASCII."""
    shown = words if words.isascii() and words.isprintable() else ascii(words)
    return shown if len(shown) <= 60 else shown[:58] + ".."
