"""The simulator with each released version of simulation_interfaces, whose definitions differ from ours as below.

Python modules made of the definitions stand in for the generated ones: they know the fields and constants of a version.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ROOT / "interfaces" / "simulation_interfaces"
Edit = Callable[[str], str]


def without(*lines: str) -> Edit:
    return lambda text: "\n".join(line for line in text.splitlines() if not any(part in line for part in lines))


def resource(name: str) -> Edit:
    """Release 2: one Resource in the place of its two fields."""
    return lambda text: without("string uri", "string resource_string")(f"Resource {name}\n{text}")


OLDER = {"srv/SetEntityState.srv": without("INVALID_POSE")}
DIFFERENCES: dict[str, dict[str, Edit | None]] = {
    "1.2": {
        **OLDER,
        "srv/SpawnEntities.srv": None,
        "msg/SpawnEntity.msg": None,
        "msg/SpawnResult.msg": None,
        "msg/SimulatorFeatures.msg": without("SPAWNING_ENTITIES"),
    },
    "1.5": {**OLDER},
    "1.6": {},
    "2.1": {
        "srv/LoadWorld.srv": resource("world_resource"),
        "srv/SpawnEntity.srv": resource("entity_resource"),
        "srv/SetEntityState.srv": lambda text: f"bool set_pose\nbool set_twist\nbool set_acceleration\n{text}",
    },
}

PROGRAM = """
import json, sys
from lingbot_ros.bridge import simulation_messages as messages
from lingbot_ros.nodes.simulator import services, steps
from lingbot_ros.world import World
from lingbot_ros.runtime.scene import parse_scene
from simulation_interfaces import srv

info = World.load(sys.argv[1], threads=1).info
features = messages.features(info, services.missing_services())
assert len(features.features) == len(messages.CAN)
told = json.loads(features.custom_info)
scene = parse_scene(open(sys.argv[2], encoding="utf-8").read())
assert messages.world_resource(scene).name == "pusht"
request = srv.LoadWorld.Request()
resource = getattr(request, "world_resource", request)
assert (resource.uri, resource.resource_string) == ("", "")
print(told["services_missing_in_the_interfaces"])
"""


def class_of(name: str, lines: str) -> str:
    constants = re.findall(r"^\s*(\w+)\s+([A-Z][A-Z0-9_]*)\s*=\s*(\d+)", lines, re.MULTILINE)
    fields = re.findall(r"^\s*([\w/<=]+(?:\[\w*\])?)\s+([a-z]\w*)\s*(?:#.*)?$", lines, re.MULTILINE)
    body = [f"    {constant} = {value}" for _, constant, value in constants]
    body += [f"    __slots__ = {[field for _, field in fields]!r}", "    def __init__(self, **given):"]
    for kind, field in fields:
        body.append(f"        self.{field} = given.pop({field!r}, {default(kind)})")
    return "\n".join([f"class {name}:", *body, "        assert not given, given", ""])


def default(kind: str) -> str:
    if kind.endswith("]"):
        return "[]"
    package, _, name = kind.rpartition("/")
    if name[0].isupper():
        module = f"{package or 'simulation_interfaces'}.msg"
        return f"__import__({module!r}, fromlist=['x']).{name}()"
    return "''" if name == "string" else "False" if name == "bool" else "0.0" if "float" in name else "0"


def write_package(folder: Path, version: str) -> None:
    changes = DIFFERENCES[version]
    package = folder / "simulation_interfaces"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for kind, parts in (("msg", [""]), ("srv", ["Request", "Response"]), ("action", ["Goal", "Result", "Feedback"])):
        classes = []
        for file in sorted((OURS / kind).iterdir()):
            edit = changes.get(f"{kind}/{file.name}", lambda text: text)
            if edit is None:
                continue
            texts = re.split(r"^---$", edit(file.read_text()), flags=re.MULTILINE)
            if parts == [""]:
                classes.append(class_of(file.stem, texts[0]))
                continue
            classes += [class_of(f"{file.stem}_{part}", text) for part, text in zip(parts, texts, strict=True)]
            members = "; ".join(f"{part} = {file.stem}_{part}" for part in parts)
            classes.append(f"class {file.stem}: {members}\n")
        (package / f"{kind}.py").write_text("\n".join(classes))


@pytest.mark.parametrize(
    ("version", "missing"), [("1.2", "['SpawnEntities']"), *((v, "[]") for v in ("1.5", "1.6", "2.1"))]
)
def test_the_simulator_fits_each_version(version: str, missing: str, model: Path, tmp_path: Path) -> None:
    write_package(tmp_path, version)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", PROGRAM, str(model), str(ROOT / "config" / "worlds" / "pusht.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == missing
