// Runs before the widget's script, which takes a login from the address of a page that it is on. Such an
// address is written by whoever wants to: this browser would be logged in as somebody else. A login that
// began on this page comes by a message from the widget's window, so what the address brings is dropped.
"use strict";

if (location.hash.includes("tgAuthResult=")) {
  history.replaceState(null, "", location.pathname + location.search);
  document.addEventListener("DOMContentLoaded", () => {
    const place = document.getElementById("message");
    place.textContent = "A link brought a login along, which did not begin on this page. Nobody was logged in.";
    place.hidden = false;
  });
}
