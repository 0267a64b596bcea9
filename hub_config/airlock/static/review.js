// Keys for the reading of a request. Everything they do can be done without them.
"use strict";
(() => {
  const help = document.getElementById("touches");
  const stops = () => [...document.querySelectorAll("[data-stop]")].filter((one) => one.getClientRects().length);
  const typing = (target) =>
    target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName) ||
    (target.tagName === "INPUT" && !["radio", "checkbox"].includes(target.type));

  const here = () => {
    const active = document.activeElement;
    return active && active !== document.body ? active.closest("[data-stop]") : null;
  };

  const move = (step) => {
    const all = stops();
    if (!all.length) return;
    const at = all.indexOf(here());
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "center" });
  };

  const vote = (verdict) => {
    const active = document.activeElement;
    const place = (active && active.closest("[data-votes]")) || document.querySelector("[data-votes=request]");
    const choice = place && place.querySelector(`input[type=radio][value="${verdict}"]`);
    if (!choice) return;
    choice.checked = true;
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    const said = document.getElementById("dit");
    if (said) said.textContent = `${place.dataset.name} : ${choice.labels[0].textContent.trim()}`;
  };

  // In the queue: opens the request whose row has the focus.
  const open = (event) => {
    const row = event.target.matches("tr[data-request]") && event.target.querySelector("a[href]");
    if (row) row.click();
    return Boolean(row);
  };

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    a: () => vote("approve"),
    c: () => vote("changes"),
    u: () => vote("undecided"),
    "?": () => help && (help.open ? help.close() : help.showModal()),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "Enter" && open(event)) return event.preventDefault();
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  for (const button of document.querySelectorAll("[data-opens]")) {
    button.hidden = false;
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
  }
})();
