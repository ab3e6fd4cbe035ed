// A notebook's page: the list of contents is open where there is room, code can be hidden, what scrolls has focus.
(() => {
  "use strict";
  const contents = document.querySelector(".mk-contents details");
  if (contents) contents.open = matchMedia("(min-width: 75rem)").matches;

  const button = document.getElementById("mk-code");
  const show = (hidden) => {
    document.body.classList.toggle("mk-plain", hidden);
    button.setAttribute("aria-pressed", hidden);
  };
  if (button) {
    button.hidden = false;
    try {
      show(localStorage.getItem("mk-code") === "hidden");
    } catch {} // a browser may forbid it: then each page begins with its code
    button.addEventListener("click", () => {
      const hidden = button.getAttribute("aria-pressed") !== "true";
      show(hidden);
      try {
        localStorage.setItem("mk-code", hidden ? "hidden" : "shown");
      } catch {}
    });
  }

  // Whoever has no pointer scrolls wide code and tables with the arrow keys, and needs the focus there.
  const reach = () => {
    for (const box of document.querySelectorAll(".jp-InputArea-editor, .jp-OutputArea-output, p:has(> math)")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", reach);
  addEventListener("resize", reach);
  addEventListener("toggle", reach, true);
})();
