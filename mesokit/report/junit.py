"""The run as a JUnit file, which continuous integration knows how to show."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: dict[str, Any]) -> str:
    """`results` (as in results.json) as JUnit XML: a test case for each notebook, and one for each exercise check.

    A finding that differs from the paper's is a result, not a failure.
    """
    cases = []
    for book in results["notebooks"]:
        case = _case("notebooks", book["name"], book["seconds"])
        if book["status"] == "skipped":
            ElementTree.SubElement(case, "skipped", message=_clean(book["error"] or "not run"))
        elif book["status"] != "ok":
            ElementTree.SubElement(case, "failure", type=book["status"], message=_clean(book["error"] or ""))
        cases.append(case)
    for check in results["checks"]:
        case = _case(check["notebook"], check["name"], 0)
        if not check["passed"]:
            ElementTree.SubElement(case, "failure", type="check", message=_clean(check["message"]))
        cases.append(case)
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    numbers = {name: str(count) for name, count in counts.items()}
    suite = ElementTree.Element("testsuite", {"name": "mesokit report", **numbers})
    suite.set("time", f"{sum(book['seconds'] for book in results['notebooks']):.2f}")
    suite.extend(cases)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(group: str, name: str, seconds: float) -> ElementTree.Element:
    attributes = {"classname": _clean(group), "name": _clean(name), "time": f"{seconds:.2f}"}
    return ElementTree.Element("testcase", attributes)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
