"""Where styles and recordings are found."""

from pathlib import Path

import pytest

from kho_console import resources

CHECKOUT = Path(__file__).parents[2]


def test_a_checkout_is_used_in_place() -> None:
    assert resources.styles_folder() == CHECKOUT / "styles"
    assert resources.fixtures_folder() == CHECKOUT / "fixtures"
    assert (resources.fixtures_folder() / "linux-7.3.4/sessions/manifest.json").is_file()


def test_an_installed_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "kho_console"
    (package / "styles").mkdir(parents=True)
    (tmp_path / "styles").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.styles_folder() == package / "styles"


def test_a_foreign_folder_beside_the_package_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fixtures").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "kho_console")
    with pytest.raises(
        FileNotFoundError, match=r"no folder fixtures in .*install kho-console again"
    ):
        resources.fixtures_folder()
