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
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  q.addEventListener("input", look);
  s.addEventListener("change", look);
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => steps.forEach((step) => { step.open = true; }));
  look();
  open();
})();
