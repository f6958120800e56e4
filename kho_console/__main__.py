"""The entry point of `kho-console` and `python -m kho_console`."""

import argparse
import sys

from kho_console import __version__


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="kho-console")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.parse_args()
    parser.print_usage(sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
