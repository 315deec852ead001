"""Options of the commands that can show a page."""

import argparse


def add_page_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --view, --host and --port."""
    page = parser.add_argument_group("page")
    page.add_argument("--view", action="store_true", help="drive the world yourself, on a page in your browser")
    page.add_argument("--host", default="127.0.0.1", help="address of the page; 0.0.0.0 = also from other machines, "
                      "with a token (default: 127.0.0.1, this machine only)")  # fmt: skip
    page.add_argument("--port", type=int, default=8420, help="port of the page; 0 = any free one (default: 8420)")
