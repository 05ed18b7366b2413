// "Log In with Telegram" of the local Telegram: the interface of the library that Telegram serves
// (core.telegram.org/bots/telegram-login), for pages that load it from here.
//
//   <script async src="http://127.0.0.1:PORT/js/telegram-login.js"
//           data-client-id="123" data-onauth="console.log(data)"></script>
//   <button class="tg-auth-button"></button>
//
// The page must verify the id_token at its server: `user` is only decoded.
(function () {
  'use strict';

  var script = document.currentScript;
  // The provider is where this file comes from.
  var issuer = new URL(script.src).origin;

  var WIDTH = 550;
  var HEIGHT = 650;
  var CLOSED_POLL = 200;

  var settings = null;
  var pending = null;

  function scopes(access) {
    var wanted = Array.isArray(access) ? access : String(access || '').split(/\s+/);
    var scope = ['openid', 'profile'];
    if (wanted.indexOf('phone') !== -1) scope.push('phone');
    if (wanted.indexOf('write') !== -1) scope.push('telegram:bot_access');
    return scope.join(' ');
  }

  function query(fields) {
    var parameters = new URLSearchParams();
    Object.keys(fields).forEach(function (name) {
      if (fields[name] !== undefined && fields[name] !== null && fields[name] !== '') {
        parameters.set(name, String(fields[name]));
      }
    });
    return parameters.toString();
  }

  // The claims of an id_token, as nobody has verified them; null if it is none.
  function decode(token) {
    try {
      var part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
      var bytes = Uint8Array.from(atob(part), function (c) { return c.charCodeAt(0); });
      var claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      return claims && typeof claims === 'object' ? claims : null;
    } catch (_) {
      return null;
    }
  }

  function finish(attempt, result) {
    if (pending !== attempt) return;
    pending = null;
    clearInterval(attempt.timer);
    if (attempt.callback) attempt.callback(result);
  }

  function deliver(attempt, answer) {
    if (answer.error) return finish(attempt, { error: String(answer.error) });
    var token = answer.result;
    if (!token || typeof token !== 'string') return finish(attempt, { error: 'missing id_token' });
    var user = decode(token);
    if (!user) return finish(attempt, { error: 'malformed id_token' });
    finish(attempt, { id_token: token, user: user });
  }

  window.addEventListener('message', function (event) {
    // Only the provider, and only from the window that was opened.
    var attempt = pending;
    if (!attempt || !attempt.popup || event.origin !== issuer || event.source !== attempt.popup) return;
    var message = event.data;
    if (typeof message === 'string') {
      try { message = JSON.parse(message); } catch (_) { return; }
    }
    if (!message || message.event !== 'auth_result') return;
    deliver(attempt, message);
  });

  function openPopup(options, attempt) {
    var left = Math.max(0, (screen.width - WIDTH) / 2) + (screen.availLeft || 0);
    var top = Math.max(0, (screen.height - HEIGHT) / 2) + (screen.availTop || 0);
    var url = issuer + '/auth?' + query({
      response_type: 'post_message',
      client_id: options.client_id,
      redirect_uri: location.origin + location.pathname,
      scope: scopes(options.request_access),
      nonce: options.nonce,
      lang: options.lang
    });
    attempt.popup = window.open(url, 'telegram_oidc_login',
      'width=' + WIDTH + ',height=' + HEIGHT + ',left=' + left + ',top=' + top +
      ',status=0,location=0,menubar=0,toolbar=0');
    if (!attempt.popup) {
      pending = null;
      console.warn('Telegram.Login: the browser blocked the window; open it in a click');
      return;
    }
    attempt.popup.focus();
    attempt.timer = setInterval(function () {
      if (attempt.popup.closed) finish(attempt, { error: 'popup_closed' });
    }, CLOSED_POLL);
  }

  // Within Telegram the app around this page asks the person.
  var webView = (function () {
    var supported = false;
    var proxy = window.TelegramWebviewProxy;
    var notify = window.external && typeof window.external.notify === 'function';
    var framed = window.parent !== window;

    function post(type, data) {
      try {
        if (proxy) {
          proxy.postEvent(type, JSON.stringify(data));
        } else if (notify) {
          window.external.notify(JSON.stringify({ eventType: type, eventData: data }));
        } else if (framed) {
          // Which client is around is not known; what is sent is no secret to it.
          window.parent.postMessage(JSON.stringify({ eventType: type, eventData: data }), '*');
        }
      } catch (_) { /* There is no client around after all. */ }
    }

    function receive(type, data) {
      if (type === 'oauth_supported') {
        supported = true;
      } else if (pending && pending.inApp && type === 'oauth_result_confirmed') {
        redeem(pending, data && data.result_url);
      } else if (pending && pending.inApp && type === 'oauth_result_failed') {
        finish(pending, { error: 'access_denied' });
      }
    }

    function redeem(attempt, url) {
      var token = null;
      try { token = new URL(url).searchParams.get('token'); } catch (_) { /* There is none. */ }
      if (!token) return finish(attempt, { error: 'missing id_token' });
      fetch(issuer + '/inapp?' + query({ code: token }))
        .then(function (answer) { return answer.json(); })
        .then(function (answer) { deliver(attempt, answer); })
        .catch(function () { finish(attempt, { error: 'missing id_token' }); });
    }

    // Clients call one of these; what stood there before is called, too.
    function hook(holder, name) {
      var before = holder[name];
      holder[name] = function (type, data) {
        receive(type, data);
        if (typeof before === 'function') return before.apply(this, arguments);
      };
    }

    if (proxy || notify || framed) {
      window.Telegram = window.Telegram || {};
      window.Telegram.WebView = window.Telegram.WebView || {};
      hook(window.Telegram.WebView, 'receiveEvent');
      window.TelegramGameProxy = window.TelegramGameProxy || {};
      hook(window.TelegramGameProxy, 'receiveEvent');
      hook(window, 'TelegramGameProxy_receiveEvent');
      window.addEventListener('message', function (event) {
        if (!framed || event.source !== window.parent) return;
        try {
          var message = JSON.parse(event.data);
          receive(message.eventType, message.eventData);
        } catch (_) { /* It is nothing of ours. */ }
      });
      post('oauth_request', {});
    }

    return {
      supported: function () { return supported; },
      login: function (options, attempt) {
        attempt.inApp = true;
        fetch(issuer + '/inapp?' + query({
          scope: scopes(options.request_access),
          origin: location.origin,
          client_id: options.client_id
        }))
          .then(function (answer) { return answer.json(); })
          .then(function (answer) {
            if (!answer.url) return finish(attempt, { error: String(answer.error || 'failed') });
            post('oauth_request', { url: answer.url });
          })
          .catch(function () { finish(attempt, { error: 'failed' }); });
      }
    };
  })();

  function begin(options, callback) {
    if (!options || !options.client_id) throw new Error('Telegram.Login: client_id is missing');
    close();
    var attempt = { callback: callback, popup: null, timer: null, inApp: false };
    pending = attempt;
    if (webView.supported()) webView.login(options, attempt);
    else openPopup(options, attempt);
  }

  function close() {
    var attempt = pending;
    pending = null;
    if (!attempt) return;
    clearInterval(attempt.timer);
    if (attempt.popup) attempt.popup.close();
  }

  var Login = {
    // Remembers what to ask, and whom to tell.
    init: function (options, callback) {
      settings = { options: options || {}, callback: callback };
    },
    // Asks what was remembered; must be called in a click.
    open: function (callback) {
      if (!settings) throw new Error('Telegram.Login: call init first');
      begin(settings.options, callback || settings.callback);
    },
    // Asks this, once.
    auth: function (options, callback) {
      begin(options, callback);
    },
    // Takes a question back; nobody is told.
    close: close
  };
  window.Telegram = window.Telegram || {};
  window.Telegram.Login = Login;

  var clientId = script.getAttribute('data-client-id');
  if (clientId) {
    var body = script.getAttribute('data-onauth');
    Login.init({
      client_id: clientId,
      request_access: script.getAttribute('data-request-access'),
      lang: script.getAttribute('data-lang'),
      nonce: script.getAttribute('data-nonce')
    }, body ? new Function('data', body) : undefined);
  }

  document.addEventListener('click', function (event) {
    var button = event.target instanceof Element && event.target.closest('.tg-auth-button');
    if (!button) return;
    event.preventDefault();
    Login.open();
  });

  function dress() {
    document.querySelectorAll('.tg-auth-button').forEach(function (button) {
      if (!button.textContent.trim()) {
        button.setAttribute('aria-label', 'Log in with Telegram');
        var icon = /(^|\s)icon(\s|$)/.test(button.getAttribute('data-style') || '');
        button.textContent = icon ? '' : 'Log in with Telegram';
      }
    });
  }
  var style = document.createElement('link');
  style.rel = 'stylesheet';
  style.href = issuer + '/css/telegram-login.css';
  document.head.appendChild(style);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', dress);
  else dress();
})();
