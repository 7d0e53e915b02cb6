/* What HTMX leaves to do on programme pages: the address in the bar, where the focus goes, and what is read aloud.
   Filters and days are plain links and a plain form; without JavaScript they load the page anew. Nothing is stored. */
(function () {
  "use strict";

  var shown = window.location.pathname + window.location.search;

  var waiting = 0;

  // A toast goes by itself after eight seconds, unless it has to stay.
  function dismissLater() {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () {
      var place = document.querySelector(".toast:not([data-stays])");
      if (place) { place.textContent = ""; }
    }, 8000);
  }

  function say(text) {
    var place = document.getElementById("announce");
    if (place) { place.textContent = text; dismissLater(); }
  }

  document.addEventListener("htmx:oobAfterSwap", dismissLater);

  // The page is the same for everybody; this piece knows what the reader has picked.
  function showPicked() {
    document.querySelectorAll("#agenda-state template").forEach(function (piece) {
      var button = document.getElementById(piece.dataset.agenda);
      if (!button) { return; }
      button.replaceWith(piece.content.cloneNode(true));
      window.htmx.process(document.getElementById(piece.dataset.agenda));
    });
  }

  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.detail.elt && event.detail.elt.id === "agenda-state") { showPicked(); return; }
    if (event.detail.elt && event.detail.elt.id === "results") { say(event.detail.elt.dataset.found); return; }
    var answer = event.detail.xhr, programme = document.getElementById("programme");
    if (!programme || event.detail.elt !== programme || !answer) { return; }
    if (answer.responseURL && answer.responseURL !== window.location.href) {
      window.history.pushState(null, "", answer.responseURL);
    }
    shown = window.location.pathname + window.location.search;
    // The element that was used is there again, or gone: then the reader goes on at the number of items.
    if (!document.activeElement || document.activeElement === document.body) {
      (document.getElementById("found") || document.getElementById("main")).focus();
    }
    say(programme.dataset.found);
  });

  // HTMX notes the present address in the browser even when told to keep no history.
  function forget() {
    try { window.sessionStorage.removeItem("htmx-current-path-for-history"); } catch (error) { /* storage is closed */ }
  }

  forget();
  document.addEventListener("htmx:afterSettle", forget);

  // "Back" to another choice loads it; "back" from a place on the same page is the browser's affair.
  window.addEventListener("popstate", function () {
    if (window.location.pathname + window.location.search !== shown) { window.location.reload(); }
  });

  // An answer that is none: go there the plain way, which says what is going on.
  function goThere(event) {
    var button = event.detail.elt;
    if (button && button.matches && button.matches(".agenda-button")) { button.form.requestSubmit(button); return; }
    var wanted = event.detail.pathInfo && event.detail.pathInfo.finalRequestPath;
    if (event.detail.requestConfig && event.detail.requestConfig.verb === "get" && event.detail.boosted && wanted) {
      window.location.assign(wanted);
    }
  }

  document.addEventListener("htmx:responseError", goThere);
  document.addEventListener("htmx:sendError", goThere);
})();
