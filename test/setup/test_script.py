"""The start script itself, run as users run it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lingbot_ros import __version__
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.setup import is_up_to_date
from lingbot_ros.environment.stages import stages

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = Layout(ROOT)

with_environment = pytest.mark.skipif(
    not is_up_to_date(LAYOUT, stages(LAYOUT)), reason="the environment of ./lingbot is not made, or not up to date"
)


def start(script: Path, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("_ROS")} | variables
    return subprocess.run(
        [script, *arguments], check=False, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120
    )


def other_python(folder: Path, name: str, version: str) -> None:
    """A stand-in for an interpreter of another version, which is all that the script asks it."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)


def bare_tree(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the script in a tree without an environment, and a PATH with the few tools that the script uses."""
    tree, tools = tmp_path / "tree", tmp_path / "tools"
    tree.mkdir()
    tools.mkdir()
    script = tree / "lingbot"
    script.write_bytes((ROOT / "lingbot").read_bytes())
    script.chmod(0o755)
    for tool in ("dirname", "readlink"):
        found = next(Path(folder) / tool for folder in ("/usr/bin", "/bin") if (Path(folder) / tool).exists())
        (tools / tool).symlink_to(found)
    return script, tools


@pytest.mark.parametrize(
    ("pythons", "said"),
    [
        pytest.param({}, "(found: none;", id="none"),
        pytest.param({"python3": "3.9"}, "(found: python3 is 3.9;", id="too old"),
        pytest.param({"python3": "3.15", "python": "2.7"}, "(found: python3 is 3.15; python is 2.7;", id="too new"),
    ],
)
def test_without_a_suitable_python_one_line_says_what_to_install(
    tmp_path: Path, pythons: dict[str, str], said: str
) -> None:
    script, tools = bare_tree(tmp_path)
    for name, version in pythons.items():
        other_python(tools, name, version)
    done = start(script, "imagine", cwd=tmp_path, PATH=str(tools), LINGBOT_PYTHON="")
    assert done.returncode == 1
    assert done.stderr.startswith("lingbot: needs Python 3.10 to 3.14")
    assert said in done.stderr
    assert "install one" in done.stderr
    assert done.stderr.count("\n") == 1


def test_variables_of_another_tools_python_do_not_hide_ours(tmp_path: Path) -> None:
    script, tools = bare_tree(tmp_path)
    (tools / "python3").symlink_to(sys.executable)
    done = start(script, "imagine", cwd=tmp_path, PATH=str(tools), LINGBOT_PYTHON="", PYTHONHOME="/opt/tool")
    assert "needs Python" not in done.stderr


def test_a_suitable_python_is_found_behind_unsuitable_ones(tmp_path: Path) -> None:
    script, tools = bare_tree(tmp_path)
    (tmp_path / "tree" / "lingbot_ros").symlink_to(ROOT / "lingbot_ros")
    other_python(tools, "python3.11", "3.9")
    (tools / "python3").symlink_to(sys.executable)
    (tmp_path / "tree" / ".venv").mkdir()
    done = start(script, "imagine", cwd=tmp_path, PATH=str(tools))
    assert "exists but was not made by this script" in done.stderr
    assert done.returncode == 1


def test_what_is_missing_is_listed_before_anything_is_made(tmp_path: Path) -> None:
    script, tools = bare_tree(tmp_path)
    for name in ("lingbot_ros", "lingbot_msgs"):
        (tmp_path / "tree" / name).symlink_to(ROOT / name)
    (tools / "python3").symlink_to(sys.executable)
    done = start(script, "imagine", cwd=tmp_path, PATH=str(tools), CXX="")
    assert done.returncode == 1
    assert "no C++ compiler found" in done.stderr
    assert "no make found" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "tree" / ".venv").exists()


@with_environment
class TestWithEnvironment:
    """Through the environment that this very run uses."""

    def test_it_works_from_anywhere_and_through_a_link(self, tmp_path: Path) -> None:
        link = tmp_path / "my-lingbot"
        link.symlink_to(ROOT / "lingbot")
        done = start(link, "--version", cwd=tmp_path)
        assert (done.returncode, done.stdout.strip()) == (0, f"lingbot_ros {__version__}")

    def test_arguments_arrive_as_they_are(self, tmp_path: Path) -> None:
        code = "import sys; print(sys.argv[1:])"
        done = start(ROOT / "lingbot", "python", "-c", code, "a b", "", "*", "--help", cwd=tmp_path)
        assert done.stdout.strip() == str(["a b", "", "*", "--help"])

    @pytest.mark.parametrize(("by_parent", "expected"), [("SIG_IGN", "SIG_IGN"), ("SIG_DFL", "SIG_DFL")])
    def test_the_program_starts_with_its_parents_signals(self, tmp_path: Path, by_parent: str, expected: str) -> None:
        """Under nohup a closed terminal must not end it."""
        code = "import signal; print(signal.getsignal(signal.SIGHUP).name)"
        parent = f"""
import os, signal
signal.signal(signal.SIGHUP, signal.{by_parent})
os.execv({str(ROOT / "lingbot")!r}, ["lingbot", "python", "-c", {code!r}])
"""
        done = subprocess.run([sys.executable, "-c", parent], check=False, capture_output=True, text=True, cwd=tmp_path)
        assert done.stdout.strip() == expected, done.stderr

    def test_a_users_program_finds_ros_and_the_messages(self, tmp_path: Path) -> None:
        program = tmp_path / "mine.py"
        program.write_text("import rclpy\nfrom lingbot_msgs.msg import FrameInfo\nprint(FrameInfo.__module__)\n")
        done = start(ROOT / "lingbot", "python", str(program), cwd=tmp_path, PYTHONPATH="")
        assert done.stdout.startswith("lingbot_msgs."), done.stderr

    def test_the_environments_python_needs_no_variables(self, tmp_path: Path) -> None:
        code = (
            "import lingbot_ros, rclpy; from lingbot_msgs.msg import FrameInfo; print(not FrameInfo().header.frame_id)"
        )
        done = subprocess.run(
            [LAYOUT.python, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path, env={}
        )
        assert done.stdout == "True\n", done.stderr

    def test_a_sourced_ros_is_left_aside_with_a_note(self, tmp_path: Path) -> None:
        foreign = tmp_path / "ros"
        (foreign / "rclpy").mkdir(parents=True)
        (foreign / "rclpy" / "__init__.py").write_text("raise ImportError('the wrong rclpy')")
        done = start(
            *(ROOT / "lingbot", "python", "-c", "import rclpy; print('right')"),
            cwd=tmp_path,
            PYTHONPATH=str(foreign),
            AMENT_PREFIX_PATH=str(foreign),
        )
        assert done.stdout == "right\n", done.stderr
        assert f"{foreign} is sourced but not used" in done.stderr

    def test_a_middleware_that_is_not_here_is_named(self, tmp_path: Path) -> None:
        done = start(ROOT / "lingbot", "--version", cwd=tmp_path, RMW_IMPLEMENTATION="rmw_cyclonedds_cpp")
        assert "RMW_IMPLEMENTATION=rmw_cyclonedds_cpp is not in this environment" in done.stderr

    def test_env_makes_a_shell_part_of_it(self, tmp_path: Path) -> None:
        ask = f'eval "$({shlex.quote(str(ROOT / "lingbot"))} env)"'
        code = "import sys; print(sys.prefix)"
        done = subprocess.run(
            ["sh", "-c", f"{ask}; {ask}; python -c '{code}'; echo $PATH; colcon --help | head -1"],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        prefix, path, colcon = done.stdout.splitlines()
        assert prefix == str(LAYOUT.prefix)
        assert path.split(":").count(str(LAYOUT.prefix / "bin")) == 1
        assert colcon.startswith("usage: colcon")

    def test_a_user_error_is_one_sentence_and_no_traceback(self, tmp_path: Path) -> None:
        done = start(ROOT / "lingbot", "no-such-verb", cwd=tmp_path)
        assert done.returncode == 2
        assert "invalid choice: 'no-such-verb'" in done.stderr
        assert "Traceback" not in done.stderr
