// Tells the page that opened this window how the login ended, and nobody else.
(() => {
  "use strict";

  const { origin, message, back } = document.currentScript.dataset;
  if (window.opener && !window.opener.closed) {
    window.opener.postMessage(message, origin);
    window.close();
  } else if (back) {
    location.replace(back);
  }
})();
