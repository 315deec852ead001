"""The front of the command: help, errors and exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lingbot_ros import __version__
from lingbot_ros.cli.main import BUILT_IN, main

ROOT = Path(__file__).resolve().parents[2]


def lingbot(*arguments: str, options: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "lingbot_ros.cli.main", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **variables},
        timeout=120,
    )


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"lingbot_ros {__version__}\n"


@pytest.mark.parametrize("verb", ["", *BUILT_IN])
def test_help_needs_nothing_but_the_standard_library(verb: str) -> None:
    """`-S` hides every installed package: help is instant, and there before anything is."""
    done = lingbot(*[verb] * bool(verb), "--help", options=("-S",), PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: lingbot {verb}".rstrip())


def test_the_list_of_verbs_has_a_line_of_help_for_each() -> None:
    text = lingbot("--help").stdout
    for verb in BUILT_IN:
        assert f"    {verb} " in text or f"    {verb}\n" in text


def test_every_package_of_the_command_is_a_verb() -> None:
    packages = {path.parent.name for path in (ROOT / "lingbot_ros" / "cli").glob("*/__init__.py")}
    assert packages == set(BUILT_IN.values())


def test_an_installed_package_adds_a_verb_by_entry_point(tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(
        "HELP = 'say hello'\ndef add_arguments(parser): pass\ndef run(args):\n    print('hello')\n    return 0\n"
    )
    metadata = tmp_path / "greeting-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[lingbot_ros.verbs]\ngreet = greeting\n")
    done = lingbot("greet", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "hello\n"
    assert "say hello" in lingbot("--help", PYTHONPATH=str(tmp_path)).stdout


def test_a_model_that_does_not_exist_is_one_sentence_and_code_1() -> None:
    done = lingbot("eval-model", "no-such-model")
    assert done.returncode in (1, 2)
    assert done.stderr.strip().splitlines()[-1].startswith("lingbot eval-model: model: got 'no-such-model'")
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m lingbot_ros.cli.main doctor | head -c 1",
        shell=True,
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert done.stdout == "m"
    assert "BrokenPipe" not in done.stderr


def test_ctrl_c_ends_quietly_with_130() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lingbot_ros.cli.main", "doctor"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "machine:\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
