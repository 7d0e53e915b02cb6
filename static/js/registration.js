/* What JavaScript adds to registration: the browser's time zone in the form, and a waiting page that looks again. */
(function () {
  "use strict";

  var zone = document.querySelector("[data-own-zone]");
  if (zone && !zone.value) {
    try { zone.value = new Intl.DateTimeFormat().resolvedOptions().timeZone || ""; } catch (error) { /* stays empty */ }
  }

  // --- the door: ask every 15 seconds whether it has opened, and change only its own part of the page -----------------

  function look() {
    var door = document.querySelector("[data-door]");
    if (!door || (door.dataset.door !== "NotReady" && door.dataset.door !== "NotYet")) { return; }
    fetch(window.location.href, { cache: "no-store", credentials: "omit" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-door]");
        if (fresh && fresh.dataset.door !== door.dataset.door) {
          door.dataset.door = fresh.dataset.door;
          door.innerHTML = fresh.innerHTML;
        } else if (fresh && fresh.querySelector("[data-left]") && door.querySelector("[data-left]")) {
          door.querySelector("[data-left]").textContent = fresh.querySelector("[data-left]").textContent;
        }
      })
      .catch(function () { /* the next look may work */ })
      .finally(function () { window.setTimeout(look, 15000); });
  }

  window.setTimeout(look, 15000);
})();
