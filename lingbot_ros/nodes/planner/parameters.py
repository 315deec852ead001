"""Parameters of the planner node: declared with meaning and range, then read once into a frozen config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lingbot_ros.nodes.model_parameters import MODEL_PARAMETERS, load_options
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SOLVERS
from lingbot_ros.world import LoadOptions

PARAMETERS = (
    *MODEL_PARAMETERS,
    Parameter("imagination_node", "imagination", "name of the imagination node in whose sessions a goal may start; it "
              "runs the same model on this machine"),
    Parameter("imagination_timeout", 30.0, "time limit for one answer of the imagination node, s", 0.1, 7200.0),
    Parameter("solver", "icem", "how to search, for goals that name no solver", choices=SOLVERS),
    Parameter("samples", 200, "candidates per iteration, for goals that name no number", 2, 1_000_000),
    Parameter("iterations", 8, "for goals that name no number", 1, 10_000),
    Parameter("horizon", 25, "frames of a plan, for goals that name no number", 1, 100_000),
    Parameter("execute", 5, "frames of a plan that are acted on before the next plan, while following", 1, 100_000),
    Parameter("trust_penalty", 0.0, "cost of a future that is not to be believed at all, in units of the task's cost",
              0.0, 1e9),
    Parameter("image_timeout", 1.0, "time of acting without an image on the topic image after which following stops, "
              "s", 0.05, 3600.0),
    Parameter("distrust_frames", 3, "real images in a row that the model does not understand after which following "
              "stops", 1, 1000),
    Parameter("attempts", 3, "horizons in a row that come no nearer to the goal after which following stops", 1, 1000),
)  # fmt: skip


@dataclass(frozen=True)
class PlannerConfig:
    """The complete configuration of the node; see PARAMETERS."""

    options: LoadOptions
    load_timeout_s: float
    imagination_node: str
    imagination_timeout_s: float
    solver: str
    samples: int
    iterations: int
    horizon: int
    execute: int
    trust_penalty: float
    image_timeout_s: float
    distrust_frames: int
    attempts: int


def config_of(values: Mapping[str, Any]) -> PlannerConfig:
    """The configuration of the values of all PARAMETERS by name.

    Raises InputError with the parameter, its value and the accepted values.
    """
    for parameter in PARAMETERS:
        parameter.check(values[parameter.name])
    horizon, execute = int(values["horizon"]), int(values["execute"])
    Horizon(horizon, execute, horizon)  # raises InputError where they do not go together
    return PlannerConfig(
        options=load_options(values),
        load_timeout_s=float(values["model.load_timeout"]),
        imagination_node=str(values["imagination_node"]),
        imagination_timeout_s=float(values["imagination_timeout"]),
        solver=str(values["solver"]),
        samples=int(values["samples"]),
        iterations=int(values["iterations"]),
        horizon=horizon,
        execute=execute,
        trust_penalty=float(values["trust_penalty"]),
        image_timeout_s=float(values["image_timeout"]),
        distrust_frames=int(values["distrust_frames"]),
        attempts=int(values["attempts"]),
    )
