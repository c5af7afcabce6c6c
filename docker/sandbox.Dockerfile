# What the coding agent's commands find where they run in containers (JUNE_SANDBOX_BACKEND=podman or docker):
# Python, pytest, a shell. june itself is not in it; what runs commands is handed in with each.
# Add what your tasks need, and build it under a name of your own (JUNE_SANDBOX_IMAGE).
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE}
COPY docker/sandbox.txt /tmp/sandbox.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary=:all: --no-deps \
    -r /tmp/sandbox.txt && rm /tmp/sandbox.txt
USER 61001:61001
WORKDIR /workspace
