"""The manual, and that what is installed is what the parser says today."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kho_console.cli.completion import script
from kho_console.cli.grammar import verb_of
from kho_console.cli.man import config_page, page
from kho_console.cli.parser import EXIT_CODES, parser
from kho_console.config.table import SETTINGS
from tests.cli.run import Console

PAGES = {"kho-console.1": page, "kho-console-config.5": config_page}
SHARE = Path(__file__).parents[2] / "kho_console" / "share"
INSTALLED: dict[str, Callable[[], str]] = {
    "man/man1/kho-console.1": page,
    "man/man5/kho-console-config.5": config_page,
    "bash-completion/completions/kho-console": lambda: script("bash"),
    "zsh/site-functions/_kho-console": lambda: script("zsh"),
    "fish/vendor_completions.d/kho-console.fish": lambda: script("fish"),
}


def plain(written: str) -> str:
    """A page without its marks."""
    return (
        re.sub(r"\\f.|^\.[A-Z]+ ?|\\&", "", written, flags=re.M)
        .replace("\\-", "-")
        .replace("\\(aq", "'")
    )


@pytest.mark.parametrize("name", INSTALLED)
def test_what_is_installed_is_up_to_date(name: str) -> None:
    assert (SHARE / name).read_text() == INSTALLED[name](), "run `make share`"


def test_nothing_else_is_installed() -> None:
    found = {str(path.relative_to(SHARE)) for path in SHARE.rglob("*") if path.is_file()}
    assert found == set(INSTALLED)


def test_every_verb_option_and_exit_code_is_explained() -> None:
    written = plain(page())
    for verb in verb_of(parser()).all():
        heading = " ".join(verb.words)
        assert not heading or re.search(rf"^{heading}( \S.*)?\n[A-Z]", written, re.M), heading
        for option in verb.options:
            assert all(flag in written for flag in option.flags)
    assert all(f"{code}\n{about[:1].upper()}" in written for code, about in EXIT_CODES.items())


def test_every_setting_is_explained() -> None:
    written = plain(config_page())
    for setting in SETTINGS:
        assert f"\n{setting.name}\n" in written
        assert f"values: {setting.expected}; default: " in written
        assert setting.variable in written


@pytest.mark.parametrize("name", PAGES)
def test_groff_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    path = tmp_path / name
    path.write_text(PAGES[name]())
    done = subprocess.run(
        [groff, "-man", "-Tascii", "-ww", "-rLL=72n", path],
        env={**os.environ, "GROFF_NO_SGR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = re.sub(".\b", "", done.stdout)
    assert re.search(r"^SYNOPSIS|^SETTINGS", shown, re.M)
    assert "\\" not in shown


def test_the_verb_prints_them(console: Console) -> None:
    assert console("man").out == page()
    assert console("man", "config").out == config_page()
