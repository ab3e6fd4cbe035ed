"""An executed notebook as one HTML page that needs no network.

Figures and explorers are drawn by templates/figures.js. Their data stand at the end of the page, after the text.
"""

import html
import json
import re
from pathlib import Path
from typing import Any

from mesokit.lesson.recording import PLOT, RECORD
from mesokit.lesson.states import MIME as EXPLORER
from mesokit.report.execute import quiet

PLOTLY = "plotly.min.js"  # beside the pages, for all of them
_WIDGET = "application/vnd.jupyter.widget-view+json"
_FOLD = re.compile("<(/?)details>")  # nbconvert would close the tag at once, before the paragraphs in the fold
_DOC = re.compile(r"\]\((?:\.\./docs/)?(?P<name>[\w-]+)\.md(?P<anchor>#[\w-]+)?\)")  # a link to one of the documents
_HEADING = re.compile(r'<h([23]) id="([^"]+)">(.*?)<a class="anchor-link"', re.DOTALL)
GUIDES = ("instructor", "responsible_use")  # documents that the first page links to
TEMPLATES = Path(__file__).parents[1] / "templates"


def documents(books: list[dict[str, Any]]) -> dict[str, str]:
    """The pages of the documents, NAME.html -> HTML: GUIDES, and those that the notebooks and these link to.

    `page` links to them: a report has no folder docs/ beside it. Documents that are absent are left out.
    """
    import nbformat

    found: dict[str, str] = {}
    for book in books:
        text = "\n".join(cell.source for cell in book["notebook"].cells)
        wanted = [*GUIDES, *(link["name"] for link in _DOC.finditer(text))]
        for name in wanted:  # grows by the documents that documents link to
            path = _document(book, name)
            if path.is_file() and f"{name}.html" not in found:
                text = path.read_text(encoding="utf-8")
                wanted += [link["name"] for link in _DOC.finditer(text)]
                notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
                told = {"title": name, "notebook": notebook, "folder": book["folder"], "error": None}
                found[f"{name}.html"] = re.sub(r'(?<=<h[23] id=")[^"]+', _anchor, page(told))
    return found


def _document(book: dict[str, Any], name: str) -> Path:
    return Path(book["folder"]).parent / "docs" / f"{name}.md"


def _anchor(found: re.Match[str]) -> str:
    """A heading's anchor as GitHub makes it, which is how the notebooks link."""
    return re.sub(r"[^\w-]", "", found[0].lower())


def page(book: dict[str, Any], plotly: str | None = PLOTLY) -> str:
    """The executed notebook `book["notebook"]` as one HTML page that needs no network.

    It links to the pages of the books `book["before"]` and `book["after"]`, where these are there, and to its headings.
    plotly: the address of plotly.js beside the page; None: plotly.js is in the page.
    """
    from nbconvert import HTMLExporter

    from mesokit.report.formulas import markdown2html

    notebook = book["notebook"]
    stored: list[str] = []  # the data of figures and explorers
    for cell in notebook.cells:
        _fold_records(cell)
        for output in cell.get("outputs", []):
            _static(output, stored)
    notebook.metadata.pop("widgets", None)  # their manager would be loaded from the network
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _FOLD.sub(r"<!--\1details-->", cell.source)
            cell.source = _DOC.sub(
                lambda link: (
                    f"]({link['name']}.html{link['anchor'] or ''})"
                    if _document(book, link["name"]).is_file()
                    else link[0]
                ),
                cell.source,
            )
    with quiet():
        exporter = HTMLExporter(
            extra_template_paths=[str(TEMPLATES)],
            template_file="notebook.html.j2",
            embed_images=True,
            filters={"markdown2html": markdown2html},
        )
        resources = {"metadata": {"name": book["title"], "path": str(book["folder"])}, "book": book}
        text, _ = exporter.from_notebook_node(notebook, resources)
    text = re.sub("<!--(/?)details-->", r"<\1details>", text)
    text = re.sub(r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>\s*</script>", "", text, flags=re.IGNORECASE)
    text = text.replace("<!--contents-->", _contents(text), 1)
    text = text.replace("<th></th>", "<td></td>")  # the corner of a pandas table heads nothing
    return text.replace("<!--figures-->", scripts(stored, plotly), 1) if stored else text


def _contents(text: str) -> str:
    """The list of contents of a page: links to its headings of the second and third level; empty for fewer than two."""
    found = [(level, name, re.sub("<[^>]+>", "", words)) for level, name, words in _HEADING.findall(text)]
    items = "".join(f'<li class="mk-{level}"><a href="#{name}">{words}</a></li>' for level, name, words in found)
    folded = f"<details><summary>Contents</summary><ul>{items}</ul></details>"
    return f'<nav class="mk-contents" aria-label="Contents of this page">{folded}</nav>' if len(found) > 1 else ""


def scripts(stored: list[str], plotly: str | None) -> str:
    """The end of a page with figures: their data, plotly.js, and the script that draws them."""
    from plotly.offline import get_plotlyjs

    parts = [f'<script type="application/json" id="mk-{i}">{text}</script>' for i, text in enumerate(stored)]
    parts.append(f"<script>{get_plotlyjs()}</script>" if plotly is None else f'<script src="{plotly}" defer></script>')
    parts.append(f"<script>{(TEMPLATES / 'figures.js').read_text(encoding='utf-8')}</script>")
    return "\n".join(parts)


def _fold_records(cell: Any) -> None:
    """Join the results that a cell recorded into one folded list: they are for the report's tables, not for readers."""
    outputs = cell.get("outputs", [])
    records = [output for output in outputs if RECORD in output.get("data", {})]
    if records:
        lines = "\n".join(html.escape("".join(record.data["text/plain"])) for record in records)
        records[0].data = {"text/html": f"<details><summary>Stored results</summary><pre>{lines}</pre></details>"}
        cell.outputs = [output for output in outputs if output is records[0] or output not in records]


def _static(output: Any, stored: list[str]) -> None:
    """Change `output` so that it shows without a kernel or a network; the data of a figure are added to `stored`."""
    data = output.get("data", {})
    if EXPLORER in data:
        explorer = data[EXPLORER]
        template = templates().get_template("explorer.html.j2")
        output.data = {"text/html": template.render(explorer, number=len(stored), height=_height(data.get(PLOT, {})))}
        stored.append(re.sub(r"[^A-Za-z0-9+/=]", "", explorer["figures"]))
    elif PLOT in data:
        output.data = {"text/html": figure(data[PLOT], stored)}
    elif data.pop(_WIDGET, None) is not None and "text/html" not in data:
        bar = re.match(r".*\d+%\|", str(data.get("text/plain", "")))  # a progress bar, which would stay at 0 %
        note = "" if bar else "<i>An interactive control: open the notebook in JupyterLab to use it.</i>"
        output.data = {"text/html": note}


def figure(plot: dict[str, Any], stored: list[str]) -> str:
    """The place of a plotly figure in a page; its data are added to `stored`."""
    layout = plot.get("layout", {})
    title = (layout.get("title") or {}).get("text")  # of a figure that no function of `plots` made
    alt = html.escape((layout.get("meta") or {}).get("alt") or title or "A figure")
    look = f'role="img" aria-label="{alt}" style="min-height: {_height(plot)}px"'
    place = f'<div class="mk-figure" data-from="mk-{len(stored)}" {look}></div>'
    parts = {key: plot.get(key, empty) for key, empty in (("data", []), ("layout", {}))}
    stored.append(json.dumps(parts, separators=(",", ":")).replace("<", "\\u003c"))  # "<" could end the script element
    return place


def _height(plot: dict[str, Any]) -> int:
    """The pixels that a figure takes, so that the page does not move when it is drawn; 450 is plotly's own height."""
    return int(plot.get("layout", {}).get("height", 450))


def templates() -> Any:
    """The templates of the report; untrusted text is escaped."""
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
