"""Tables of the page."""

from collections.abc import Sequence
from html import escape


def table(heads: Sequence[str], rows: Sequence[str]) -> str:
    """A table that scrolls sideways where the screen is narrow; `rows` hold their cells as HTML."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def cells(*values: str) -> str:
    """One row, its cells HTML already."""
    return "".join(f"<td>{value}</td>" for value in values)
