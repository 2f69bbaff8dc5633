"""A clock of its own for each process: a small library, preloaded, adds an offset that can be changed at any time.

(libfaketime does the same, but Python's `time.sleep` fails under version 0.9.10 when the monotonic clock is left
alone, and a faked monotonic clock would be another fault than the one meant.)
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long zero = 0;
static volatile long long *offset = &zero;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("CLOCK_OFFSET_FILE");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *page = mmap(0, sizeof(long long), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) offset = page;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec moment;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &moment);
    now->tv_sec = moment.tv_sec;
    now->tv_usec = moment.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *out) {
    struct timespec moment;
    clock_gettime(CLOCK_REALTIME, &moment);
    if (out) *out = moment.tv_sec;
    return moment.tv_sec;
}
"""


class Clocks:
    """Makes offsets; without a C compiler there are none, and `why_not` says so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library: Path | None = None
        self.why_not = ""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            self.why_not = "there is no C compiler"
            return
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(_SOURCE)
        done = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            self.why_not = done.stderr.strip()[-300:]
        else:
            self._library = library

    def environment(self, name: str) -> Mapping[str, str]:
        """What the process `name` must be started with to have a clock of its own."""
        if self._library is None:
            return {}
        self.set(name, 0)
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET_FILE": str(self._file(name))}

    def set(self, name: str, seconds: int) -> None:
        """Let the clock of the process `name` be this many seconds ahead, from now on."""
        path = self._file(name)
        if not path.exists():
            path.write_bytes(bytes(8))
        with path.open("r+b", buffering=0) as file:
            file.write(struct.pack("q", seconds))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"
