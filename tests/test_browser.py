"""JupyterLab in a headless Chromium, as a student meets it: notebooks run, sliders redraw figures, nothing complains.

Run with `make test-browser`. Skips with a reason where there is no Playwright or no Chromium.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
ROOT = Path(__file__).parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 600_000  # ms for all cells of a notebook on a busy machine
# Real notebooks, cut to what an explorer needs, so that no data are made: cells by id, or all.
OWN_CLIPS = ("c01", "c02", "c62", "c63", "review-apply")
PROBE = """
import plotly.graph_objects as go
from mesokit import widgets

def draw(level, shape):
    return go.Figure(go.Scatter(y=[level * k for k in range(200)]), layout={"title": f"level {level}, {shape}"})

widgets.explore(draw, {"level": range(5), "shape": ["line", "dots"]})
"""
SETTINGS = {
    "notebook-extension/tracker": '{"windowingMode": "none"}',  # cells out of sight are rendered, too
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
}
READ_FIGURE = """() => [...document.querySelectorAll('.jp-Notebook .jupyter-widgets .js-plotly-plot')]
    .map(plot => plot.querySelector('svg.main-svg') ? plot.textContent : '').join('|')"""


def chromium():
    """Where Chromium is: CHROMIUM, the system's, or Playwright's own; a skip with the reason where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    with playwright.sync_playwright() as started:
        own = started.chromium.executable_path
    if not Path(own).exists():
        pytest.skip("no Chromium: install the system's chromium, or run `playwright install chromium`")
    return own


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab server over copies of three notebooks."""
    chromium()
    folder = tmp_path_factory.mktemp("lab")
    books = folder / "notebooks"
    books.mkdir()
    shutil.copy(ROOT / "notebooks" / "00_tour.ipynb", books)
    whole = nbformat.read(ROOT / "notebooks" / "01_dataset_construction.ipynb", as_version=4)
    whole.cells = [cell for cell in whole.cells if cell.id in OWN_CLIPS]
    assert len(whole.cells) == len(OWN_CLIPS)
    nbformat.write(whole, books / "01_dataset_construction.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PROBE)]), books / "explorer.ipynb")
    for name, text in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=x"]
    private = {"JUPYTERLAB_SETTINGS_DIR": folder / "settings", "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces"}
    env = os.environ | {name: str(path) for name, path in private.items()}
    env.pop("MESOKIT_REPORT", None)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait_for(port, server, folder / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}?token=x&reset"
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(port, server, log):
    for _ in range(1200):  # up to ten minutes: CI machines are slow, too
        assert server.poll() is None, log.read_text()[-2000:]
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    pytest.fail(f"JupyterLab did not answer: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser(lab):
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def run(lab, browser):
    """run(name) -> the page, after all cells of that notebook ran; at the end the console must be clean."""
    said = []
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    def start(name):
        page.goto(lab.format(name))
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        assert (
            page.locator(".jp-Notebook .jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
        )
        page.wait_for_function(f"() => ({READ_FIGURE})().length > 0")
        return page

    yield start
    if folder := os.environ.get("MESOKIT_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"lab-{len(list(Path(folder).glob('lab-*')))}.png"))
    page.close()
    assert said == []


def redraw(page, act):
    """Do `act`, wait until the explorer's figure is another; milliseconds that took."""
    before = page.evaluate(READ_FIGURE)
    started = time.perf_counter()
    act()
    page.wait_for_function(f"before => ({READ_FIGURE})() !== before && ({READ_FIGURE})().length > 0", arg=before)
    return 1000 * (time.perf_counter() - started)


def test_the_tour_runs_and_its_slider_redraws(run, record_property):
    page = run("00_tour.ipynb")
    slider = page.get_by_role("slider").first
    slider.focus()
    assert "p_real" in page.evaluate(READ_FIGURE)
    record_property("redraw_ms", redraw(page, lambda: page.keyboard.press("ArrowRight")))
    assert page.locator(".jp-Notebook", has_text="Right:").count() == 1


def test_a_review_rejects_a_face_by_keyboard(run):
    page = run("01_dataset_construction.ipynb")
    assert "not judged yet" in page.evaluate(READ_FIGURE)
    page.get_by_role("button", name="reject").focus()
    redraw(page, lambda: page.keyboard.press("Enter"))
    page.get_by_role("slider").first.focus()
    redraw(page, lambda: page.keyboard.press("ArrowLeft"))
    assert "rejected: no face" in page.evaluate(READ_FIGURE)


def test_an_explorer_is_labelled_and_redraws_in_time(run, record_property):
    page = run("explorer.ipynb")
    slider = page.get_by_role("slider").first
    assert page.locator(".jupyter-widgets label", has_text="level").first.is_visible()
    slider.focus()
    page.keyboard.press("ArrowRight")
    times = [redraw(page, lambda: page.keyboard.press("ArrowRight")) for _ in range(3)]
    record_property("redraw_ms", times)
    print(f"redraw: {min(times):.0f} to {max(times):.0f} ms")
    assert "level 4" in page.evaluate(READ_FIGURE)
    redraw(page, lambda: page.locator(".jupyter-widgets select").first.select_option("dots"))
    assert "dots" in page.evaluate(READ_FIGURE)
