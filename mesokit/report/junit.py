"""The run as a JUnit file, which continuous integration can show."""

import re
from typing import Any
from xml.etree import ElementTree

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: dict[str, Any]) -> str:
    """`results` (as in results.json) as JUnit XML: a test case for each notebook, and one for each exercise check.

    A finding that differs from the paper's is a result, not a failure.
    """
    suite = ElementTree.Element("testsuite", name="mesokit report")
    for book in results["notebooks"]:
        kind = {"ok": None, "skipped": "skipped"}.get(book["status"], "failure")
        message = book["error"] or ("not run" if kind == "skipped" else "")
        _case(suite, "notebooks", book["name"], book["seconds"], kind, message, book["status"])
    for check in results["checks"]:
        kind = None if check["passed"] else "failure"
        _case(suite, check["notebook"], check["name"], 0, kind, check["message"], "check")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("*/failure"))))
    suite.set("skipped", str(len(suite.findall("*/skipped"))))
    suite.set("time", f"{sum(book['seconds'] for book in results['notebooks']):.2f}")
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(
    suite: ElementTree.Element, group: str, name: str, seconds: float, kind: str | None, message: str, type_: str
) -> None:
    """Add a case; `kind`: "failure", "skipped" or None where it passed."""
    attributes = {"classname": _clean(group), "name": _clean(name), "time": f"{seconds:.2f}"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if kind:
        more = {"type": type_} if kind == "failure" else {}
        ElementTree.SubElement(case, kind, more, message=_clean(message))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
