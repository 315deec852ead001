"""Install lists of Python packages into the environment with pip, from where the user's pip takes packages."""

import os
import platform
import re
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.machine import CUDA_DOWNLOAD_GB, CUDA_SPACE_GB, nvidia_driver
from lingbot_ros.environment.pins import not_installed, read_pins
from lingbot_ros.environment.pip_settings import pip_variables
from lingbot_ros.environment.progress import Progress, run_with_progress

_NOT_OFFERED = re.compile(r"No matching distribution found for (\S+)")
_CONFLICT = "ResolutionImpossible"
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|ProxyError|SSLError"
    r"|Max retries exceeded|Temporary failure in name resolution|Network is unreachable"
    r"|Connection refused|Connection reset"
)


class Installer:
    """Runs pip for one stage; `lock` is inherited by pip, see `lock.exclusive`."""

    def __init__(self, layout: Layout, progress: Progress, lock: int) -> None:
        self._layout, self._progress, self._lock = layout, progress, lock
        self.has_changed_anything = False

    def install(self, arguments: Sequence[str | Path], log: str) -> None:
        """`pip install ARGUMENTS`; raises SetupError with one line that says what went wrong and what to do."""
        code, output, log_path = self._pip(arguments, log)
        if code != 0:
            raise SetupError(explain(output, log_path, self._layout.python_version))
        self._require_installed([pin for path in _lists(arguments) for pin in read_pins(path)], log_path)

    def install_torch(self) -> None:
        """PyTorch: the CPU build where there is no NVIDIA driver, if the user's package index offers one.

        The CPU build for Linux x86-64 is a version of its own (`+cpu`), which PyTorch publishes on an index of its own.
        It is taken where pip is configured to see it (`extra-index-url` or `find-links` in pip's configuration, or in
        PIP_EXTRA_INDEX_URL). Elsewhere the ordinary build is taken: several GB with CUDA; it runs on the CPU as well.
        """
        requirement = read_pins(self._layout.requirements / "torch.txt")[0]
        constraints = self._layout.requirements / "constraints.txt"
        if nvidia_driver() is None:
            code, output, log_path = self._pip(["-c", constraints, f"{requirement}+cpu"], "torch-cpu")
            if code == 0:
                self._require_installed([requirement], log_path)
                return
            if not (_NOT_OFFERED.search(output) or _CONFLICT in output) or _UNREACHABLE.search(output):
                raise SetupError(explain(output, log_path, self._layout.python_version))
            self._announce_cuda()
        self.install(["-c", constraints, requirement], "torch")
        self._require_installed([requirement], self._layout.private / "torch.log")

    def _announce_cuda(self) -> None:
        """Before gigabytes are downloaded. Raises SetupError where they would not fit."""
        root = self._layout.root
        avoid = (
            "to avoid it, set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU builds, or PIP_FIND_LINKS to a folder with "
            "such a wheel, and run again"
        )
        free_gb = shutil.disk_usage(root).free / 1e9
        if free_gb < CUDA_SPACE_GB:
            raise SetupError(
                f"your package index has no CPU build of PyTorch, and the ordinary one needs {CUDA_SPACE_GB} GB with "
                f"CUDA ({free_gb:.1f} GB are free): free some; {avoid}"
            )
        self._progress.note(
            "there is no NVIDIA driver, but your package index has no CPU build of PyTorch: the ordinary one follows, "
            f"a download of about {CUDA_DOWNLOAD_GB} GB with CUDA, which also runs on the CPU; {avoid}"
        )

    def _require_installed(self, pins: Sequence[str], log: Path) -> None:
        """pip can succeed and have installed elsewhere, or nothing."""
        if missing := not_installed(pins, self._layout.site_packages):
            raise SetupError(
                f"pip ended well, but {', '.join(missing[:5])} is not in {self._layout.prefix}: look at "
                f"`pip config list` and the PIP_ variables for what sends packages elsewhere ({log})"
            )

    def _pip(self, arguments: Sequence[str | Path], log: str) -> tuple[int, str, Path]:
        environment = pip_variables(self._layout.python, os.environ)
        environment.setdefault("PIP_RETRIES", "2")  # without a network, say so in seconds
        environment["PYTHONUNBUFFERED"] = "1"  # progress line by line
        log_path = self._layout.private / f"{log}.log"
        options = ["install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        command = [self._layout.python, "-m", "pip", *options, *arguments]
        try:
            code, output = run_with_progress(command, self._progress, log_path, environment, self._lock)
        finally:
            # pip resolves and downloads everything first, says this line, and only then touches the environment.
            self.has_changed_anything |= "Installing collected packages" in log_path.read_text(encoding="utf-8")
        return code, output, log_path


def _lists(arguments: Sequence[str | Path]) -> list[Path]:
    """The lists that pip is given by -r."""
    return [Path(path) for option, path in pairwise(arguments) if option == "-r"]


def explain(output: str, log: Path, python_version: str) -> str:
    """One line for a failed pip: the cause as far as its output tells, and what to do."""
    if "No space left on device" in output:
        return "no space left on the disk while packages were installed: free some (also in $TMPDIR) and run again"
    if "Read-only file system" in output or "Permission denied" in output:
        return f"cannot write while packages were installed: check the rights on this folder and on $TMPDIR ({log})"
    if _UNREACHABLE.search(output):
        return f"cannot reach the package index: check network, proxy and `pip config list`, then run again ({log})"
    if found := _NOT_OFFERED.search(output):
        # With retries switched off, pip is silent about a network that is not there.
        unless = "cannot be reached or " if "(from versions: none)" in output else ""
        return (
            f"the package index {unless}does not offer {found[1]} for Python {python_version} on {platform.machine()}: "
            f"check network and `pip config list`, or set LINGBOT_PYTHON to Python 3.11, on x86-64 ({log})"
        )
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return f"pip failed: {errors[-1][7:] if errors else 'no error line'} ({log})"
