"""Builds the site with Zensical, and serves it on this machine."""

import functools
import shutil
import subprocess
import sys
import tempfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lingbot_ros.cli.docs.pages import gather
from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, InputError, LingbotError

_ROOT = Path(__file__).resolve().parents[3]
_LOCALHOST = "127.0.0.1"


def build(target: Path) -> None:
    """Write the site to the new or empty folder `target`. A broken link is an error. Raises LingbotError."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError("--build", target, "give a folder that is new or empty")
    if not (_ROOT / "docs" / "zensical.toml").is_file():
        raise LingbotError("docs: an installed package has no docs folder; run ./lingbot docs in a clone")
    if not (have("zensical") and have("mkdocstrings")):
        raise LingbotError(
            "docs: zensical and mkdocstrings are not installed: ./lingbot setup --docs", ErrorCode.UNSUPPORTED
        )
    with tempfile.TemporaryDirectory(prefix="lingbot_docs_") as folder:
        config = gather(_ROOT, Path(folder))
        command = [sys.executable, "-P", "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8", errors="replace"
        )
        if done.returncode:
            raise LingbotError(f"docs: the pages could not be built:\n{done.stdout}{done.stderr}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(Path(folder) / "site", target, dirs_exist_ok=True)


def serve(port: int) -> int:
    """Build, and serve until Ctrl-C. Raises LingbotError."""
    with tempfile.TemporaryDirectory(prefix="lingbot_site_") as folder:
        build(Path(folder) / "site")
        handler = functools.partial(SimpleHTTPRequestHandler, directory=str(Path(folder) / "site"))
        try:
            server = ThreadingHTTPServer((_LOCALHOST, port), handler)
        except (OSError, OverflowError) as error:
            raise InputError("--port", port, f"choose another, for instance --port 0 ({error})") from error
        print(f"open http://{_LOCALHOST}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return 0
    return 0
