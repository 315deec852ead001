"""`lingbot models`, as a program of its own: against a hub on this machine, against none, and on damaged files."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.checkpoints.weights import parameter_shapes
from test.support.fake_hub import Hub, running_hub
from test.support.released_layouts import CAMERA, add_companions, random_weights, write_shards

ROOT = Path(__file__).parents[2]
SHARD = "model-00002-of-00003.safetensors"


class Program:
    """Runs `lingbot models` with its own cache and models."""

    def __init__(self, home: Path, endpoint: str) -> None:
        self.variables = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HF_HOME": str(home / "hf"),
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_XET": "1",
            "LINGBOT_MODELS": str(home / "models"),
            "LINGBOT_WEIGHTS": "",
            "OMP_NUM_THREADS": "1",
        }

    def __call__(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lingbot_ros.cli.main", "models", *map(str, arguments)]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=120, env={**self.variables, **variables}
        )


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Like the 1.3B: the transformer alone in one repository, the other parts in a second beside other weights."""
    write_shards(
        tmp_path / "hub" / "robots" / "tiny", random_weights(), stem="model", index="model.safetensors.index.json"
    )
    large = write_shards(tmp_path / "hub" / "robots" / "large" / "transformers", random_weights()).parent
    add_companions(large)
    (large / "google" / "umt5-xxl" / "tokenizer.json").write_text("{}")
    with running_hub(tmp_path / "hub") as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, hub: Hub) -> Program:
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    card = yaml.safe_load((ROOT / "models" / "lingbot-world-v2-1.3b" / "card.yaml").read_text())
    card |= {"name": "tiny", "architecture": to_plain(CAMERA), "height": 64, "width": 64}
    card["weights"] = {"repository": "robots/tiny", "companions": "robots/large", "bytes": 1}
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    return Program(tmp_path, hub.url)


def test_download_fetches_what_is_needed_checks_it_and_the_model_is_there(program: Program, tmp_path: Path) -> None:
    assert "tiny" in program("info", "tiny").stdout and "models download tiny" in program("info", "tiny").stdout
    done = program("download", "robots/tiny")
    assert done.returncode == 0, done.stderr
    assert "CC-BY-NC-SA-4.0" in done.stdout and "tiny: complete" in done.stdout
    assert "4 compared with their SHA-256" in done.stdout and "2 compared with their SHA-256" in done.stdout
    fetched = {path.name for path in (tmp_path / "hf").rglob("*") if path.is_symlink()}
    assert {SHARD, "Wan2.1_VAE.pth", "tokenizer.json"} <= fetched
    assert not any(name.startswith("diffusion_pytorch_model") for name in fetched), (
        "the other model is 74 GB in earnest"
    )
    assert "weights: on this machine" in program("info", "tiny").stdout
    verified = program("verify", "tiny")
    assert verified.returncode == 0 and "91 tensors (91 F32)" in verified.stdout, verified.stderr
    again = program("download", "tiny")
    assert again.returncode == 0 and "0 of 4 files to fetch" in again.stdout


def test_an_interrupted_download_goes_on_where_it_stopped(program: Program, hub: Hub) -> None:
    large = hub.root / "robots" / "large" / "Wan2.1_VAE.pth"
    large.write_bytes(os.urandom(25_000_000))  # it is written in pieces of 10 MB
    hub.cut[large.name] = 22_000_000
    first = program("download", "tiny")
    done = first if first.returncode == 0 else program("download", "tiny")
    assert done.returncode == 0 and "complete" in done.stdout, done.stderr
    starts = [int(wanted.removeprefix("bytes=").split("-")[0]) for wanted in hub.ranges]
    assert any(10_000_000 <= start <= 22_000_000 for start in starts)


def test_a_file_that_was_damaged_on_its_way_is_named(program: Program, hub: Hub) -> None:
    hub.spoil.add(SHARD)
    done = program("download", "tiny")
    assert done.returncode == 1 and SHARD in done.stderr and "SHA-256" in done.stderr


def test_without_a_network_one_line_says_so(program: Program) -> None:
    done = program("download", "tiny", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
    assert "cannot reach the hub" in done.stderr and "refused" in done.stderr


def test_a_repository_that_is_not_there_or_gated(program: Program, hub: Hub) -> None:
    (hub.root / "robots" / "large").rename(hub.root / "robots" / "other")
    done = program("download", "tiny")
    assert done.returncode == 1 and "robots/large" in done.stderr and "auth login" in done.stderr


def test_a_shipped_model_needs_no_download(program: Program) -> None:
    done = program("download", "pusht-small")
    assert done.returncode == 2 and "shipped" in done.stderr


def test_list_tells_licence_and_presence(program: Program) -> None:
    lines = program("list").stdout.splitlines()
    assert lines[0].startswith("engine: torch ")
    shipped = next(line for line in lines if line.startswith("pusht-small"))
    tiny = next(line for line in lines if line.startswith("tiny"))
    assert "Apache-2.0" in shipped and " yes " in shipped
    assert "CC-BY-NC-SA-4.0" in tiny and " no " in tiny
    assert any("non-commercial" in line for line in lines)


def write_hollow(folder: Path, card: ModelCard, shards: int) -> Path:
    """The card's full-size float32 checkpoint with real headers and no data: files of holes."""
    folder.mkdir()
    shapes = parameter_shapes(card.architecture)
    weight_map = {}
    for number in range(shards):
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        header, offset = {}, 0
        for tensor in list(shapes)[number::shards]:
            size = 4
            for length in shapes[tensor]:
                size *= length
            header[tensor] = {"dtype": "F32", "shape": list(shapes[tensor]), "data_offsets": [offset, offset + size]}
            offset += size
            weight_map[tensor] = name
        text = json.dumps(header).encode()
        with (folder / name).open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + offset)
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


@pytest.mark.parametrize(
    ("name", "shards", "expected"),
    [
        ("lingbot-world-v2-14b", 8, "1421 tensors (1421 F32), 18,544,332,864 parameters"),
        ("lingbot-world-v2-1.3b", 6, "1071 tensors (1071 F32), 1,709,502,016 parameters"),
    ],
)
def test_full_size_checkpoints_verify(program: Program, tmp_path: Path, name: str, shards: int, expected: str) -> None:
    done = program("verify", write_hollow(tmp_path / "checkpoint", find_card(name), shards))
    assert done.returncode == 0 and expected in done.stdout, done.stderr
    assert "camera rays of 6 channels" in done.stdout


def test_verify_names_what_is_wrong(program: Program, tmp_path: Path) -> None:
    weights = random_weights()
    folder = write_shards(tmp_path / "checkpoint", weights)
    shard = folder / "diffusion_pytorch_model-00001-of-00003.safetensors"
    shard.write_bytes(shard.read_bytes()[:-10])
    done = program("verify", folder)
    assert done.returncode == 1 and shard.name in done.stderr and "truncated" in done.stderr
    del weights["blocks.1.norm3.bias"]
    done = program("verify", write_shards(folder, weights))
    assert done.returncode == 1 and "missing blocks.1.norm3.bias" in done.stderr
