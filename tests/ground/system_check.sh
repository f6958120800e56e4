#!/bin/sh
# Names what kho-console needs and this system lacks, all at once, each with its Debian package.
# Argument: the Python to use. Run in the folder that holds, or will hold, .venv.
python=${1:-python3}
missing=
packages=

lacks() {
    missing="$missing  $1 (Debian: $2)
"
    packages="$packages $2"
}

holds() {
    "$python" -c "$1" >/dev/null 2>&1
}

holds 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    lacks "Python 3.11 or later as $python; name another with make PYTHON=..." python3
holds 'import ctypes; ctypes.CDLL("libudev.so.1")' ||
    lacks libudev.so.1 libudev1

# Setting up .venv compiles libfdt, which has no wheel for most Pythons; later runs need no compiler.
if ! .venv/bin/python -c 'import libfdt' >/dev/null 2>&1; then
    holds 'import ensurepip, venv' ||
        lacks 'venv and ensurepip' python3-venv
    holds 'import os, sysconfig; os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' ||
        lacks Python.h python3-dev
    compiler=${CC:-$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("CC"))' 2>/dev/null)}
    compiler=${compiler:-gcc}
    command -v "${compiler%% *}" >/dev/null ||
        lacks "a C compiler (${compiler%% *})" gcc
fi

[ -z "$missing" ] && exit 0
printf 'kho-console cannot be set up, this system lacks:\n%s' "$missing" >&2
printf 'On Debian and its relatives: apt-get install%s\n' "$packages" >&2
exit 1
