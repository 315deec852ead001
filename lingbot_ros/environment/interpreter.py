"""Command lines for this environment's Python that do not import what lies in the working directory."""

import sys

_HAS_SAFE_PATH = hasattr(sys.flags, "safe_path")
"""The option -P, which Python 3.10 lacks."""
_CLEAR = "import sys\nif sys.path[:1] == ['']: del sys.path[0]\n"


def isolated_module(module: str, *arguments: str) -> list[str]:
    """What comes after `python` to run `module` as a program; a yaml.py in the working directory is not the library."""
    if _HAS_SAFE_PATH:
        return ["-P", "-m", module, *arguments]
    # -I would drop variables of the user's that are meant.
    run = f"import runpy\nrunpy.run_module({module!r}, run_name='__main__', alter_sys=True)\n"
    return ["-c", _CLEAR + run, *arguments]


def isolated_code(code: str, *arguments: str) -> list[str]:
    """What comes after `python` to run `code` in the same way."""
    if _HAS_SAFE_PATH:
        return ["-P", "-c", code, *arguments]
    return ["-c", _CLEAR + code, *arguments]
