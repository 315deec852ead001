"""The page's own files: a name or a prompt can never become markup or code."""

import re
from pathlib import Path

import pytest

import lingbot_ros.viewer

PAGE = Path(lingbot_ros.viewer.__file__).parent / "page"
WAYS_TO_MARKUP = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser"),
    *("srcdoc", "createContextualFragment", "setHTML"),
)


@pytest.mark.parametrize("way", WAYS_TO_MARKUP)
def test_text_is_only_ever_text(way: str) -> None:
    assert way not in (PAGE / "viewer.js").read_text()


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    page = (PAGE / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", page)
    for path in PAGE.iterdir():
        links = set(re.findall(r"https?://[^\s\"')]+", path.read_text()))
        assert links <= {"http://www.w3.org/2000/svg"}, path.name
