"""Completion for fish."""

from collections.abc import Iterator

from kho_console.cli.grammar import FILE, SOURCE, Option, Verb
from kho_console.cli.shells import path, valued

_HEAD = r"""# Completion of kho-console in fish, as `kho-console completion fish` prints it.

# Whether the words so far lead to the verb $argv[1], and to argument $argv[2] of it if that is set.
function __kho_console_at
    set -l path
    set -l at 0
    set -l value
    for word in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value[1]
            continue
        end
        switch "$path:$word"
            case {valued}
                set value $word
            case '*:-*'
            case {paths}
                set path "$path/$word"
                set at 0
            case '*'
                set at (math $at + 1)
        end
    end
    test "$path" = "$argv[1]"; and begin
        not set -q argv[2]; or test $at -eq $argv[2]
    end
end

complete -c kho-console -f
"""


def script(whole: Verb) -> str:
    """The script."""
    values = (
        _quoted(f"{place}:{flag}")
        for places in valued(whole).values()
        for place, option in places
        for flag in option.flags
    )
    paths = (_quoted(":".join(path(verb).rpartition("/")[::2])) for verb in whole.all())
    head = _HEAD.replace("{valued}", " ".join(values))
    head = head.replace("{paths}", " ".join(name for name in paths if name != "':'"))
    return "".join([head, *_lines(whole)])


def _lines(whole: Verb) -> Iterator[str]:
    everywhere = {option.flags for option in whole.options}
    for verb in whole.all():
        for option in verb.options:
            if not verb.words:
                yield from _option(option, "")
            elif option.flags not in everywhere:
                yield from _option(option, _at(verb))
        for below in verb.verbs:
            words = f"-a {below.words[-1]} -d {_quoted(below.about)}"
            yield f"complete -c kho-console{_at(verb, 0)} {words}\n"
        for at, argument in enumerate(verb.arguments):
            if argument.completes or argument.words:
                yield f"complete -c kho-console{_at(verb, at)} {_values(argument)}\n"


def _option(option: Option, at: str) -> Iterator[str]:
    for flag in option.flags:
        name = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
        values = f" {_values(option)}" if option.value else ""
        yield f"complete -c kho-console{at} {name}{values} -d {_quoted(option.about)}\n"


def _at(verb: Verb, argument: int | None = None) -> str:
    number = "" if argument is None else f" {argument}"
    return " -n " + _quoted(f'__kho_console_at "{path(verb)}"{number}')


def _values(option: Option) -> str:
    if option.completes == FILE:
        return "-r -F"
    if option.completes == SOURCE:
        return "-x -a '(kho-console completion sources; __fish_complete_directories)'"
    return f"-x -a {_quoted(' '.join(option.words))}" if option.words else "-x"


def _quoted(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"
