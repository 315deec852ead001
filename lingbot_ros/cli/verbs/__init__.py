"""The verbs of `lingbot`, one module each: `HELP`, `add_arguments(parser)` and `run(args) -> int`.

A module imports at its top only the standard library; the rest it imports in `run`, so that help is instant.
"""
