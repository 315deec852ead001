"""The example of a user's task, installed as a user would, and the commands of the page about it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, where pytest brings this one
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "add_a_task.md"
SOURCE = ROOT / "docs" / "examples" / "bouncing_ball"
PATIENCE_S = 240


def commands() -> dict[str, list[str]]:
    """The page's commands by their verb, without `./lingbot`."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    lines = [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]
    return {line[0]: line for line in lines}


def declare_example_task(folder: Path) -> None:
    """Write into `folder` what an installed package leaves there for its entry points to be found."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    metadata = folder / "bouncing_ball-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n")
    (group,) = project["entry-points"]
    lines = [f"{name} = {value}" for name, value in project["entry-points"][group].items()]
    (metadata / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))


class InstalledTask:
    """The package in a folder of its own, and a folder to run the page's commands in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.target = folder, folder / "site"
        source = folder / "source"
        shutil.copytree(SOURCE, source)  # building leaves files beside the source
        *install, path = commands()["python"][1:]
        assert ROOT / path == SOURCE
        command = [sys.executable, *install, "--no-index", "--target", str(self.target), str(source)]
        subprocess.run(command, check=True, timeout=PATIENCE_S)
        (folder / "docs").symlink_to(ROOT / "docs")

    @property
    def variables(self) -> dict[str, str]:
        """What makes a process find the task."""
        path = os.pathsep.join([str(self.target), str(ROOT), os.environ.get("PYTHONPATH", "")])
        return {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}

    def run(self, verb: str, *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The page's command for a verb; of an option that is given twice the last counts."""
        return subprocess.run(
            [sys.executable, "-m", "lingbot_ros.cli.main", *commands()[verb], *more],
            cwd=self.folder,
            env={**os.environ, **variables, **self.variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def train(self, iterations: int) -> Path:
        """Data and a model, by the page's commands; the model's folder."""
        for done in (self.run("dataset"), self.run("train", "--iterations", str(iterations))):
            assert done.returncode == 0, done.stderr
        return self.folder / "models" / "ball"
