"""network.html: Meso-4 computes in the page, and a reader changes the face.

templates/network.js is the network, templates/play.js the controls. data_scripts/make_network_page.py makes the data.
"""

from mesokit.report.page import TEMPLATES, templates

DATA = TEMPLATES.parent / "bundled" / "page" / "network.json"


def network_page() -> str:
    """The page as HTML, complete in itself: it needs no other file and no network."""
    read = {name: (TEMPLATES / f"{name}.js").read_text(encoding="utf-8") for name in ("network", "play")}
    return templates().get_template("network.html.j2").render(read, data=DATA.read_text(encoding="utf-8"))
