// Moves through the slides by key, makes them as large as the window, and fits each figure into what its slide leaves.
(() => {
  "use strict";
  const frames = [...document.querySelectorAll(".frame")];
  const phone = matchMedia("screen and (max-width: 50rem)");
  const button = document.getElementById("notes");

  function fit(box) {
    const figure = box.firstElementChild;
    const k = phone.matches ? 1 : Math.min(1.8, box.clientHeight / parseFloat(figure.style.minHeight));
    figure.style.width = `${box.clientWidth / k}px`;
    figure.style.transform = `scale(${k})`;
  }

  function resize() {
    document.documentElement.style.setProperty("--k", Math.min(innerWidth / 1200, innerHeight / 675));
    document.querySelectorAll(".fit").forEach(fit);
  }

  const here = () => frames.findIndex((frame) => frame.getBoundingClientRect().bottom > innerHeight / 2);
  const go = (number) => frames[Math.max(0, Math.min(frames.length - 1, number))].scrollIntoView();

  function notes() {
    button.setAttribute("aria-pressed", document.body.classList.toggle("speaker"));
  }

  const KEYS = {
    ArrowRight: () => go(here() + 1),
    ArrowDown: () => go(here() + 1),
    PageDown: () => go(here() + 1),
    ArrowLeft: () => go(here() - 1),
    ArrowUp: () => go(here() - 1),
    PageUp: () => go(here() - 1),
    Home: () => go(0),
    End: () => go(frames.length - 1),
    n: notes,
    N: notes,
  };

  addEventListener("keydown", (event) => {
    const move = KEYS[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey || phone.matches) return;
    event.preventDefault();
    move();
  });
  button.addEventListener("click", notes);
  addEventListener("resize", resize);
  resize();
})();
