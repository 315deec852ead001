"""Build the ROS interface packages of this source tree into the environment."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lingbot_ros.environment.cmake_paths import correct_include_paths
from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.machine import cmake
from lingbot_ros.environment.packages import Installer
from lingbot_ros.environment.progress import Progress, run_with_progress
from lingbot_ros.environment.variables import workspace_variables

PACKAGES = ("lingbot_msgs", "interfaces/tf2_msgs")
"""Folders of the interface packages that everything needs, below the root."""

SIMULATOR_PACKAGES = ("interfaces/simulation_interfaces",)
"""Those that only the simulator backend needs."""

_PATHS_OF = "import sysconfig, numpy; print(sysconfig.get_path('include')); print(numpy.get_include())"


def interface_files(root: Path, packages: Sequence[str]) -> list[Path]:
    """Every file whose change calls for a new build, in a fixed order."""
    return sorted(path for package in packages for path in (root / package).rglob("*") if path.is_file())


def build_messages(
    layout: Layout, packages: Sequence[str], name: str, installer: Installer, progress: Progress, lock: int
) -> None:
    """Build and install the packages with colcon; raises SetupError with the compiler's first complaint.

    name: of the build tree and the log, so that one set of packages knows nothing of another.
    """
    variables = workspace_variables(layout, os.environ)
    if cmake(variables["PATH"]) is None:
        installer.install(["-r", layout.requirements / "cmake.txt"], "cmake")
    asked: list[str | Path] = [layout.python, "-c", _PATHS_OF]
    answer = subprocess.run(
        asked, check=True, capture_output=True, text=True, env=variables, encoding="utf-8", errors="replace"
    ).stdout
    python_include, numpy_include = map(Path, answer.splitlines())
    correct_include_paths(layout.prefix / "share", python_include, numpy_include)

    build = layout.private / f"build-{name}"
    installed = _installed(build)
    unfinished = build / "unfinished"
    if unfinished.exists():
        # An interrupted compiler leaves half an object file; a failed configuration leaves a wrong compiler cached.
        shutil.rmtree(build)
    build.mkdir(exist_ok=True)
    unfinished.touch()
    command: list[str | Path] = [layout.prefix / "bin" / "colcon", "--log-base", layout.private / "colcon", "build"]
    command += ["--base-paths", *(layout.root / package for package in packages)]
    command += ["--build-base", build, "--install-base", layout.prefix, "--merge-install"]
    command += ["--event-handlers", "console_direct+", "console_start_end-", "console_package_list-"]
    command += ["--cmake-args", f"-DPython3_EXECUTABLE={layout.python}", "-DBUILD_TESTING=OFF"]
    log = layout.private / f"{name}.log"
    code, output = run_with_progress(command, progress, log, variables, lock)
    if code != 0:
        complaints = [line for line in output.splitlines() if re.search(r"\berror\b", line, re.IGNORECASE)]
        raise SetupError(
            f"the ROS messages cannot be built: {complaints[0].strip() if complaints else 'see the log'} ({log})"
        )
    # An interface that was deleted must not live on. Removed last, so that programs that run meanwhile lose nothing.
    for path in installed - _installed(build):
        if path.is_relative_to(layout.prefix):
            path.unlink(missing_ok=True)
    unfinished.unlink()


def _installed(build: Path) -> set[Path]:
    """What the last complete build of each package has installed."""
    manifests = build.glob("*/install_manifest.txt")
    return {Path(line) for manifest in manifests for line in manifest.read_text(encoding="utf-8").splitlines()}
