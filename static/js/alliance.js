/* What JavaScript adds: the reader's own clock, live places, a quick exit, focus on the error summary. Every page works without it.
   Nothing is stored in the browser. */
(function () {
  "use strict";
  var root = document.documentElement;
  var texts = document.body.dataset;

  // --- the reader's own clock beside the venue's --------------------------------------------------------------------

  function sameDay(first, second) {
    return first.year === second.year && first.month === second.month && first.day === second.day;
  }

  function dateParts(instant, zone) {
    var parts = {};
    new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" })
      .formatToParts(instant)
      .forEach(function (part) { parts[part.type] = part.value; });
    return parts;
  }

  function ownClocks() {
    var own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!own) { return; }
    var language = root.lang || "en";
    var clock = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
      timeZone: own, hour: "2-digit", minute: "2-digit", hourCycle: "h23"
    });
    var date = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
      timeZone: own, weekday: "long", day: "numeric", month: "long"
    });
    document.querySelectorAll("[data-own-clock]").forEach(function (place) {
      var starts = new Date(place.dataset.starts);
      var ends = place.dataset.ends ? new Date(place.dataset.ends) : null;
      if (isNaN(starts)) { return; }
      if ("short" in place.dataset) {
        place.textContent = -starts.getTimezoneOffset() === Number(place.dataset.offset) ? "" : clock.format(starts);
        return;
      }
      var text = clock.format(starts) + (ends ? "–" + clock.format(ends) : "") + " " + texts.ownTime;
      if (!sameDay(dateParts(starts, own), dateParts(starts, place.dataset.zone))) {
        text += ", " + date.format(starts);
      }
      if (-starts.getTimezoneOffset() === Number(place.dataset.offset)) { text = texts.sameTime; }
      place.textContent = text;
    });
    document.querySelectorAll("[data-own-zone-name]").forEach(function (place) { place.textContent = texts.ownTime; });
  }

  function showClocks() {
    try { ownClocks(); } catch (error) { /* An old browser without zones keeps the server's second clock. */ }
  }

  showClocks();
  document.addEventListener("htmx:afterSettle", showClocks);  // a part of the page was replaced

  // --- places left, which change too often to stand in a kept page ---------------------------------------------------

  document.querySelectorAll("[data-live]").forEach(function (place) {
    fetch(place.dataset.live, { credentials: "omit" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (html) { place.innerHTML = html; })
      .catch(function () { /* The form shows the places too. */ });
  });

  // --- the date of printing, which a kept page cannot know ------------------------------------------------------------

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("[data-printed]").forEach(function (place) {
      var language = root.lang || "en";
      var date = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { dateStyle: "long" });
      place.textContent = "· " + place.dataset.printed + " " + date.format(new Date());
    });
  });

  // --- leave at once ------------------------------------------------------------------------------------------------

  var exit = document.querySelector("[data-exit]");
  var exitStatus = document.querySelector("[data-exit-status]");

  function leave() {
    // Gone from the screen before anything is asked of the network, and from the page that Back might bring again.
    document.title = " ";
    document.body.hidden = true;
    document.body.textContent = "";
    window.location.replace(exit.href);
  }

  function tellPresses(number) {
    if (exitStatus) { exitStatus.textContent = number === 1 ? exitStatus.dataset.two : number === 2 ? exitStatus.dataset.one : ""; }
  }

  if (exit) {
    exit.addEventListener("click", function (event) {
      event.preventDefault();
      leave();
    });
    var presses = [];
    document.addEventListener("keydown", function (event) {
      if (event.key !== "Shift") { if (presses.length) { presses = []; tellPresses(0); } return; }
      if (event.repeat) { return; }
      presses.push(event.timeStamp);
      presses = presses.filter(function (at) { return event.timeStamp - at < 2000; });
      if (presses.length >= 3) { leave(); } else { tellPresses(presses.length); }
    });
  }

  // --- forms --------------------------------------------------------------------------------------------------------

  var summary = document.querySelector("[data-error-summary]");
  if (summary) { summary.focus(); }
})();
