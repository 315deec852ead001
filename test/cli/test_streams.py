"""Output that is closed, full, or of an encoding that lacks characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN = f"{sys.executable} -m lingbot_ros.cli.main"


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
        (">/dev/full", 1, "lingbot: the output could not be written: No space left on device"),
        ("| true; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_output_that_cannot_be_written_is_no_traceback(redirection: str, code: int, said: str) -> None:
    done = shell(f"{MAIN} engines {redirection}")
    assert (done.returncode, done.stderr.strip()) == (code, said)


def test_the_verbs_look_last_in_folders_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('not this one')")
    (tmp_path / "of_the_user.py").write_text("found = True")
    code = "from lingbot_ros.cli.main import main; main(['engines']); import of_the_user; print(of_the_user.found)"
    done = shell(f'{sys.executable} -c "{code}"', LINGBOT_PYTHONPATH=str(tmp_path))
    assert done.stdout.endswith("True\n"), done.stderr
