"""The model options as command-line arguments, for every command that loads a model."""

import argparse
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from lingbot_ros import model_options
from lingbot_ros.errors import InputError
from lingbot_ros.model_options import MODEL_OPTIONS, Plain

if TYPE_CHECKING:
    from lingbot_ros.world import LoadOptions


def add_model_arguments(
    parser: argparse.ArgumentParser, otherwise: str, name: bool = True, only: Container[str] | None = None
) -> None:
    """Add one argument per model option. `otherwise` describes the default of an option that is not given.

    name: False for a command that has another argument for the model's name. only: the options that the command takes.
    """
    group = parser.add_argument_group("model options", otherwise)
    for option in MODEL_OPTIONS:
        if only is not None and option.name not in only:
            continue
        if option.name == "name":
            if name:
                group.add_argument("--model", metavar="NAME", help=option.description)
            continue
        kind: dict[str, Any] = {"type": type(option.default), "metavar": option.metavar}
        if isinstance(option.default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        elif option.choices:
            kind = {"choices": option.choices}
        group.add_argument(f"--{option.name.replace('_', '-')}", default=None, help=option.description, **kind)


def given_options(args: argparse.Namespace, only: Container[str] | None = None) -> dict[str, Plain]:
    """The given model options, by name. only: those that the command takes."""
    names = [option.name for option in MODEL_OPTIONS if option.name != "name" and (only is None or option.name in only)]
    values = {name: getattr(args, name) for name in names}
    values["name"] = getattr(args, "model", None)
    return {name: value for name, value in values.items() if value is not None}


def load_options(args: argparse.Namespace, otherwise: Mapping[str, Plain]) -> "LoadOptions":
    """The given options over the defaults in `otherwise`. Raises InputError that names the argument."""
    from lingbot_ros.world import LoadOptions

    try:
        return LoadOptions.from_plain({**otherwise, **given_options(args)})
    except InputError as error:
        raise of_argument(error) from error


def of_argument(error: InputError) -> InputError:
    """The same error of the command-line argument that gives the option."""
    return InputError(f"--{error.field.replace('_', '-')}", error.value, error.fix)


def option_words(args: argparse.Namespace) -> list[str]:
    """The arguments that repeat the given model options, without the model's name."""
    return model_options.option_words(given_options(args))
