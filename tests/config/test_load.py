"""Which layer goes before which, and where a setting came from."""

from pathlib import Path

import pytest

from kho_console.config import places
from kho_console.config.load import files, load
from kho_console.config.origin import ConfigError
from kho_console.config.settings import Settings
from kho_console.config.table import SETTINGS


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    machine, user = tmp_path / "machine.toml", tmp_path / "user.toml"
    machine.write_text('theme = "light"\ninterval = 9\n[keys]\nquit = "x"\nhelp = "f1"\n')
    user.write_text('# mine\ninterval = 8\nmono = false\nkeys.quit = "Q"\n')
    return machine, user


def test_nothing_set_is_the_default() -> None:
    found = load({}, {}, ())
    assert found.settings == Settings()
    assert {str(origin) for origin in found.origins.values()} == {"default"}
    assert set(found.origins) == {setting.name for setting in SETTINGS}


def test_each_layer_goes_before_the_one_below(layers: tuple[Path, Path]) -> None:
    machine, user = layers
    found = load({"interval": "7", "mouse": False}, {"NO_COLOR": "0"}, layers)
    assert found.settings == Settings(
        theme="light", interval=7.0, mouse=False, mono=True,
        keys={"quit": ("Q",), "help": ("f1",)}, files=layers,
    )  # fmt: skip
    named = {name: str(origin) for name, origin in found.origins.items()}
    assert named["theme"] == f"{machine}:1"
    assert named["keys.help"] == f"{machine}:5"
    assert named["keys.quit"] == f"{user}:4"
    assert named["mono"] == "environment NO_COLOR"
    assert named["mouse"] == "option --no-mouse"
    assert named["interval"] == "option --interval"
    assert named["ascii"] == "default"
    assert load({}, {}, layers).settings.interval == 8
    assert load({"mono": False}, {"NO_COLOR": "1"}, layers).settings.mono is False


def test_an_empty_variable_is_none() -> None:
    assert load({}, {"NO_COLOR": "", "KHO_CONSOLE_THEME": ""}, ()).settings == Settings()


def test_all_that_is_wrong_is_told_with_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("theme = 1")
    with pytest.raises(ConfigError) as caught:
        load({"interval": "soon", "log": ""}, {"KHO_CONSOLE_THEME": "\x1b[2J"}, [path])
    assert [str(fault) for fault in caught.value.faults] == [
        f"{path}:1: theme is 1; expected one of dark, light, high-contrast",
        "environment KHO_CONSOLE_THEME: '\\x1b[2J'; expected one of dark, light, high-contrast",
        "option --interval: 'soon'; expected seconds from 0.1 to 3600",
        "option --log: ''; expected a file",
    ]


def test_the_files_are_those_of_the_machine_and_the_user() -> None:
    assert files({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == (
        places.MACHINE, Path("/c/kho-console/config.toml"),
    )  # fmt: skip
    for relative in ("", "c"):
        home = {"XDG_CONFIG_HOME": relative, "HOME": "/h"}
        assert files(home)[1] == Path("/h/.config/kho-console/config.toml")


def test_a_folder_that_may_not_be_searched_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "lstat", refused)
    monkeypatch.setattr("kho_console.config.file.os.open", lambda path, _: refused(path))
    with pytest.raises(ConfigError, match="Permission denied"):
        load({}, {}, [tmp_path / "config.toml"])


def test_debug_keeps_a_log_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    found = load({"debug": True}, {}, ())
    assert found.settings.log == Path("/s/kho-console/log")
    assert str(found.origins["log"]) == "option --debug"
    assert load({"debug": True, "log": "/x"}, {}, ()).settings.log == Path("/x")
    assert load({"log": "x"}, {}, ()).settings.log == Path.cwd() / "x"
