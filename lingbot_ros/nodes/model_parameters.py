"""The parameters `model.*` of every node that loads a model."""

from collections.abc import Mapping
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.model_options import MODEL_OPTIONS
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.tasks.registry import DEFAULT_MODEL
from lingbot_ros.world import LoadOptions

MODEL_PARAMETERS = (
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
)


def load_options(values: Mapping[str, Any]) -> LoadOptions:
    """What to load, from the values of all MODEL_PARAMETERS by name. Raises InputError that names the parameter."""
    try:
        return LoadOptions.from_plain({option.name: values[option.parameter] for option in MODEL_OPTIONS})
    except InputError as error:
        raise InputError(f"model.{error.field}", error.value, error.fix) from error
