#!/bin/sh
# Makes the environment in $VENV from the hash-locked requirements. Called by make; run again it changes nothing.
set -eu
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}
NEEDED_MB=3000

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
"$VENV/bin/python" -m pip install --disable-pip-version-check --require-hashes -r requirements/dev.txt >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; stop "the packages could not be installed; the whole story is in $log"; }
"$VENV/bin/python" -m pip install --disable-pip-version-check --require-hashes \
    --no-deps --ignore-requires-python -r requirements/doubles.txt >>"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; stop "the test doubles could not be installed; the whole story is in $log"; }
PATH="$PWD/$VENV/bin:$PATH" "$VENV/bin/python" -m pip install --disable-pip-version-check \
    --no-deps --no-build-isolation -e . >>"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; stop "june itself could not be installed; the whole story is in $log"; }
touch "$VENV/.ready"
