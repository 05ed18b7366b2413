// The button of the login widget, in its frame.
(() => {
  "use strict";

  const button = document.getElementById("login");
  if (!button) return;
  const { origin } = button.dataset;
  const tell = (message) => window.parent.postMessage(JSON.stringify(message), origin);
  const measure = () => {
    const { width, height } = button.parentElement.getBoundingClientRect();
    tell({ event: "resize", width, height });
  };
  measure();
  window.addEventListener("load", measure);

  let popup = null;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    if (popup && !popup.closed) {
      popup.focus();
      return;
    }
    const [width, height] = [550, 640];
    const left = Math.max(0, (screen.width - width) / 2) + (screen.availLeft | 0);
    const top = Math.max(0, (screen.height - height) / 2) + (screen.availTop | 0);
    popup = window.open(button.href, "_blank", `popup,width=${width},height=${height},left=${left},top=${top}`);
  });
  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || !popup || event.source !== popup) return;
    const message = JSON.parse(event.data);
    if (message.event !== "auth_result") return;
    if (message.result) {
      tell({ event: "auth_user", auth_data: message.result });
      // Shows who is logged in from now on.
      location.reload();
    }
  });
})();
