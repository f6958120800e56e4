"""The verb `man`: the manual, made from the parser and the table of settings."""

from argparse import Namespace
from collections.abc import Iterator

from kho_console import __version__
from kho_console.cli import exit_code, output, parser
from kho_console.cli.grammar import Option, Verb, verb_of
from kho_console.config.load import NO_CONFIG
from kho_console.config.places import MACHINE
from kho_console.config.settings import Settings
from kho_console.config.table import KEYS, SETTINGS, Setting

_SOURCES = """Without an option the console looks at this machine.
A source is \\fBlive\\fR for this machine, the path of a fixture folder, or the name of a recording
that comes with the console, such as \\fBlinux\\-7.3.4/ready\\fR;
\\fBkho\\-console completion sources\\fR lists these.
"""

_ENVIRONMENT = (
    (NO_CONFIG, "anything but nothing: leave the files of settings alone"),
    ("XDG_CONFIG_HOME", "where kho-console/config.toml of the user is, in place of ~/.config"),
    ("XDG_STATE_HOME", "where pictures, exports and the log go, in place of ~/.local/state"),
)

_EXAMPLE = """theme = "light"
interval = 5
log = true

[keys]
quit = "Q"
filter = ["slash", "ctrl+f"]
"""


def man(wanted: Namespace) -> int:
    """Print a page in the form that `man -l -` reads."""
    output.write(config_page() if wanted.page == "config" else page())
    return exit_code.DONE


def page() -> str:
    """kho-console(1)."""
    whole = verb_of(parser.parser())
    return "".join(
        [
            *_head("1", "kho-console", "see and explain a Linux Kexec HandOver"),
            ".SH SYNOPSIS\n.B kho\\-console\n",
            "[\\fIOPTION\\fR]... [\\fIVERB\\fR [\\fIOPTION\\fR]...]\n",
            f".SH DESCRIPTION\n{_plain(whole.about)}\n",
            *_section("OPTIONS", map(_option, whole.own)),
            "A source, and settings from \\fB\\-\\-theme\\fR on, may also stand behind a verb.\n",
            f".SH SOURCES\n{_SOURCES}",
            ".SH VERBS\n",
            *(piece for verb in list(whole.all())[1:] for piece in _verb(verb, whole)),
            *_section("EXIT STATUS", map(_named, parser.EXIT_CODES.items())),
            *_section("ENVIRONMENT", map(_named, _variables())),
            *_section("FILES", map(_named, _files())),
            ".SH SEE ALSO\n.BR kho\\-console\\-config (5)\n",
        ]
    )


def config_page() -> str:
    """kho-console-config(5)."""
    return "".join(
        [
            *_head("5", "kho-console-config", "settings of kho-console"),
            ".SH DESCRIPTION\nThe settings of\n.BR kho\\-console (1)\nare files of TOML. ",
            "Those of the user go before those of the machine, an environment variable goes ",
            "before both, and an option before all. An unknown key or a wrong value is an error ",
            "that names its line; \\fB\\-\\-no\\-config\\fR goes on without the files, and ",
            "\\fBkho\\-console config check\\fR tells all that is wrong.\n",
            *_section("SETTINGS", map(_setting, SETTINGS)),
            f".SH KEYS\nThe table \\fB[{KEYS}]\\fR gives a command other keys in place of all ",
            "that it has: a key or a list of keys, by the id of the command. ",
            "\\fBkho\\-console config keys\\fR lists ids and keys. ",
            "A key is a character or a name such as \\fBslash\\fR, \\fBf5\\fR, \\fBpageup\\fR, ",
            "\\fBctrl+f\\fR. One key for two commands of a screen is refused, and so is to leave ",
            "no way out, to the help or to the palette.\n",
            f".SH EXAMPLE\n.nf\n{_plain(_EXAMPLE)}.fi\n",
            *_section("FILES", map(_named, _files())),
            ".SH SEE ALSO\n.BR kho\\-console (1)\n",
        ]
    )


def _head(section: str, name: str, about: str) -> Iterator[str]:
    source = f'"kho\\-console {_plain(__version__)}"'
    yield f'.TH "{_plain(name.upper())}" "{section}" "" {source}\n'
    # Nothing is hyphenated, and lines end where words do: names stay whole.
    yield f".nh\n.ad l\n.SH NAME\n{_plain(name)} \\- {_plain(about)}\n"


def _section(title: str, items: Iterator[str]) -> Iterator[str]:
    yield f".SH {title}\n"
    yield from items
    yield ".PP\n"


def _verb(verb: Verb, whole: Verb) -> Iterator[str]:
    """A verb with what it has beyond the whole command line."""
    yield f".SS {_plain(' '.join((*verb.words, *map(_usage, verb.arguments))))}\n"
    yield f"{_plain(_sentence(verb.about))}\n"
    yield from (_item(f"\\fI{_plain(item.value)}\\fR", item.about) for item in verb.arguments)
    known = {item.flags for item in whole.own}
    yield from map(_option, (item for item in verb.own if item.flags not in known))


def _usage(argument: Option) -> str:
    return argument.value if argument.needed else f"[{argument.value}]"


def _option(option: Option) -> str:
    value = f" \\fI{_plain(option.value)}\\fR" if option.value else ""
    return _item(", ".join(f"\\fB{_plain(flag)}\\fR{value}" for flag in option.flags), option.about)


def _setting(setting: Setting) -> str:
    default = getattr(Settings(), setting.name)
    word = str(default).lower() if isinstance(default, bool) else default
    ways = [f"values: {setting.expected}", f"default: {'none' if word is None else word}"]
    if setting.variable:
        ways.append(f"environment: {setting.variable}")
    return _item(f"\\fB{_plain(setting.name)}\\fR", "; ".join((setting.about, *ways)))


def _variables() -> Iterator[tuple[str, str]]:
    for setting in SETTINGS:
        if setting.variable:
            yield setting.variable, f"the setting {setting.name}: {setting.about}"
    yield from _ENVIRONMENT


def _named(found: tuple[object, str]) -> str:
    return _item(f"\\fB{_plain(str(found[0]))}\\fR", found[1])


def _files() -> Iterator[tuple[str, str]]:
    yield "~/.config/kho-console/config.toml", "the settings of the user"
    yield str(MACHINE), "the settings of the machine"
    yield "~/.local/state/kho-console/log", "the log, where one is kept and no file is named"


def _item(head: str, about: str) -> str:
    return f".TP\n{head}\n{_plain(_sentence(about))}\n"


def _sentence(words: str) -> str:
    """The words of a help as a sentence of a manual."""
    words = words[:1].upper() + words[1:]
    return words if words.endswith(".") else f"{words}."


def _plain(words: str) -> str:
    """Words that roff sets as they are."""
    words = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in words.split("\n"))
