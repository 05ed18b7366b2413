// The login widget of the local Telegram: the same attributes, functions and events as
// core.telegram.org/widgets/login-legacy documents, served from wherever this script comes from.
(() => {
  "use strict";

  const script = document.currentScript;
  const home = new URL(script.src).origin;
  const SIZES = { large: [238, 40], medium: [186, 28], small: [148, 20] };
  const POPUP = { width: 550, height: 640 };

  const parse = (text) => {
    try {
      return typeof text === "string" ? JSON.parse(text) : text;
    } catch {
      return null;
    }
  };

  // The result that the popup leaves in the address when there was no window to tell.
  const resultInAddress = () => {
    const found = location.hash.match(/[#?&]tgAuthResult=([A-Za-z0-9_-]*)=*$/);
    if (!found) return undefined;
    history.replaceState(history.state, "", location.href.slice(0, location.href.length - found[0].length));
    try {
      const bytes = Uint8Array.from(atob(found[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return undefined;
    }
  };

  const popups = new Map();

  const openPopup = (options) => {
    const address = new URL("/auth", home);
    address.searchParams.set("bot_id", options.bot_id);
    address.searchParams.set("origin", location.origin);
    if (options.request_access) address.searchParams.set("request_access", options.request_access);
    if (options.lang) address.searchParams.set("lang", options.lang);
    address.searchParams.set("return_to", location.href.split("#")[0]);
    const left = Math.max(0, (screen.width - POPUP.width) / 2) + (screen.availLeft | 0);
    const top = Math.max(0, (screen.height - POPUP.height) / 2) + (screen.availTop | 0);
    return window.open(
      address,
      `telegram_oauth_bot${options.bot_id}`,
      `popup,width=${POPUP.width},height=${POPUP.height},left=${left},top=${top},status=0,location=0,menubar=0,toolbar=0`,
    );
  };

  // Asks what the popup could not tell any more: whether this browser is logged in at this bot.
  const getAuthData = async (botId) => {
    try {
      const answer = await fetch(`${home}/auth/get`, {
        method: "POST",
        credentials: "include",
        body: new URLSearchParams({ bot_id: botId }),
      });
      return (await answer.json()).user || false;
    } catch {
      return false;
    }
  };

  const auth = (options, callback) => {
    const botId = parseInt(options && options.bot_id, 10);
    if (!botId) throw new Error("Bot id required");
    const before = popups.get(botId);
    if (before && !before.closed) {
      before.focus();
      return;
    }
    const popup = openPopup({ ...options, bot_id: botId });
    if (!popup) return;
    popups.set(botId, popup);
    let watch = 0;
    const done = (user) => {
      if (popups.get(botId) !== popup) return;
      popups.delete(botId);
      clearInterval(watch);
      window.removeEventListener("message", hear);
      if (callback) callback(user);
    };
    const hear = (event) => {
      if (event.origin !== home || event.source !== popup) return;
      const data = parse(event.data);
      if (data && data.event === "auth_result") done(data.result || false);
    };
    window.addEventListener("message", hear);
    watch = setInterval(() => {
      if (!popup.closed) return;
      clearInterval(watch);
      getAuthData(botId).then(done);
    }, 200);
    popup.focus();
  };

  const telegram = (window.Telegram = window.Telegram || {});
  if (!telegram.Login) {
    let settings = {};
    let settled = null;
    telegram.Login = {
      widgetsOrigin: home,
      init(options, callback) {
        settings = options || {};
        settled = callback;
        const result = resultInAddress();
        if (result !== undefined && callback) callback(result);
      },
      open(callback) {
        auth(settings, callback || settled);
      },
      auth,
    };
  }

  // `data-onauth` is a piece of a program with `user` in it. The usual `name(user)` is called by its
  // name, so that it also works where a page forbids `eval`.
  const handler = (code) => {
    const call = code.match(/^\s*([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)\s*\(\s*user\s*\)\s*;?\s*$/);
    if (!call) return new Function("user", code);
    const path = call[1].split(".");
    return (user) => {
      const owner = path.slice(0, -1).reduce((value, name) => value[name], window);
      owner[path.at(-1)](user);
    };
  };

  // The address of `data-auth-url` with the fields behind its query. It has to be one of this host:
  // the fields log in whoever has them.
  const redirect = (address, user) => {
    const target = new URL(address, location.href);
    const web = target.protocol === "https:" || target.protocol === "http:";
    if (!web || target.hostname !== location.hostname || target.username || target.password) {
      console.error("Telegram login: data-auth-url leads to another host than the bot's domain");
      return;
    }
    const [url, fragment] = target.href.split("#");
    const fields = Object.entries(user).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    const joint = !url.includes("?") ? "?" : /[?&]$/.test(url) ? "" : "&";
    location.assign(url + joint + fields.join("&") + (fragment === undefined ? "" : `#${fragment}`));
  };

  const widget = (element) => {
    const data = element.dataset;
    const bot = data.telegramLogin;
    const size = Object.hasOwn(SIZES, data.size) ? data.size : "medium";
    const [width, height] = SIZES[size];
    const address = new URL(`/embed/${encodeURIComponent(bot)}`, home);
    address.searchParams.set("origin", location.origin);
    address.searchParams.set("return_to", location.href.split("#")[0]);
    address.searchParams.set("size", size);
    for (const name of ["userpic", "radius", "lang"]) {
      if (data[name]) address.searchParams.set(name, data[name]);
    }
    if (data.requestAccess) address.searchParams.set("request_access", data.requestAccess);

    const frame = document.createElement("iframe");
    frame.id = `telegram-login-${bot.replace(/[^a-z0-9_]/gi, "-")}`;
    frame.title = "Log in with Telegram";
    frame.src = address.href;
    frame.width = width;
    frame.height = height;
    frame.setAttribute("frameborder", "0");
    frame.setAttribute("scrolling", "no");
    Object.assign(frame.style, { overflow: "hidden", border: "none", colorScheme: "light dark" });
    element.parentNode.insertBefore(frame, element);

    const tell = (user) => {
      if (!user) return;
      if (data.onauth) handler(data.onauth)(user);
      else if (data.authUrl) redirect(data.authUrl, user);
    };
    window.addEventListener("message", (event) => {
      if (event.origin !== home || event.source !== frame.contentWindow) return;
      const message = parse(event.data);
      if (!message) return;
      if (message.event === "resize") {
        if (message.height > 0 && message.height <= 200) frame.height = Math.ceil(message.height);
        if (message.width > 0 && message.width <= 600) frame.width = Math.ceil(message.width);
      } else if (message.event === "auth_user") {
        tell(message.auth_data);
      }
    });
    const result = resultInAddress();
    if (result !== undefined) tell(result);
  };

  if (script.dataset.telegramLogin) widget(script);
})();
