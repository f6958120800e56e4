"""Where the styles, recordings and scenarios that come with the console are."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def styles_folder() -> Path:
    """The folder of style sheets.

    Raises:
        FileNotFoundError: The console is not installed whole.
    """
    return _folder("styles", _PACKAGE)


def fixtures_folder() -> Path:
    """The folder of shipped recordings, one `KERNEL/MOMENT` folder each.

    Raises:
        FileNotFoundError: The console is not installed whole.
    """
    return _folder("fixtures", _PACKAGE)


def scenarios_folder() -> Path:
    """The folder of shipped scenarios of crash hotplug, one file each.

    Raises:
        FileNotFoundError: The console is not installed whole.
    """
    return _folder("scenarios", _PACKAGE)


def _folder(name: str, package: Path) -> Path:
    installed = package / name
    if installed.is_dir():
        return installed
    checkout = package.parent
    # Without the project file the parent is site-packages, where a folder of that name is not ours.
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(
        f"no folder {name} in {package}, nor beside it in a checkout: install kho-console again"
    )
