#!/usr/bin/env bash
# Compile requirements/*.txt from pyproject.toml: one file a process, hashed, for every platform.
#   scripts/lock.sh BIN      BIN: folder with uv
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { "$1/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "${@:2}"; }
# hatchling builds Kiosque itself; it stands in the file so that no build fetches anything unpinned.
printf 'hatchling\neditables\n' > requirements/build.in
# pip itself, since one of today needs half the time that the one which comes with Python 3.11 does.
compile "$1" - -o requirements/pip.txt <<<pip
compile "$1" pyproject.toml requirements/build.in --extra up -o requirements/up.txt
for name in producer consumer predict web; do
  compile "$1" pyproject.toml --extra "$name" -o "requirements/$name.txt"
done
compile "$1" pyproject.toml --extra books-build -o requirements/books.txt
# torch is left out: which build fits (CPU, CUDA) is the machine's to say; `make test-train` and the image install it.
torch=$(compile "$1" pyproject.toml --extra polarity-train | grep -oE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z-]+)==' | tr -d '=')
mapfile -t left_out < <(sed 's/^/--no-emit-package=/' <<<"$torch")
compile "$1" pyproject.toml --extra polarity-train "${left_out[@]}" -o requirements/polarity.txt
# What is in both files must be the same version: tests run what users run.
compile "$1" pyproject.toml --extra up --group test --group lint -c requirements/up.txt -o requirements/test.txt
compile "$1" pyproject.toml --group security -c requirements/test.txt -c requirements/pip.txt -o requirements/security.txt
rm requirements/build.in
