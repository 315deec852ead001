"""The shipped Push-T model against the simulator, on scenes that its training never used."""

import pytest

from lingbot_ros.tasks.pusht.report.evaluation import evaluate
from lingbot_ros.tasks.pusht.report.report import ModelReport
from lingbot_ros.tasks.pusht.report.text import report_text
from lingbot_ros.world import World

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def report() -> ModelReport:
    world = World.load("pusht-small")
    kinds = ("shuffled", "hold")
    report = evaluate(world, 24, seed=0, context=4, horizon=16, kinds=kinds, contact_only=True, quiet=True).report
    print(report_text(report))
    return report


@pytest.mark.parametrize("number", range(6))
def test_what_is_required_is_reached(report: ModelReport, number: int) -> None:
    check = report.required[number]
    assert check.passed, f"{check.name}: {check.value:.2f}, must be {check.relation} {check.minimum}"


def test_other_actions_lead_where_the_simulator_goes_with_them(report: ModelReport) -> None:
    """A pusher told to stay must stay, although it never did in this past: the model follows actions, not its memory.

    Shuffled and flipped actions make the pusher jump farther than anything in the data; it then vanishes, as the card
    says, so that they show only that the future is not the true one.
    """
    held = report.wrong_actions["hold"]
    for at in (0, 1):
        same, true = (held[side]["pusher_px_median"][at].value for side in ("from_same", "from_true"))
        assert same < 3
        assert same < true / 3
