"""Small disks that can be filled: tmpfs, where this process may mount one."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

_BALLAST = "ballast"


class Disk:
    """A folder that, if `is_small`, has `megabytes` of its own and can be filled up; None leaves it a plain one."""

    def __init__(self, folder: Path, megabytes: int | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.is_small = False
        self.why_not = "mounting a tmpfs needs root"
        if megabytes is not None and os.geteuid() == 0:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", folder],
                capture_output=True,
                text=True,
                check=False,
            )
            self.is_small = done.returncode == 0
            self.why_not = done.stderr.strip()

    def fill(self) -> int:
        """Take every byte that is left; returns how many."""
        taken = 0
        with (self.folder / _BALLAST).open("wb", buffering=0) as file, suppress(OSError):
            for size in (1_048_576, 4_096):
                with suppress(OSError):
                    while True:
                        taken += file.write(b"\0" * size)
        return taken

    def free(self) -> None:
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_small:
            self.free()
            subprocess.run(["umount", "-l", self.folder], check=False, capture_output=True)
