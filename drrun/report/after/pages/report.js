"use strict";
(() => {
  const form = document.getElementById("filter"), q = document.getElementById("q"), s = document.getElementById("s"), n = document.getElementById("n");
  const steps = [...document.querySelectorAll(".step")];
  const look = () => {
    const wanted = q.value.trim().toLowerCase();
    let shown = 0;
    for (const step of steps) {
      const hit = (!s.value || step.dataset.status === s.value) && (!wanted || step.textContent.toLowerCase().includes(wanted));
      step.hidden = !hit;
      shown += hit ? 1 : 0;
    }
    n.textContent = shown + " of " + steps.length + " steps";
  };
  const open = () => {
    const goal = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (goal && goal.tagName === "DETAILS") { goal.open = true; goal.scrollIntoView(); }
  };
  const view = document.getElementById("graph-view");
  const bad = [...view.querySelectorAll(".s-failed, .s-regressed, .s-unknown")];
  const wrong = bad.find((node) => node.classList.contains("critical")) || bad[0];
  document.getElementById("graph-hint").hidden = view.scrollWidth <= view.clientWidth;
  if (wrong) {
    const box = wrong.getBoundingClientRect(), frame = view.getBoundingClientRect();
    view.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  q.addEventListener("input", look);
  s.addEventListener("change", look);
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => steps.forEach((step) => { step.open = true; }));
  look();
  open();
})();
