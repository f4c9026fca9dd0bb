// The page as a whole: light or dark, as the system has it or as the button says.
"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return localStorage.getItem("reluplex-theme");
    } catch {
      return null; // files opened from disk may have no storage
    }
  };
  const keep = (theme) => {
    try {
      localStorage.setItem("reluplex-theme", theme);
    } catch {
      // then the choice holds as long as the page is open
    }
  };
  const dark = () => root.dataset.theme === "dark";
  const show = (theme) => {
    root.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
    document.dispatchEvent(new CustomEvent("theme"));
  };
  show(kept() ?? (system.matches ? "dark" : "light"));
  button.addEventListener("click", () => {
    show(dark() ? "light" : "dark");
    keep(root.dataset.theme);
  });
  system.addEventListener("change", () => kept() ?? show(system.matches ? "dark" : "light"));
})();
