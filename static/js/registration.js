/* What JavaScript adds to registration: the browser's time zone in the form, two choices at the same time marked while
   somebody chooses, and a waiting page that looks again. */
(function () {
  "use strict";

  var zone = document.querySelector("[data-own-zone]");
  if (zone && !zone.value) {
    try { zone.value = new Intl.DateTimeFormat().resolvedOptions().timeZone || ""; } catch (error) { /* stays empty */ }
  }

  // --- two choices at the same time -----------------------------------------------------------------------------------

  function isChosen(name) {
    var input = document.querySelector('[data-thing="' + name + '"] input:checked');
    return Boolean(input && input.value);
  }

  function markClashes(event) {
    var told = "";
    document.querySelectorAll("[data-clashes]").forEach(function (mark) {
      var own = mark.closest("[data-thing]").dataset.thing;
      var others = isChosen(own) ? mark.dataset.clashes.split(" ").filter(isChosen) : [];
      mark.hidden = !others.length;
      mark.querySelector("ul").replaceChildren.apply(mark.querySelector("ul"), others.map(function (name) {
        var title = document.querySelector('[data-thing="' + name + '"]').querySelector("legend, .choice--title > label");
        var line = document.createElement("li");
        title.childNodes.forEach(function (node) { line.appendChild(node.cloneNode(true)); });
        return line;
      }));
      if (others.length && event && mark.closest("[data-thing]").contains(event.target)) { told = mark.innerText; }
    });
    var place = document.querySelector("[data-clash-told]");
    if (place && event) { place.textContent = told; }
  }

  document.addEventListener("change", function (event) {
    if (event.target.closest("[data-thing]")) { markClashes(event); }
  });
  markClashes();  // what the browser has filled in again

  // --- the door: ask whether it has opened as often as the page says, and change only its own part of the page --------

  var MOST = 60;  // seconds; what is left until the opening is written in minutes

  function wait(door) {
    var seconds = Number(door.dataset.looksAgain);
    if (seconds) { window.setTimeout(look, 1000 * Math.min(seconds, MOST)); }
  }

  function look() {
    var door = document.querySelector("[data-door]");
    fetch(window.location.href, { cache: "no-store", credentials: "omit" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-door]");
        if (!fresh) { return; }
        door.dataset.looksAgain = fresh.dataset.looksAgain || "";
        if (fresh.dataset.door !== door.dataset.door) {
          door.dataset.door = fresh.dataset.door;
          door.innerHTML = fresh.innerHTML;
        } else if (fresh.querySelector("[data-left]") && door.querySelector("[data-left]")) {
          door.querySelector("[data-left]").textContent = fresh.querySelector("[data-left]").textContent;
        }
      })
      .catch(function () { /* the next look may work */ })
      .finally(function () { wait(door); });
  }

  var door = document.querySelector("[data-door]");
  if (door) { wait(door); }
})();
