"""Markdown cells as HTML in which formulas are MathML: a page needs neither a script nor a network to show them."""

import html
from typing import Any
from xml.etree import ElementTree

from jinja2 import pass_context
from latex2mathml.converter import convert_to_element
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser


class _Inline(MathInlineParser):
    """Reads `$...$` as a formula by pandoc's rule: no space inside the dollars and no digit after them.

    So prices such as $5 and $6 stay text. A code span never lies in a formula.
    """

    INLINE = r"(?<![$\\])\$(?=[^\s$])(?P<math_inline_tex>(?:\\.|[^$\\`])+?)(?<!\s)\$(?![$\d])"
    SPECIFICATION = {**MathInlineParser.SPECIFICATION, "inline_math_tex": INLINE}  # noqa: RUF012 - as in nbconvert


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline") or super().inline_math(body)

    def block_math(self, body: str) -> str:
        return _mathml(body, "block") or super().block_math(body)

    def latex_environment(self, name: str, body: str) -> str:
        return _mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block") or super().latex_environment(name, body)


def _mathml(formula: str, display: str) -> str:
    """The LaTeX `formula` as MathML; empty where it is broken or not understood, so that its source is shown."""
    try:
        root = convert_to_element(" ".join(formula.split()), display=display)
    except Exception:  # the library raises errors of its own, and Python's for what it does not expect
        return ""
    root.attrib.pop("xmlns")  # HTML needs none, and it would become a prefix in a heading
    for element in root.iter():
        element.text = html.unescape(element.text or "")  # the library leaves names of characters in the text
        if element.text.startswith(("\\", "&")):  # a command that it does not know
            return ""
    return ElementTree.tostring(root, encoding="unicode")


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """The filter of that name of nbconvert's HTML templates, with formulas as MathML."""
    renderer = _Renderer(
        escape=False,
        attachments=context.get("cell", {}).get("attachments", {}),
        embed_images=True,
        path=context.get("resources", {}).get("metadata", {}).get("path", ""),
    )
    return MarkdownWithMath(renderer, inline=_Inline(hard_wrap=False)).render(source)
