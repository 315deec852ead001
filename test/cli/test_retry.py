"""`lingbot test --retry`, as continuous integration runs it: a bad moment is named, a fault still fails."""

from pathlib import Path

import pytest

import lingbot_ros.cli.test as verb
from lingbot_ros.cli.main import main

FLAKY = """
from pathlib import Path

def test_that_fails_once(pytestconfig):
    seen = pytestconfig.rootpath / "seen"
    before = seen.exists()
    seen.touch()
    assert before
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with tests of its own."""
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["slow: is slow"]\n')
    (tmp_path / "test").mkdir()
    monkeypatch.setattr(verb, "_ROOT", tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return main(["test", "--no-lint", *arguments])


def test_a_test_that_passes_the_second_time_is_named(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "test/test_it.py").write_text(FLAKY + "def test_other(): ...\n")
    assert run("--retry") == 0
    said = capfd.readouterr().out
    assert "FLAKY, failed once and passed alone: test/test_it.py::test_that_fails_once" in said
    assert "1 failed, 1 passed" in said


def test_without_the_option_nothing_is_run_again(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "test/test_it.py").write_text(FLAKY)
    assert run() == 1
    assert "once more" not in capfd.readouterr().out


def test_a_fault_fails_again(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "test/test_it.py").write_text(FLAKY + "def test_broken(): assert False\n")
    assert run("--retry") == 1
    assert "FLAKY" not in capfd.readouterr().out


def test_many_failures_are_a_fault(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = "import pytest\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number): assert False\n"
    (project / "test/test_it.py").write_text(many)
    assert run("--retry") == 1
    assert "once more" not in capfd.readouterr().out
