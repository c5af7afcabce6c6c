#!/bin/sh
# Makes the environment in $VENV from the hash-locked requirements. Called by make; run again it changes nothing.
set -eu
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}
NEEDED_MB=3300

stop() {
    echo "june: $1" >&2
    exit 1
}

command -v "$PYTHON" >/dev/null || stop "Python is missing: install python3 (3.11 to 3.14), or name one with PYTHON=..."
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' ||
    stop "Python 3.11 to 3.14 is needed, and this is $("$PYTHON" -V): name another with PYTHON=..."
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
    stop "Python's venv is missing: on Debian, apt-get install python3-venv"
free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
[ "$free_mb" -ge "$NEEDED_MB" ] ||
    stop "the disk has $free_mb MB free here, and june needs about $NEEDED_MB MB with its models."

[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
echo "june: installing into $VENV (a few minutes the first time)"
log="$VENV/setup.log"
: >"$log"
by_pip() {
    "$VENV/bin/python" -m pip install --no-compile --disable-pip-version-check "$@" >>"$log" 2>&1
}
by_uv() {
    by_pip --require-hashes -r requirements/uv.txt &&
        "$VENV/bin/uv" pip install --python "$VENV/bin/python" "$@" >>"$log" 2>&1
}
# uv takes seconds where pip takes a minute; it knows none of pip's settings, so where it finds no index, pip goes on.
by_uv --require-hashes -r requirements/dev.txt || by_pip --require-hashes -r requirements/dev.txt ||
    { tail -n 5 "$log" >&2; stop "the packages could not be installed; the whole story is in $log"; }
by_pip --require-hashes --no-deps --ignore-requires-python -r requirements/doubles.txt ||
    { tail -n 5 "$log" >&2; stop "the test doubles could not be installed; the whole story is in $log"; }
PATH="$PWD/$VENV/bin:$PATH" by_pip --no-deps --no-build-isolation -e . ||
    { tail -n 5 "$log" >&2; stop "june itself could not be installed; the whole story is in $log"; }
# On all cores. june's own modules, too: the sandbox loads a workflow's anew for each run.
# Templates among the packages that are no Python yet are no matter.
"$VENV/bin/python" -m compileall -q -j 0 "$VENV/lib" activities agent bots workers workflows >>"$log" 2>&1 || :
touch "$VENV/.ready"
