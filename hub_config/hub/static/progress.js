// Follows the start of a workspace; opens it when it is ready. Without it, reloading the page does the same.
"use strict";
(() => {
  const place = document.getElementById("demarrage");
  const bar = place.querySelector("progress");
  const status = place.querySelector("[role=status]");
  const events = new EventSource(place.dataset.progress);
  events.onmessage = (message) => {
    const step = JSON.parse(message.data);
    if (step.progress !== undefined) bar.value = step.progress;
    if (step.ready) {
      events.close();
      window.location.reload();
    } else if (step.failed) {
      events.close();
      status.textContent = place.dataset.failed;
      window.location.reload();
    }
  };
})();
