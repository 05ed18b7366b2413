// The example site: what Telegram's scripts tell this page goes to the site, which checks it.
"use strict";

const say = (text) => {
  const place = document.getElementById("message");
  place.textContent = text;
  place.hidden = false;
};

const post = async (path, body) => {
  try {
    const answer = await fetch(path, { method: "POST", credentials: "same-origin", body });
    if (answer.ok) location.assign("/");
    else say(await answer.text());
  } catch {
    say("The site does not answer. Try again.");
  }
};

// The Login Widget calls it with an object, or with false.
window.onTelegramAuth = (user) => post("/login/widget", JSON.stringify(user));

// The JavaScript library is loaded before this script.
const button = document.getElementById("library");
if (button && window.Telegram && window.Telegram.Login) {
  const options = {
    client_id: Number(button.dataset.clientId),
    request_access: ["write"],
    nonce: button.dataset.nonce,
  };
  const done = (answer) => {
    if (answer && answer.id_token) post("/login/library", answer.id_token);
    else say(`Nobody was logged in: ${(answer && answer.error) || "no answer"}.`);
  };
  window.Telegram.Login.init(options, done);
  button.addEventListener("click", () => window.Telegram.Login.open(done));
}
