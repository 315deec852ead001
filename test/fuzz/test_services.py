"""Random and extreme requests to every service of the real node: each is answered, and the node goes on."""

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("simulation_interfaces.srv", reason="built by ./lingbot test or ./lingbot sim")
from simulation_interfaces.msg import SimulationState

from lingbot_msgs.msg import ErrorCode, RobotAction, SessionControls
from lingbot_msgs.srv import ListSessions, Observe, RestoreSession, SaveSession, StartSession, Step, StepSessions
from test.fuzz.outcomes import HUNG_S, LONGEST_MESSAGE, Outcome, Outcomes
from test.fuzz.random_requests import fill, find_type
from test.support.imagination import Probe, image_message, picture, running_node
from test.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

REQUESTS = 60
"""To each service."""
ACTION = RobotAction(values=[1.0, 2.0])
ORDINARY: dict[str, Any] = {
    "start_session": StartSession.Request(image=image_message(picture()), session_id="new"),
    "step": Step.Request(actions=[ACTION]),
    "step_sessions": StepSessions.Request(session_ids=["kept"], controls=[SessionControls(actions=[ACTION])]),
    "observe": Observe.Request(images=[image_message(picture())], actions=[ACTION]),
    "save_session": SaveSession.Request(session_id="kept", path="some.snapshot", overwrite=True),
    "restore_session": RestoreSession.Request(path="true.snapshot", session_id="new"),
}
"""What random fields are put into; the others begin empty."""
LEFT_OUT = ("change_state",)
"""It would end what the others are asked of; `test_counts.py` has it."""


def outcome_of(response: Any) -> Outcome:
    if hasattr(response, "error_code"):
        code, message = response.error_code, response.error_msg
    elif hasattr(response, "result") and hasattr(response.result, "error_message"):
        code, message = int(response.result.result != 1), response.result.error_message
        if "Error: " in message and "Traceback" in message:
            return Outcome.RAW
    else:
        return Outcome.ACCEPTED
    if code == ErrorCode.NONE:
        return Outcome.ACCEPTED
    return Outcome.RAW if code == ErrorCode.INTERNAL or not 0 < len(message) <= LONGEST_MESSAGE else Outcome.CLEAR


def ask(probe: Probe, kind: Any, name: str, request: Any, outcomes: Outcomes) -> None:
    client = probe.node.create_client(kind, name)
    assert client.wait_for_service(60), name
    pending = client.call_async(request)
    try:
        probe.wait(pending.done, HUNG_S)
    except AssertionError:
        outcomes.add(Outcome.HUNG, f"{name}: {request}")
    else:
        outcomes.add(outcome_of(pending.result()), f"{name}: {request} -> {pending.result()}")
    probe.node.destroy_client(client)


def test_every_service(outcomes_of: Callable[[str], Outcomes], tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "models")
    parameters = {
        "mode": "lockstep",
        "simulator__enabled": "true",
        "simulator__worlds": tmp_path,
        "recording__folder": tmp_path / "bags",
    }
    with running_node(tmp_path, model__name=model, **parameters) as (node, probe):
        probe.bring_up()
        probe.start(session_id="kept")
        first = SaveSession.Request(session_id="kept", path="true.snapshot")
        assert probe.call(SaveSession, "save_session", first).error_msg == ""
        found = probe.node.get_service_names_and_types_by_node("imagination", "/")
        services = [
            (name, kinds[0])
            for name, kinds in found
            if name.rsplit("/", 1)[1] not in LEFT_OUT and "/_action/" not in name
        ]
        assert len(services) > 30
        outcomes, chance = outcomes_of("services of the node"), random.Random(0)
        for turn in range(REQUESTS):
            for name, kind in services:
                service = find_type(*kind.rsplit("/", 1))
                request = copy.deepcopy(ORDINARY.get(name.rsplit("/", 1)[1], service.Request()))
                fill(request, chance, chance.choice((0.1, 0.3, 1.0)))
                if name.endswith("set_simulation_state") and request.state.state == SimulationState.STATE_QUITTING:
                    continue  # it asks the node to quit, which is no fault
                ask(probe, service, name, request, outcomes)
                assert node.process.poll() is None, f"{name}: {request}\n{node.log_text()[-3000:]}"
            assert probe.call(ListSessions, "list_sessions").error_msg == "", turn
        assert node.stop() == 0
