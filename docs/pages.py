"""A hook of MkDocs: pages that stand elsewhere in the repository, and links that leave docs/.

Links are written for the repository, where `test_readme.py` follows them. Here they are turned to
the place that a file has on the site: pages of docs/ at its top, all others under their path in the
repository. A file that is no page, and that some page links to, comes along as it is.
"""

import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
ROOT = DOCS.parent

LINK = re.compile(r"(?<=\]\()([^)#:\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that the navigation names outside docs/, and the files that pages link to."""
    named = [ROOT / name for name in _named(config.nav) if not (DOCS / name).exists()]
    pages = [Path(file.abs_src_path or "") for file in files.documentation_pages()] + named
    linked = {target for page in pages for target in _links(page)}
    for path in dict.fromkeys([*named, *sorted(linked)]):
        if not path.is_relative_to(DOCS):
            files.append(_file(path, config))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links to where files are on the site, and plain the marks of commands that CI runs."""
    here = Path(page.file.abs_src_path or "").parent
    place = posixpath.dirname(page.file.src_uri)

    def turned(found: re.Match[str]) -> str:
        target = (here / found[0]).resolve()
        return posixpath.relpath(_uri(target), place) if target.is_file() else found[0]

    return LINK.sub(turned, markdown).replace("```sh ci\n", "```sh\n")


def on_post_build(config: MkDocsConfig) -> None:
    """Put the Markdown tables of published reports beside these: they are files to download."""
    for table in DOCS.glob("results/*/tables/*.md"):
        shutil.copy(table, Path(config.site_dir) / table.relative_to(DOCS))


def _named(nav: Any) -> Iterator[str]:
    """The pages of a navigation, which is a list, a mapping of titles, or a page."""
    if isinstance(nav, str):
        yield nav
    for item in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from _named(item)


def _links(page: Path) -> Iterator[Path]:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if (path := (page.parent / target).resolve()).is_file():
            yield path


def _uri(path: Path) -> str:
    return path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT).as_posix()


def _file(path: Path, config: MkDocsConfig) -> File:
    made: Callable[..., File] = File
    return made(
        _uri(path), str(ROOT), config.site_dir, config.use_directory_urls,
        inclusion=InclusionLevel.INCLUDED,
    )  # fmt: skip
