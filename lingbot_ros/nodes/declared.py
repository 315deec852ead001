"""Parameters of a node: declared from what was given, read, and checked before they change."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from lingbot_ros.errors import InputError
from lingbot_ros.nodes.overrides import QOS_PREFIX, overrides, unknown_parameters
from lingbot_ros.nodes.parameter import Parameter


def declare(node: Node, parameters: Sequence[Parameter]) -> None:
    """Declare them all; values from YAML and the command line are converted, and those of no parameter are logged.

    Raises InputError for one that cannot be what the parameter is.
    """
    given = overrides(node)
    for parameter in parameters:
        value = parameter.converted(given[parameter.name]) if parameter.name in given else parameter.default
        node.declare_parameter(parameter.name, value, parameter.descriptor(), ignore_override=True)
    for sentence in unknown_parameters(node, [name for name in given if not name.startswith(QOS_PREFIX)]):
        node.get_logger().warning(sentence)


def values_of(node: Node, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The present values of declared parameters, by name."""
    return {parameter.name: node.get_parameter(parameter.name).value for parameter in parameters}


def checked(
    node: Node,
    wanted: Sequence[RosParameter],
    parameters: Sequence[Parameter],
    config_of: Callable[[Mapping[str, Any]], object],
) -> SetParametersResult:
    """Whether `config_of`, which raises InputError, takes the values of all `parameters` with the `wanted` ones."""
    changed = changed_values(wanted, parameters)
    declared = values_of(node, [parameter for parameter in parameters if node.has_parameter(parameter.name)])
    try:
        if len(declared) == len(parameters):  # else they are being declared
            config_of({**declared, **changed})
    except InputError as error:
        return SetParametersResult(successful=False, reason=str(error))
    return SetParametersResult(successful=True)


def changed_values(wanted: Sequence[RosParameter], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Those of `wanted` that are of `parameters`, by name."""
    mine = {parameter.name for parameter in parameters}
    return {parameter.name: parameter.value for parameter in wanted if parameter.name in mine}
