"""The tree of verbs and options as plain values, for the manual and for completion."""

import argparse
from collections.abc import Iterator

from kho_console.model.value import dataclass

FILE, SOURCE = "file", "source"
"""What the shell can complete besides words: a path, or a source."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option, or an argument that stands by itself.

    Attributes:
        flags: How it is written: `--side`; none for an argument.
        value: What its value is called; empty where it takes none.
        words: The values that there are, where these are few.
        completes: `FILE` or `SOURCE` for a value of that kind, else empty.
        about: What it does; empty where a verb only takes it because the whole line does.
        needed: Whether an argument must be there.
    """

    flags: tuple[str, ...]
    value: str
    words: tuple[str, ...]
    completes: str
    about: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb, a verb below it, or the whole command line.

    Attributes:
        words: The words to it; none for the whole command line.
        about: What it does.
        options: Its options.
        arguments: Its arguments.
        verbs: The verbs below it.
    """

    words: tuple[str, ...]
    about: str
    options: tuple[Option, ...]
    arguments: tuple[Option, ...]
    verbs: tuple["Verb", ...]

    def all(self) -> Iterator["Verb"]:
        """It and all below it."""
        yield self
        for verb in self.verbs:
            yield from verb.all()

    @property
    def own(self) -> tuple[Option, ...]:
        """The options that it explains."""
        return tuple(option for option in self.options if option.about)


def verb_of(parser: argparse.ArgumentParser, words: tuple[str, ...] = (), about: str = "") -> Verb:
    """A parser with all below it."""
    options, arguments, verbs = [], [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            verbs = [
                verb_of(below, (*words, name), helps.get(name, ""))
                for name, below in action.choices.items()
            ]
        elif action.option_strings:
            options.append(_option(action))
        else:
            arguments.append(_option(action))
    about = about or parser.description or ""
    return Verb(words, about, tuple(options), tuple(arguments), tuple(verbs))


def _option(action: argparse.Action) -> Option:
    takes = action.nargs != 0
    words = tuple(map(str, action.choices or ()))
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if takes and not words and not metavar:
        metavar = action.dest.upper()
    if takes and not words and "|" in metavar:
        words = tuple(word for word in metavar.split("|") if word.islower())
    return Option(
        flags=tuple(action.option_strings),
        value=(metavar or "|".join(words)) if takes else "",
        words=words,
        completes=_completes(action.dest, metavar) if takes else "",
        about="" if action.help == argparse.SUPPRESS else (action.help or "").replace("%%", "%"),
        needed=not action.option_strings and action.nargs not in ("?", "*"),
    )


def _completes(name: str, metavar: str) -> str:
    if name == "source":
        return SOURCE
    return FILE if any(word in metavar for word in ("FILE", "PATH", "FOLDER")) else ""
