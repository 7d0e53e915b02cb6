/* The door: sends codes without loading the page again, reads them by camera, and keeps what could not be sent.

   localStorage holds only the opaque code, a nonce, the time, the door and the room. The nonce makes repeats harmless, so
   an entry leaves the queue only when the house has answered it. Without this file the page is a plain form. */
(function () {
  "use strict";

  var page = document.querySelector("[data-door-page]");
  if (!page) { return; }
  var form = page.querySelector("[data-door-form]");
  var input = form.elements.code;
  var answer = page.querySelector("[data-door-answer]");
  var box = page.querySelector("[data-door-queue]");
  var late = page.querySelector("[data-door-late]");
  var trouble = page.querySelector("[data-door-trouble]");
  var KEY = "alliance-door";
  var AGAIN = 15000;  // milliseconds between two tries
  var isSending = false;

  // --- what waits on this device -----------------------------------------------------------------------------------

  var memory = [];
  function waiting() {
    try { return JSON.parse(window.localStorage.getItem(KEY) || "[]"); } catch (error) { return memory; }
  }
  function keep(entries) {
    memory = entries;
    try { window.localStorage.setItem(KEY, JSON.stringify(entries)); } catch (error) { /* this tab remembers */ }
  }
  function showWaiting() {
    var count = waiting().length;
    box.hidden = count === 0;
    box.querySelector("[data-door-kept]").textContent = String(count);
  }
  function drop(nonce) {
    keep(waiting().filter(function (entry) { return entry.nonce !== nonce; }));
  }
  function randomId() {
    if (window.crypto.randomUUID) { return window.crypto.randomUUID(); }
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.prototype.map.call(bytes, function (byte) { return (byte + 256).toString(16).slice(1); }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // --- sending -----------------------------------------------------------------------------------------------------

  var newest = "";  // the nonce of the code that was read last: its answer is shown large

  // state: answered; later (nothing is lost, try again); refused (not by this user: try the others first)
  function post(entry) {
    var body = new URLSearchParams({
      csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
      code: entry.code, nonce: entry.nonce, at: entry.at, room: entry.room
    });
    return window.fetch(entry.door, {
      method: "POST", body: body, credentials: "same-origin", cache: "no-store", redirect: "manual",
      headers: { Accept: "application/json" }
    }).then(function (response) {
      if (response.type === "opaqueredirect" || response.status === 403) {
        return { state: "later", trouble: page.dataset.signIn };
      }
      var isJson = (response.headers.get("Content-Type") || "").indexOf("application/json") === 0;
      if (!isJson) { return { state: response.status >= 500 ? "later" : "refused" }; }
      return response.json().then(function (told) {
        return { state: response.status === 429 ? "later" : "answered", told: told };
      });
    }).catch(function () { return { state: "later" }; });
  }

  function say(kind, title, text) {
    var block = document.createElement("div");
    block.className = "answer answer--" + kind;
    [["answer-title", title], ["", text]].forEach(function (part) {
      var line = document.createElement("p");
      line.className = part[0];
      line.textContent = part[1];
      block.appendChild(line);
    });
    answer.replaceChildren(block);
  }

  function show(told, entry, isNow) {
    if (entry.door === form.getAttribute("action")) {
      page.querySelector("[data-door-here]").textContent = String(told.here);
      page.querySelector("[data-door-expected]").textContent = String(told.expected);
    }
    if (isNow) {
      answer.innerHTML = told.html;  // made by our own template, escaped there
    } else if (told.kind === "bad") {
      if (!late.firstChild) {
        var head = document.createElement("h2");
        head.textContent = page.dataset.late;
        late.appendChild(head);
      }
      late.insertAdjacentHTML("beforeend", told.html);
    }
  }

  function flush() {
    var refused = {};
    if (isSending) { return; }
    isSending = true;
    trouble.textContent = "";
    function next() {
      var entry = waiting().filter(function (one) { return !refused[one.nonce]; })[0];
      if (!entry) { return undefined; }
      return post(entry).then(function (result) {
        var isNow = entry.nonce === newest;
        if (result.state === "answered") {
          drop(entry.nonce);
          show(result.told, entry, isNow);
          return next();
        }
        if (result.state === "refused") {
          refused[entry.nonce] = true;
          trouble.textContent = page.dataset.refused;
          return next();
        }
        trouble.textContent = result.trouble || "";
        if (result.told && isNow) {
          show(result.told, entry, true);
        } else if (newest) {
          say("care", page.dataset.keptTitle, page.dataset.kept);
        }
        return undefined;
      });
    }
    Promise.resolve(next()).finally(function () {
      isSending = false;
      newest = "";
      showWaiting();
    });
  }

  function read(code) {
    newest = randomId();
    keep(waiting().concat([{
      door: form.getAttribute("action"), code: code, nonce: newest,
      at: new Date().toISOString(), room: form.elements.room.value
    }]));
    flush();
  }

  form.addEventListener("submit", function (event) {
    var code = input.value.trim();
    event.preventDefault();
    if (code) { read(code); }
    input.value = "";
    input.focus();
  });
  page.querySelector("[data-door-send]").addEventListener("click", function () {
    flush();
    input.focus();  // the button hides when all is sent; a scanner types where the focus is
  });
  window.addEventListener("online", flush);
  window.setInterval(function () { if (waiting().length) { flush(); } }, AGAIN);
  showWaiting();
  if (waiting().length) { flush(); }

  // --- the camera, where the browser reads codes itself ---------------------------------------------------------------

  var button = page.querySelector("[data-door-camera]");
  var video = page.querySelector("[data-door-video]");
  var stream = null;
  var last = { code: "", at: 0 };

  function stop() {
    if (stream) { stream.getTracks().forEach(function (track) { track.stop(); }); }
    stream = null;
    video.hidden = true;
    button.setAttribute("aria-pressed", "false");
  }

  function look(detector) {
    if (!stream) { return; }
    detector.detect(video).then(function (found) {
      var code = found.length ? found[0].rawValue.trim() : "";
      if (code && (code !== last.code || Date.now() - last.at > 5000)) {
        last = { code: code, at: Date.now() };
        read(code);
      } else if (code) {
        last.at = Date.now();
      }
    }).catch(function () { /* a frame that could not be read; the next may be */ })
      .finally(function () { window.setTimeout(function () { look(detector); }, 200); });
  }

  function start() {
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(function (found) {
      stream = found;
      video.srcObject = found;
      video.hidden = false;
      button.setAttribute("aria-pressed", "true");
      return video.play();
    }).then(function () {
      look(new window.BarcodeDetector({ formats: ["qr_code"] }));
    }).catch(function () {
      stop();
      say("care", page.dataset.noCamera, "");
    });
  }

  if ("BarcodeDetector" in window && navigator.mediaDevices) {
    window.BarcodeDetector.getSupportedFormats().then(function (formats) {
      button.hidden = formats.indexOf("qr_code") < 0;
    });
    button.addEventListener("click", function () { if (stream) { stop(); } else { start(); } });
  }
})();
