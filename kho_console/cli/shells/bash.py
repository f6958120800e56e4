"""Completion for bash, without the package of that name."""

from collections.abc import Iterable, Iterator

from kho_console.cli.grammar import Verb
from kho_console.cli.shells import path, valued

_HEAD = r"""# Completion of kho-console in bash, as `kho-console completion bash` prints it.

_kho_console() {
    local cur word path= value= at=0 kind=
    local -a words=()
    # Bash makes a word of its own of "=".
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    [[ ${COMP_WORDS[COMP_CWORD]} == "=" ]] && words+=("")
    cur=${words[${#words[@]} - 1]}
    for word in "${words[@]:0:${#words[@]} - 1}"; do
        if [[ -n $value ]]; then
            value=
            continue
        fi
        _kho_console_kind "$path" "$word" && value=$word && continue
        [[ $word == -* ]] && continue
        case $path/$word in
"""

_MIDDLE = r"""            *) at=$((at + 1)) ;;
        esac
    done
    if [[ -n $value ]]; then
        _kho_console_kind "$path" "$value"
    elif [[ $cur == -* ]]; then
        _kho_console_options "$path"
    else
        _kho_console_words "$path" "$at"
    fi
    COMPREPLY=()
    case $kind in
        "") ;;
        file)
            compopt -o filenames 2>/dev/null || :
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            ;;
        source)
            compopt -o filenames 2>/dev/null || :
            mapfile -t COMPREPLY < <(
                compgen -W "$("${COMP_WORDS[0]}" completion sources 2>/dev/null)" -- "$cur" || :
                compgen -d -- "$cur"
            )
            ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur") ;;
    esac
}

# Each of these sets `kind` to words, "file" or "source"; the first fails where no value follows.
"""


def script(whole: Verb) -> str:
    """The script."""
    paths = " | ".join(path(verb) for verb in whole.all() if verb.words)
    below = [f"            {paths}) path=$path/$word at=0 ;;\n"]
    return "".join(
        [
            _HEAD,
            *below,
            _MIDDLE,
            *_function("kind", '"$1:$2"', _values(whole), "*) return 1 ;;"),
            "\n",
            *_function("options", '"$1"', _options(whole), "*) kind= ;;"),
            "\n",
            *_function("words", '"$1:$2"', _words(whole), "*) kind= ;;"),
            "\n",
            "complete -F _kho_console kho-console\n",
        ]
    )


def _function(
    name: str, subject: str, cases: Iterable[tuple[str, str]], last: str
) -> Iterator[str]:
    yield f"_kho_console_{name}() {{\n    case {subject} in\n"
    for pattern, kind in cases:
        yield f'        {pattern}) kind="{kind}" ;;\n'
    yield f"        {last}\n    esac\n}}\n"


def _values(whole: Verb) -> Iterator[tuple[str, str]]:
    for kind, places in valued(whole).items():
        flags = [f"{place}:{flag}" for place, option in places for flag in option.flags]
        yield " | ".join(flags), kind


def _options(whole: Verb) -> Iterator[tuple[str, str]]:
    for verb in whole.all():
        flags = (flag for option in verb.options for flag in option.flags)
        yield f'"{path(verb)}"', " ".join(flags)


def _words(whole: Verb) -> Iterator[tuple[str, str]]:
    for verb in whole.all():
        if verb.verbs:
            yield f'"{path(verb)}:0"', " ".join(below.words[-1] for below in verb.verbs)
        for at, argument in enumerate(verb.arguments):
            kind = argument.completes or " ".join(argument.words)
            if kind:
                yield f'"{path(verb)}:{at}"', kind
