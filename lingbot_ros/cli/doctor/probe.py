"""Programs that the doctor runs apart, so that a broken library cannot end the doctor itself."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence


class ProbeError(Exception):
    """The program ended with an error, or not in time; the text is its last line, or says so."""


def run_probe(arguments: Sequence[str], limit_s: float, variables: Mapping[str, str] | None = None) -> str:
    """What a new interpreter with these arguments prints. `variables` are added to the environment.

    Raises ProbeError.
    """
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=limit_s,
            env={**os.environ, **(variables or {})},
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"no answer in {limit_s} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise ProbeError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout
