// Waits until the person has decided in Telegram. Without this script the page does so by itself,
// less often.
(() => {
  "use strict";

  const page = document.querySelector("[data-request]");
  const request = encodeURIComponent(page.dataset.request);
  const opener = window.opener && !window.opener.closed;
  for (const how of document.querySelectorAll('input[name="how"]')) how.value = opener ? "message" : "";
  const next = `/auth/push?request=${request}${opener ? "&how=message" : ""}`;

  const clock = document.querySelector("[data-left]");
  const end = Date.now() + Number(clock.dataset.left) * 1000;
  const show = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  };
  show();
  setInterval(show, 1000);

  const ask = async () => {
    let wait = 1000;
    try {
      const answer = await fetch(`/auth/login?request=${request}`, { method: "POST" });
      if (answer.ok && (await answer.json()) === true) {
        location.replace(next);
        return;
      }
      if (!answer.ok) wait = 5000;
    } catch {
      wait = 3000;
    }
    setTimeout(ask, wait);
  };
  ask();
})();
