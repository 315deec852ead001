"""Parameters of the evaluator node: declared with meaning and range, then read once into a frozen config."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.home import expanded, ros_home
from lingbot_ros.nodes.model_parameters import MODEL_PARAMETERS, load_options
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.world import LoadOptions

PARAMETERS = (
    *MODEL_PARAMETERS,
    Parameter("imagination_nodes", [""], "names of imagination nodes that imagine instead of a model of this node's "
              "own; they run the same model and share the rollouts; empty = load model.name"),
    Parameter("imagination_rows", 4, "rollouts at once in each imagination node, at most its limits.sessions", 1, 4096),
    Parameter("imagination_timeout", 60.0, "time limit for one answer of an imagination node, s", 0.1, 7200.0),
    Parameter("rows", 16, "rollouts in one forward of the node's own model", 1, 4096),
    Parameter("rollouts", 50, "starts per policy of a goal that names no number", 1, 1_000_000),
    Parameter("report.folder", "", "folder of the reports; empty = $ROS_HOME/lingbot_ros/evaluations, or "
              "~/.ros/lingbot_ros/evaluations"),
    Parameter("trust.enabled", False, "compare the topic image with what the model imagines under the topic action, "
              "and publish ~/trust"),
    Parameter("trust.calibration", "", "file of normal deviations, made by `lingbot evaluate --calibrate`; empty = "
              "that of the package for the model, if it has one; without one the level is UNKNOWN"),
    Parameter("trust.window", 16, "frames from one real image to the next that imagination begins at, where no "
              "calibration decides it", 1, 100_000),
    Parameter("trust.recover_hold", 3, "normal frames that end a warning or, in a new window, a stop", 1, 1000),
    Parameter("value.enabled", False, "publish value and advantage of the images on the topic image"),
)  # fmt: skip


@dataclass(frozen=True)
class TrustConfig:
    """See the parameters `trust.*`."""

    enabled: bool
    calibration: Path | None
    window: int
    recover_hold: int


@dataclass(frozen=True)
class EvaluatorConfig:
    """The complete configuration of the node. nodes: names of imagination nodes; none = a model of its own."""

    options: LoadOptions
    load_timeout_s: float
    nodes: tuple[str, ...]
    node_rows: int
    node_timeout_s: float
    rows: int
    rollouts: int
    report_folder: Path
    trust: TrustConfig
    value: bool


def config_of(values: Mapping[str, Any]) -> EvaluatorConfig:
    """The configuration of the values of all PARAMETERS by name.

    Raises InputError with the parameter, its value and the accepted values.
    """
    for parameter in PARAMETERS:
        parameter.check(values[parameter.name])
    nodes = tuple(str(name) for name in values["imagination_nodes"] if name)
    if len(set(nodes)) < len(nodes):
        raise InputError("imagination_nodes", list(nodes), "name every node once")
    calibration = str(values["trust.calibration"])
    return EvaluatorConfig(
        options=load_options(values),
        load_timeout_s=float(values["model.load_timeout"]),
        nodes=nodes,
        node_rows=int(values["imagination_rows"]),
        node_timeout_s=float(values["imagination_timeout"]),
        rows=int(values["rows"]),
        rollouts=int(values["rollouts"]),
        report_folder=_folder(str(values["report.folder"])),
        trust=TrustConfig(
            enabled=bool(values["trust.enabled"]),
            calibration=expanded(calibration, "trust.calibration") if calibration else None,
            window=int(values["trust.window"]),
            recover_hold=int(values["trust.recover_hold"]),
        ),
        value=bool(values["value.enabled"]),
    )


def _folder(folder: str) -> Path:
    if folder:
        return expanded(folder, "report.folder")
    return ros_home() / "lingbot_ros" / "evaluations"
