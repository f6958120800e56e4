"""Completion for zsh, in the words of its `_arguments`."""

from collections.abc import Iterator

from kho_console.cli.grammar import FILE, SOURCE, Option, Verb
from kho_console.cli.shells import explained, path

_HEAD = r"""#compdef kho-console
# Completion of kho-console in zsh, as `kho-console completion zsh` prints it.

_kho_console_sources() {
    local -a names
    names=(${(f)"$(_call_program sources kho-console completion sources)"})
    _alternative 'sources:source:compadd -a names' 'folders:folder:_files -/'
}
"""


def script(whole: Verb) -> str:
    """The script."""
    functions = (piece for verb in whole.all() for piece in _function(verb, whole))
    return "".join([_HEAD, *functions, '\n_kho_console "$@"\n'])


def _function(verb: Verb, whole: Verb) -> Iterator[str]:
    yield f"\n{_name(verb)}() {{\n"
    if verb.verbs:
        yield "    local curcontext=$curcontext state line\n    typeset -A opt_args\n"
    specs = [*map(_option, explained(verb, whole)), *map(_argument, verb.arguments)]
    if verb.verbs:
        specs += ["': :->verb'", "'*:: :->below'"]
    yield "    _arguments -s -C"
    yield from (f" \\\n        {spec}" for spec in specs)
    yield "\n"
    if verb.verbs:
        yield from _below(verb)
    yield "}\n"


def _below(verb: Verb) -> Iterator[str]:
    yield "    case $state in\n        verb)\n            local -a verbs\n            verbs=(\n"
    for item in verb.verbs:
        yield f"                '{item.words[-1]}:{_quoted(item.about)}'\n"
    yield "            )\n            _describe verb verbs\n            ;;\n"
    yield "        below)\n            case $words[1] in\n"
    for item in verb.verbs:
        yield f"                {item.words[-1]}) {_name(item)} ;;\n"
    yield "            esac\n            ;;\n    esac\n"


def _option(option: Option) -> str:
    about = f"[{_quoted(option.about)}]"
    value = f":{_quoted(option.value)}:{_values(option)}" if option.value else ""
    equals = "=" if option.value else ""
    if len(option.flags) == 1:
        return f"'{option.flags[0]}{equals}{about}{value}'"
    together = f"({' '.join(option.flags)})"
    flags = ",".join(flag + equals for flag in option.flags)
    return f"'{together}'{{{flags}}}'{about}{value}'"


def _argument(argument: Option) -> str:
    optional = "" if argument.needed else ":"
    return f"':{optional}{_quoted(argument.value)}:{_values(argument)}'"


def _values(option: Option) -> str:
    if option.completes:
        return {FILE: "_files", SOURCE: "_kho_console_sources"}[option.completes]
    return f"({' '.join(option.words)})" if option.words else " "


def _name(verb: Verb) -> str:
    return "_kho_console" + path(verb).replace("/", "__")


def _quoted(words: str) -> str:
    """Words between single quotes, where brackets and colons part what `_arguments` reads."""
    for mark in ("\\", "[", "]", ":"):
        words = words.replace(mark, f"\\{mark}")
    return words.replace("'", "'\\''")
