"""Completion of the command line, one module for each shell."""

from dataclasses import replace

from kho_console.cli.grammar import Option, Verb


def valued(whole: Verb) -> dict[str, list[tuple[str, Option]]]:
    """The options that take a value: for each kind of value the places and flags that have it.

    A place is the path of a verb, `/config/show`, or `*` where the whole line takes the option.
    """
    everywhere = {flag for option in whole.options for flag in option.flags}
    found: dict[str, list[tuple[str, Option]]] = {}
    for verb in whole.all():
        for option in verb.options:
            inherited = bool(verb.words) and set(option.flags) <= everywhere
            if option.value and not inherited:
                place = path(verb) if verb.words else "*"
                kind = option.completes or " ".join(option.words)
                found.setdefault(kind, []).append((place, option))
    return found


def path(verb: Verb) -> str:
    """The words to a verb as one: `/config/show`; empty for the whole command line."""
    return "".join(f"/{word}" for word in verb.words)


def explained(verb: Verb, whole: Verb) -> tuple[Option, ...]:
    """The options of a verb, those of the whole line with what that says of them."""
    about = {option.flags: option.about for option in whole.options}
    return tuple(
        option if option.about else replace(option, about=about.get(option.flags, ""))
        for option in verb.options
    )
