"""Parameters of the evaluator node: declared with meaning and range, then read once into a frozen config."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node

from lingbot_ros.errors import InputError
from lingbot_ros.model_options import MODEL_OPTIONS
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.tasks.registry import DEFAULT_MODEL
from lingbot_ros.world import LoadOptions

PARAMETERS = (
    *(
        Parameter(
            option.parameter,
            DEFAULT_MODEL if option.name == "name" else option.default,
            option.description,
            option.low,
            option.high,
            option.choices,
        )
        for option in MODEL_OPTIONS
    ),
    Parameter("model.load_timeout", 300.0, "time limit for loading the model in configure, s", 1.0, 7200.0),
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
    Parameter("trust.calibration", "", "file of normal deviations, trust.json of `lingbot evaluate --against`; empty = "
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


def declare(node: Node) -> None:
    """Declare all parameters; values from YAML and the command line are applied here."""
    for parameter in PARAMETERS:
        node.declare_parameter(parameter.name, parameter.default, parameter.descriptor())


def read_config(node: Node) -> EvaluatorConfig:
    """Read all parameters. Raises InputError with the parameter, its value and the accepted values."""
    return config_of({parameter.name: node.get_parameter(parameter.name).value for parameter in PARAMETERS})


def config_of(values: Mapping[str, Any]) -> EvaluatorConfig:
    """As `read_config`, from the values of all PARAMETERS by name."""
    for parameter in PARAMETERS:
        parameter.check(values[parameter.name])
    nodes = tuple(str(name) for name in values["imagination_nodes"] if name)
    if len(set(nodes)) < len(nodes):
        raise InputError("imagination_nodes", list(nodes), "name every node once")
    calibration = str(values["trust.calibration"])
    return EvaluatorConfig(
        options=_load_options(values),
        load_timeout_s=float(values["model.load_timeout"]),
        nodes=nodes,
        node_rows=int(values["imagination_rows"]),
        node_timeout_s=float(values["imagination_timeout"]),
        rows=int(values["rows"]),
        rollouts=int(values["rollouts"]),
        report_folder=_folder(str(values["report.folder"])),
        trust=TrustConfig(
            enabled=bool(values["trust.enabled"]),
            calibration=Path(calibration).expanduser() if calibration else None,
            window=int(values["trust.window"]),
            recover_hold=int(values["trust.recover_hold"]),
        ),
        value=bool(values["value.enabled"]),
    )


def _load_options(values: Mapping[str, Any]) -> LoadOptions:
    try:
        return LoadOptions.from_plain({option.name: values[option.parameter] for option in MODEL_OPTIONS})
    except InputError as error:
        raise InputError(f"model.{error.field}", error.value, error.fix) from error


def _folder(folder: str) -> Path:
    if folder:
        return Path(folder).expanduser()
    return Path(os.environ.get("ROS_HOME") or "~/.ros").expanduser() / "lingbot_ros" / "evaluations"
