"""Text files are UTF-8 whatever the locale. Ruff's PLW1514 sees only paths whose type it can infer; this sees all."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from lingbot_ros.environment.interpreter import isolated_module

ROOT = Path(__file__).parents[1]


def _without_encoding(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or any(keyword.arg == "encoding" for keyword in node.keywords):
            continue
        called = node.func
        is_method = isinstance(called, ast.Attribute)
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        reads = is_method and ((name == "read_text" and not node.args) or name == "write_text")
        runs = any(keyword.arg == "text" for keyword in node.keywords) and name in ("run", "Popen", "check_output")
        modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        opens = not is_method and name == "open" and not any("b" in mode for mode in modes)
        if reads or runs or opens:
            found.append(f"{file.relative_to(ROOT)}:{node.lineno} {name}")
    return found


def test_every_text_file_is_read_and_written_as_utf_8() -> None:
    folders = ("lingbot_ros", "launch", "benchmarks", "docs/examples")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 300
    assert [line for file in files for line in _without_encoding(file)] == []


def test_the_command_runs_where_the_locale_is_not_utf_8() -> None:
    """ASCII is what every machine has; Python would turn it into UTF-8 unless it is told not to."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, *isolated_module("lingbot_ros.cli.main", "models", "list")]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"pusht-lasting" in done.stdout
