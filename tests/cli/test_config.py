"""The verb `config`, and what settings do to the other verbs."""

import stat
from pathlib import Path

import pytest

from kho_console.config import places
from kho_console.config.table import SETTINGS
from tests.cli.run import Console
from tests.cli.test_documents import validate

STATUS = ("--source", "linux-7.3.4/ready", "status")


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a user's settings, in use and not there yet."""
    monkeypatch.delenv("KHO_CONSOLE_NO_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(places, "MACHINE", tmp_path / "machine.toml")
    path = tmp_path / "kho-console" / "config.toml"
    path.parent.mkdir()
    return path


def test_show_names_every_setting_and_where_it_came_from(
    console: Console, user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file.write_text('interval = 5\n\n[keys]\nquit = ["Q", "f10"]\n')
    monkeypatch.setenv("KHO_CONSOLE_THEME", "light")
    answer = console("config", "show", "--origin", "--no-mouse")
    assert answer.code == 0
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in answer.out.splitlines()[1:]}
    assert set(rows) == {setting.name for setting in SETTINGS} | {"keys.quit"}
    assert rows["interval"].split() == ["5.0", f"{user_file}:1"]
    assert rows["keys.quit"].split() == ["Q", "f10", f"{user_file}:4"]
    assert rows["theme"].split() == ["light", "environment", "KHO_CONSOLE_THEME"]
    assert rows["mouse"].split() == ["false", "option", "--no-mouse"]
    assert rows["log"].split() == ["none", "default"]
    document = console("config", "show", "--json", "--no-mouse").document
    validate(document, "settings")
    named = {item["name"]: item for item in document["settings"]}
    assert set(named) == set(rows)
    assert named["interval"]["origin"] == {"layer": "file", "name": str(user_file), "line": 1}
    assert named["mouse"] == {
        "name": "mouse", "value": False, "origin": {"layer": "option", "name": "--no-mouse"},
    }  # fmt: skip
    assert "origin" not in console("config", "show").out


def test_a_broken_file_is_a_usage_error_that_need_not_stop_anyone(
    console: Console, user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file.write_text("intervall = 5")
    fault = f"{user_file}:1: unknown key 'intervall'; the nearest is interval"
    for words in (STATUS, ("config", "show"), ("demo",)):
        answer = console(*words)
        assert (answer.code, answer.out) == (2, "")
        assert fault in answer.err
        assert "--no-config" in answer.err
    assert console("--no-config", *STATUS).code == 0
    assert console(*STATUS, "--no-config").code == 0
    assert console("config", "path").out.splitlines()[1] == f"{user_file}  there"
    assert console("completion", "bash").code == 0
    answer = console("config", "check")
    assert (answer.code, answer.out, answer.err) == (1, f"{fault}\n", "")
    monkeypatch.setenv("KHO_CONSOLE_NO_CONFIG", "1")
    assert console(*STATUS).code == 0


def test_check_looks_at_the_keys_too(console: Console, user_file: Path) -> None:
    assert console("config", "check").code == 0
    user_file.write_text('[keys]\nquit = "Q"\nrefres = "R"\nfilter = "g"\n')
    for words, name in (((), user_file), ((str(user_file),), user_file)):
        answer = console("config", "check", *words)
        assert answer.code == 1
        assert f"{name}:3: keys.refres: no such command; the nearest is refresh\n" in answer.out
        assert f"{name}:4: keys.filter: " in answer.out
        assert len(answer.out.splitlines()) == 2
    answer = console("demo")
    assert answer.code == 2
    assert f"{user_file}:3: keys.refres" in answer.err
    assert console(*STATUS).code == 0
    assert console("config", "check", str(user_file.parent / "none")).code == 3


def test_check_tells_all_that_is_wrong_at_once(console: Console, user_file: Path) -> None:
    user_file.write_text('theme = "red"\ncolour = 1\n[keys]\nrefesh = "f5"\n')
    for words in ((), (str(user_file),)):
        answer = console("config", "check", *words)
        assert answer.code == 1
        assert [line.partition(": ")[0] for line in answer.out.splitlines()] == [
            f"{user_file}:{line}" for line in (1, 2, 4)
        ]


def test_wrong_options_and_variables_name_themselves(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = console("--interval", "0", *STATUS)
    assert answer.code == 2
    assert "option --interval: '0'; expected seconds from 0.1 to 3600" in answer.err
    assert console("--theme", "red", *STATUS).code == 2
    monkeypatch.setenv("KHO_CONSOLE_THEME", "red")
    answer = console(*STATUS)
    assert answer.code == 2
    assert "environment KHO_CONSOLE_THEME: 'red'" in answer.err


def test_keys_lists_every_command(console: Console) -> None:
    from kho_console.tui.commands import COMMANDS

    rows = [line.split()[0] for line in console("config", "keys").out.splitlines()[1:]]
    assert rows == [item.id for item in COMMANDS]


def test_keys_are_those_in_use(console: Console, user_file: Path) -> None:
    user_file.write_text('[keys]\nrefresh = "f5"\n')

    def keys(*words: str) -> dict[str, list[str]]:
        lines = console("config", "keys", *words).out.splitlines()[1:]
        return {line.split()[0]: line.split()[1:-1] for line in lines}

    before, after = keys("--no-config"), keys("--keymap", "vi")
    assert after["refresh"] == ["f5"] != before["refresh"]
    assert after["last"] == [*before["last"], "G"]
    user_file.write_text('[keys]\nrefesh = "f5"\n')
    answer = console("config", "keys")
    assert (answer.code, answer.out) == (2, "")
    assert "the nearest is refresh" in answer.err
    assert "--no-config" in answer.err


def test_a_log_tells_what_was_done_and_what_could_not_be_read(
    console: Console, user_file: Path
) -> None:
    log = user_file.parent / "log"
    assert console("--log", str(log), "--debug", *STATUS).code == 0
    written = log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "on fixture linux-7.3.4/ready" in written
    assert written.count("/boot/config-7.3.4 is not there") == 1
    assert "ended with 0 after " in written
    answer = console("--log", str(log), "--source", "linux-7.3.4/ready", "doctor")
    assert str(log) in answer.out
    assert str(user_file) in answer.out


def test_a_log_that_cannot_be_written_is_told(console: Console, tmp_path: Path) -> None:
    answer = console("--log", str(tmp_path / "none" / "log"), *STATUS)
    assert (answer.code, answer.out) == (3, "")
    assert "No such file or directory" in answer.err
    assert not list(tmp_path.iterdir())
