"""`lingbot imagine` along a camera trajectory, as a user runs it, with a tiny camera model and without weights."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.cli.main import main
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.control.poses import interpolate_poses
from lingbot_ros.world import World
from test.support.imagination import PATIENCE_S, ROOT, isolated_environment, picture
from test.support.poses import pose_messages
from test.support.tiny_camera import FOUR_STEPS, write_tiny_camera_model

EXAMPLE = ROOT / "test" / "data" / "example_00"
PATH = script_poses(parse_key_script("w-8,wl-12,i-4,sj-8"))  # 33 poses: chunks of 5, 8, 8, 8 and 4 too many


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """The command takes SIGTERM for itself; within this process it must give it back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def imagine(arguments: Sequence[object], home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**isolated_environment(), "HF_HOME": str(home), "LINGBOT_WEIGHTS": ""}
    command = [sys.executable, "-m", "lingbot_ros.cli.main", "imagine", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=3 * PATIENCE_S, check=False
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_camera_model(tmp_path_factory.mktemp("models"), sampler=FOUR_STEPS.one_step())


@pytest.fixture
def image(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "first.png"), picture(72)[:48, :, ::-1])
    return tmp_path / "first.png"


def test_the_last_image_is_the_core_own(model: Path, image: Path, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("a red house in the rain\n")
    (tmp_path / "prompts.yaml").write_text("- {frame: 14, prompt: snow}\n- {time_s: 1.4, prompt: }\n")
    np.save(tmp_path / "poses.npy", PATH.astype(np.float32))
    np.save(tmp_path / "intrinsics.npy", np.array([[416.0, 400.0, 400.0, 240.0]]))
    scene = ["--image", image, "--poses", tmp_path / "poses.npy", "--intrinsics", tmp_path / "intrinsics.npy"]
    options = [
        "--prompt",
        tmp_path / "prompt.txt",
        "--prompts",
        tmp_path / "prompts.yaml",
        "--seed",
        3,
        "--threads",
        1,
        "--precision",
        "f32",
    ]
    done = imagine(["--model", model, *scene, *options, "--out", tmp_path / "out"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "trajectory: 33 poses for 29 frames in 4 chunks (5 frames, then 8)" in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    expected = {"frames_received": 29, "poses_given": 33, "prompt": "a red house in the rain", "precision": "f32"}
    assert {name: summary[name] for name in expected} == expected
    world = World.load(model, threads=1)
    lens = np.array([416 * 72 / 832, 400 * 48 / 480, 400 * 72 / 832, 240 * 48 / 480])
    session = world.start(
        picture(72)[:48], prompt=summary["prompt"], seed=3, intrinsics=lens, unit_step=summary["unit_step"]
    )
    sent = np.load(tmp_path / "poses.npy").astype(np.float64)
    spread = interpolate_poses(sent, np.linspace(0, 32, 29))
    path = np.stack([pose_to_camera_to_world(message.pose, "pose") for message in pose_messages(spread)])
    for first, end in ((0, 5), (5, 13), (13, 21), (21, 29)):
        session.prompt = "snow" if first == 13 else summary["prompt"]
        frames = session.step(path[first:end])
    film = cv2.VideoCapture(str(tmp_path / "out" / "imagined.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 29
    shown = cv2.imread(str(tmp_path / "out" / "latest.png"))
    assert shown is not None
    factor = shown.shape[0] // world.info.height
    difference = np.abs(shown[::factor, ::factor, ::-1].astype(int) - frames[-1])
    assert difference.max() <= 1  # the lens went through a message


def test_a_whole_session_follows_the_released_example(model: Path, image: Path, tmp_path: Path) -> None:
    scene = ["--poses", EXAMPLE / "poses.npy", "--intrinsics", EXAMPLE / "intrinsics.npy", "--prompt", "a red house"]
    done = imagine(["--model", model, "--image", image, *scene, "--threads", 1], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "trajectory: 961 poses for 957 frames in 120 chunks" in done.stdout
    assert "intrinsics: pixels at 832x480" in done.stdout
    assert "\n957 frames in " in done.stdout
    assert "licence Apache-2.0" in done.stderr  # the node's log


def test_without_weights_it_says_what_to_download_and_whether_it_would_fit(image: Path, tmp_path: Path) -> None:
    scene = ["--image", image, "--poses", EXAMPLE / "poses.npy", "--intrinsics", EXAMPLE / "intrinsics.npy"]
    done = imagine(["--model", "lingbot-world-v2-1.3b", *scene, "--prompt", "a castle", "--device", "cpu"], tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for part in (
        "lingbot imagine: lingbot-world-v2-1.3b: its weights are not on this machine",
        "`./lingbot models download lingbot-world-v2-1.3b`: robbyant/lingbot-world-v2-1.3b-causal-fast (6.8 GB)",
        "(11.9 GB) of robbyant/lingbot-world-v2-14b-causal-fast",
        "Licence: CC-BY-NC-SA-4.0 (non-commercial use only)",
        "memory plan of lingbot-world-v2-1.3b in f32 at 768x512:",
        "fit here: it needs ",
        "lingbot-world-v2-1.3b in bf16 at 768x512 ",
    ):
        assert part in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--poses", EXAMPLE / "poses.npy"], "--image: got nothing; "),
        (["--image", EXAMPLE / "poses.npy", "--keys", "w-9"], "bytes; give a whole JPEG or PNG"),
        (["--image", "IMAGE"], "--poses, --action-string, --keys: got none of them; "),
        (["--image", "IMAGE", "--keys", "w-9", "--policy", "demo"], "--policy: got 'demo'; leave it out"),
        (["--image", "IMAGE", "--keys", "w-9", "--prompt", "no.txt"], "--prompt: got 'no.txt'; it cannot be read"),
        (["--image", "IMAGE", "--keys", "w-9", "--prompts", "PROMPTS"], "--prompts: got an empty prompt; also give"),
    ],
    ids=["image", "not an image", "trajectory", "policy", "prompt", "prompts"],
)
def test_bad_options_are_one_sentence(
    model: Path, image: Path, arguments: list[object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (image.parent / "prompts.yaml").write_text("- {frame: 0, prompt: }\n")
    files = {"IMAGE": image, "PROMPTS": image.parent / "prompts.yaml"}
    given = [files.get(str(argument), argument) for argument in arguments]
    assert main(["imagine", "--model", str(model), *map(str, given)]) == 2
    assert message in capsys.readouterr().err


def test_camera_options_need_a_camera_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imagine", "--model", "pusht-small", "--keys", "w-9"]) == 2
    assert "--keys: got w-9; leave it out: pusht-small takes actions" in capsys.readouterr().err
