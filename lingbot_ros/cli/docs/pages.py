"""The files of `docs/`, README and the rest -> one folder of pages, as a site generator wants it."""

import re
import shutil
from pathlib import Path

FRONT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages that lie beside `docs/`, and their names in the site."""

API = {
    "world": (
        "Worlds and sessions",
        "lingbot_ros.world.World",
        "lingbot_ros.world.Session",
        "lingbot_ros.world.Snapshot",
        "lingbot_ros.world.Batch",
        "lingbot_ros.world.LoadOptions",
        "lingbot_ros.world.WorldInfo",
    ),
    "planning": ("Planning", "lingbot_ros.planning.plan"),
    "planning_solvers": ("Solvers", "lingbot_ros.planning.solvers"),
    "planning_costs": ("Costs", "lingbot_ros.planning.costs"),
    "policies": ("Policies", "lingbot_ros.evaluate.policies"),
    "tasks": ("Tasks", "lingbot_ros.tasks.task"),
    "gym": ("Gymnasium", "lingbot_ros.gym"),
    "errors": ("Errors", "lingbot_ros.errors"),
}
"""Pages of the reference: title, and the modules or classes whose docstrings they show."""

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_SHOWN = (".md", ".png", ".gif", ".webp")
_CONFIG = "zensical.toml"


def gather(root: Path, target: Path) -> Path:
    """Write everything that the generator reads into `target`; returns the path of its configuration.

    A link to a file of the repository that is no page becomes the file's path, in text.
    """
    pages = target / "docs"
    for source in sorted((root / "docs").rglob("*")):
        name = source.relative_to(root / "docs")
        if source.suffix == ".md":
            _write(pages / name, _relinked(root, source, name))
        elif source.suffix in _SHOWN:
            (pages / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, pages / name)
    for beside, page in FRONT.items():
        _write(pages / page, _relinked(root, root / beside, Path(page)))
    for topic, (title, *shown) in API.items():
        blocks = [f"# {title}", *(f"::: {item}" for item in shown)]
        _write(pages / "api" / f"{topic}.md", "\n\n".join(blocks) + "\n")
    shutil.copyfile(root / "docs" / _CONFIG, target / _CONFIG)
    return target / _CONFIG


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _relinked(root: Path, source: Path, page: Path) -> str:
    """The text of a page with its links as they are in the site."""

    def relinked(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        path, mark, anchor = target.partition("#")
        if "://" in target or not path:
            return match[0]
        file = (source.parent / path).resolve().relative_to(root.resolve())
        if file.suffix not in _SHOWN or not (file.parts[0] == "docs" or str(file) in FRONT):
            shown = f"`{file}`"
            return text if str(file) in text else f"{text} ({shown})"
        place = Path(FRONT[str(file)]) if str(file) in FRONT else file.relative_to("docs")
        up = "../" * (len(page.parts) - 1)
        return f"{image}[{text}]({up}{place}{mark}{anchor})"

    return _LINK.sub(relinked, source.read_text(encoding="utf-8"))
