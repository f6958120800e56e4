"""The entry point of `kho-console` and `python -m kho_console`."""

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    from kho_console.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
