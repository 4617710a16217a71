// Light, dark, or as the system has it: chosen by a button, kept in this browser. Runs before the page is drawn.
"use strict";
(() => {
  const CHOICES = ["system", "light", "dark"];
  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off: the choice lasts for this page
    }
  };
  let chosen = "system";

  const show = (choice) => {
    chosen = CHOICES.includes(choice) ? choice : "system";
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${chosen}`;
    document.dispatchEvent(new CustomEvent("theme"));
  };

  show(stored());
  addEventListener("storage", (event) => event.key === "theme" && show(event.newValue));
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      show(CHOICES[(CHOICES.indexOf(chosen) + 1) % CHOICES.length]);
      try {
        localStorage.setItem("theme", chosen);
      } catch {
        // as above
      }
    });
    show(chosen);
  });
})();
