#!/usr/bin/env python3
"""The entry point of `python -m kho_console`, installed as the program `kho-console` too.

Installers would write a program that imports more than `--version` needs, so this file is one.
"""

import gc
import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from kho_console import __version__

        print(f"kho-console {__version__}")
        return 0
    # What is imported is no garbage: looking for some in between takes a tenth of a verb's time.
    gc.disable()
    from kho_console.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
