"""Install lists of Python packages into the environment with pip, under the user's own pip configuration."""

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.machine import nvidia_driver
from lingbot_ros.environment.progress import Progress, run_with_progress

_REDIRECTIONS = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONPATH", "PYTHONHOME")
"""Variables that would install elsewhere, or find packages elsewhere."""

_NOT_OFFERED = re.compile(r"No matching distribution found for (\S+)")
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
                return
            if not _NOT_OFFERED.search(output) or _UNREACHABLE.search(output):
                raise SetupError(explain(output, log_path, self._layout.python_version))
            self._progress.tick("no CPU-only PyTorch offered by your package index: taking the build with CUDA")
        self.install(["-c", constraints, requirement], "torch")

    def _pip(self, arguments: Sequence[str | Path], log: str) -> tuple[int, str, Path]:
        environment = {name: value for name, value in os.environ.items() if name not in _REDIRECTIONS}
        environment.setdefault("PIP_RETRIES", "2")  # without a network, say so in seconds
        environment["PYTHONUNBUFFERED"] = "1"  # progress line by line
        environment.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
        log_path = self._layout.private / f"{log}.log"
        options = ["install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        command = [self._layout.python, "-m", "pip", *options, *arguments]
        try:
            code, output = run_with_progress(command, self._progress, log_path, environment, self._lock)
        finally:
            # pip resolves and downloads everything first, says this line, and only then touches the environment.
            self.has_changed_anything |= "Installing collected packages" in log_path.read_text(encoding="utf-8")
        return code, output, log_path


def read_pins(path: Path) -> list[str]:
    """The requirements of a list, without comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


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
            f"check network and `pip config list`, or use Python 3.11 on x86-64 ({log})"
        )
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return f"pip failed: {errors[-1][7:] if errors else 'no error line'} ({log})"
