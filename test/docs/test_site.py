"""`lingbot docs`: the pages that the generator gets, and the site that it makes of them."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lingbot_ros.cli.docs.pages import API, gather
from lingbot_ros.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    gather(ROOT, folder)
    return folder


def test_every_link_of_the_gathered_pages_leads_to_a_page_and_to_a_heading(gathered: Path) -> None:
    pages = gathered / "docs"
    for page in pages.rglob("*.md"):
        for target, anchor in re.findall(r"\]\((?!\w+://)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
            file = (page.parent / target).resolve() if target else page
            assert file.is_file() and file.is_relative_to(pages.resolve()), f"{page.name}: {target}"
            assert not anchor or anchor in headings(file), f"{page.name}: {target}#{anchor}"


def headings(page: Path) -> set[str]:
    """The anchors of a page as GitHub and the generator make them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip()) for title in found}


def test_the_navigation_has_every_page(gathered: Path) -> None:
    named = set(re.findall(r'= "([\w/]+\.md)"', (gathered / "zensical.toml").read_text()))
    pages = {str(path.relative_to(gathered / "docs")) for path in (gathered / "docs").rglob("*.md")}
    assert named == pages
    assert {f"api/{name}.md" for name in API} <= pages


def test_the_site_is_built_and_has_the_api(tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="./lingbot setup --docs")
    pytest.importorskip("mkdocstrings", reason="./lingbot setup --docs")
    assert main(["docs", "--build", str(tmp_path / "site")]) == 0
    page = (tmp_path / "site" / "api" / "world" / "index.html").read_text()
    assert 'id="lingbot_ros.world.Session.fork"' in page and "Imagine one chunk" in page
    assert (tmp_path / "site" / "search.json").is_file()


def test_the_site_is_served_on_this_machine_until_ctrl_c() -> None:
    pytest.importorskip("zensical", reason="./lingbot setup --docs")
    pytest.importorskip("mkdocstrings", reason="./lingbot setup --docs")
    command = [sys.executable, "-P", "-m", "lingbot_ros.cli.main", "docs", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{url}troubleshooting/") as page:
            assert b"When something goes wrong" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_a_missing_generator_is_said_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lingbot_ros.cli.docs.site.have", lambda _: False)
    assert main(["docs", "--build", str(tmp_path / "site")]) == 1
    assert capsys.readouterr().err.strip().endswith("./lingbot setup --docs")


def test_a_folder_with_files_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["docs", "--build", str(tmp_path)]) == 2
    assert "give a folder that is new or empty" in capsys.readouterr().err
