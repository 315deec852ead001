"""Pilot and director ask over real HTTP, or a model of a true class; what they cannot use they refuse in a sentence."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lingbot_ros.agent.decision import Limits, Velocity
from lingbot_ros.agent.director import Director
from lingbot_ros.agent.language_model import Endpoint, Image, LocalModel
from lingbot_ros.agent.pilot import TEMPLATE, Pilot, check_template
from lingbot_ros.errors import InputError, LingbotError, ModelError
from test.support.scripted_endpoint import scripted_endpoint
from test.support.tiny_vision_language import write_vlm

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
AHEAD = json.dumps({"seen": "a door", "keys": "w", "seconds": 2})
KEY = "a-secret-of-mine"


def test_the_endpoint_gets_image_instruction_limits_and_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINGBOT_TEST_KEY", KEY)
    with scripted_endpoint(lambda _: f"I think so: {AHEAD}") as endpoint:
        model = Endpoint(endpoint.url, "name", "LINGBOT_TEST_KEY", 10.0)
        pilot = Pilot(model, "find the door", "keys", Limits(duration_s=1.5, speed_m_s=0.25))
        decision = pilot.decide(IMAGE)
        pilot.decide(IMAGE)
    assert [(s.command, s.duration_s) for s in decision.segments] == [("w", 1.5)]
    assert decision.seen == "a door"
    request = endpoint.asked[0]
    assert (request["path"], request["model"]) == ("/v1/chat/completions", "name")
    assert request["response_format"]["json_schema"]["schema"]["properties"].keys() == {"seen", "keys", "seconds"}
    (picture, _) = request["messages"][0]["content"]
    data = base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], IMAGE)
    for part in ("find the door", "1.5 s", "0.25 m/s", "Your last decision: none"):
        assert part in endpoint.text(0)
    assert '"keys": "w"' in endpoint.text(1)
    assert endpoint.keys == [f"Bearer {KEY}"] * 2


def test_an_answer_that_cannot_be_used_is_asked_for_again_with_the_reason() -> None:
    answers = iter(["no idea", '{"seen": "", "forward": 1, "left": 0, "turn": "fast", "seconds": 1}',
                    '{"seen": "", "forward": 1, "left": 0, "turn": 0, "seconds": 1}'])  # fmt: skip
    with scripted_endpoint(lambda _: next(answers)) as endpoint:
        model = Endpoint(endpoint.url, "name", "", 10.0)
        decision = Pilot(model, "go", "velocity", Limits(), attempts=3).decide(IMAGE)
    assert decision.segments[0].command == Velocity(0.8, 0.0, 0.0)
    assert "answer with a JSON object" in endpoint.text(1)
    assert "turn" in endpoint.text(2).partition("could not be used")[2]
    assert endpoint.keys[0] is None


@pytest.mark.parametrize("said", [500, "no idea", '{"seen": 1}', "{" * 5000])
def test_a_model_that_gives_no_decision_is_an_error_without_the_key(
    said: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINGBOT_TEST_KEY", KEY)
    with scripted_endpoint(lambda _: said) as endpoint:
        pilot = Pilot(Endpoint(endpoint.url, "name", "LINGBOT_TEST_KEY", 10.0), "go", "keys", Limits())
        with pytest.raises(LingbotError) as caught:
            pilot.decide(IMAGE)
    assert "base_url" in str(caught.value) or "no answer that can be used in 2 attempts" in str(caught.value)
    assert KEY not in str(caught.value)


def test_an_endpoint_that_is_not_there_or_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_endpoint(lambda _: "") as endpoint:
        gone = endpoint.url
    with pytest.raises(LingbotError, match=r"base_url: http://127.0.0.1:\d+/v1 did not answer"):
        Endpoint(gone, "name", "", 5.0).answer([IMAGE], "hello", {})
    with pytest.raises(InputError, match="localhost:8000"):
        Endpoint("ftp://x", "name", "", 5.0)
    monkeypatch.delenv("LINGBOT_TEST_KEY", raising=False)
    with pytest.raises(InputError, match="LINGBOT_TEST_KEY"):
        Endpoint(gone, "name", "LINGBOT_TEST_KEY", 5.0)


def test_a_model_of_a_true_class_is_asked_all_the_same(tmp_path: Path) -> None:
    """Its weights are random, so that it talks nonsense: the path is what is tested."""
    pilot = Pilot(LocalModel(str(write_vlm(tmp_path / "vlm"))), "go", "keys", Limits(), attempts=1)
    with pytest.raises(LingbotError, match="no answer that can be used in 1 attempts: answer: got (?!nothing)"):
        pilot.decide(IMAGE)
    with pytest.raises(InputError, match="hf download some/model"):
        LocalModel("some/model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="model:"):
        LocalModel(str(tmp_path / "empty"))


class Recorded:
    """Answers in turn."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.texts = list(answers), list[str]()

    def answer(self, images: Sequence[Image], text: str, schema: dict[str, Any]) -> str:
        self.texts.append(text)
        return self.answers.pop(0)


def test_a_director_writes_on_from_its_last_prompt() -> None:
    model = Recorded('{"prompt": "it rains"}', '{"prompt": "the rain stops"}', '{"prompt": ""}', "nothing",
                     '{"prompt": "\\ud800"}')  # fmt: skip
    director = Director(model, "a day in the city")
    assert [director.next_prompt(IMAGE), director.next_prompt(IMAGE)] == ["it rains", "the rain stops"]
    assert "The prompt so far: it rains" in model.texts[1]
    for _ in range(3):
        with pytest.raises(InputError):
            director.next_prompt(IMAGE)
    assert "The prompt so far: the rain stops" in model.texts[-1]


def test_templates_are_checked_before_anybody_is_asked() -> None:
    check_template(TEMPLATE)
    for text in ("no field", "{schema} {speed} {unknown}", "{schema} {", "{schema.__class__}"):
        with pytest.raises(InputError, match=r"pilot\.template"):
            check_template(text)
