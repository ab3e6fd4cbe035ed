"""An executed notebook as one HTML page that needs no network."""

import re
from pathlib import Path
from typing import Any

from mesokit.report.execute import quiet

_PLOTLY = "application/vnd.plotly.v1+json"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_FOLD = re.compile("<(/?)details>")  # nbconvert would close the tag at once, before the paragraphs in the fold
_DOC = re.compile(r"\]\(\.\./docs/(?P<name>[\w-]+)\.md(?P<anchor>#[\w-]+)?\)")  # a link of a notebook to the documents
TEMPLATES = Path(__file__).parents[1] / "templates"


def documents(books: list[dict[str, Any]]) -> dict[str, str]:
    """The pages of the documents that the notebooks link to: NAME.html -> HTML. Documents that are absent are left out.

    `page` links to them: a report has no folder docs/ beside it.
    """
    import nbformat

    found = {}
    for book in books:
        for link in _DOC.finditer("\n".join(cell.source for cell in book["notebook"].cells)):
            path = _document(book, link["name"])
            if path.is_file() and f"{link['name']}.html" not in found:
                cell = nbformat.v4.new_markdown_cell(path.read_text(encoding="utf-8"))
                notebook = nbformat.v4.new_notebook(cells=[cell])
                told = {"title": link["name"], "notebook": notebook, "folder": path.parent, "error": None}
                found[f"{link['name']}.html"] = re.sub(r'(?<=<h3 id=")[^"]+', _anchor, page(told))
    return found


def _document(book: dict[str, Any], name: str) -> Path:
    return Path(book["folder"]).parent / "docs" / f"{name}.md"


def _anchor(found: re.Match[str]) -> str:
    """A heading's anchor as GitHub makes it, which is how the notebooks link."""
    return re.sub(r"[^\w-]", "", found[0].lower())


def page(book: dict[str, Any]) -> str:
    """The executed notebook `book["notebook"]` as one HTML page that needs no network."""
    from nbconvert import HTMLExporter

    from mesokit.report.formulas import markdown2html

    notebook = book["notebook"]
    figures = [_static(output) for cell in notebook.cells for output in cell.get("outputs", [])]
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
    script = ""
    if any(figures):
        from plotly.offline import get_plotlyjs

        script = f"<script>{get_plotlyjs()}</script>"
    return text.replace("<!--plotly.js-->", script, 1)


def _static(output: Any) -> bool:
    """Change `output` so that it shows without a kernel or a network; True where it is a plotly figure."""
    data = output.get("data", {})
    if _PLOTLY in data:
        from plotly.io import to_html

        output.data = {
            "text/html": to_html(
                data[_PLOTLY],
                {"displaylogo": False, "modeBarButtonsToRemove": ["sendChartToCloud"]},
                include_plotlyjs=False,
                full_html=False,
                validate=False,
            )
        }
        return True
    if data.pop(_WIDGET, None) is not None and "text/html" not in data:
        bar = re.match(r".*\d+%\|", str(data.get("text/plain", "")))  # a progress bar, which would stay at 0 %
        note = "" if bar else "<i>An interactive control: open the notebook in JupyterLab to use it.</i>"
        output.data = {"text/html": note}
    return False
