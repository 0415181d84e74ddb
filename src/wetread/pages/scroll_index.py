"""pages/scroll_index.py: the page that lists the pages of a folder, study by study."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.pages.content_policy import content_policy
from wetread.pages.page import USE

NAME = "index.html"


@dataclass(frozen=True)
class ListedPage:
    """A series of the folder. unusual: names of its issues; unread: why it has no page, else ""."""

    study: str
    file: str
    name: str
    slices: int
    unusual: tuple[str, ...] = ()
    unread: str = ""


def write_scroll_index(folder: Path, pages: Sequence[ListedPage]) -> Path:
    """Write folder/index.html; the pages stay in their order, the studies in that of the first."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    studies: dict[str, list[ListedPage]] = {}
    for page in pages:
        studies.setdefault(page.study, []).append(page)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = (resources.files("wetread.pages") / "scroll" / "index.html.j2").read_text("utf-8")
    html = environment.from_string(source).render(
        use=USE, studies=studies.items(), policy=Markup(content_policy())
    )
    path = folder / NAME
    write_whole(path, html.encode())
    return path
