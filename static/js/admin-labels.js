/* Names that Django's own widgets lack for those who hear the page: lists that are searched, fields in rows, the search of a
   list. The words are those that others read beside them. Tables that move sideways are reached by keyboard. */
(function () {
  "use strict";

  var number = 0;

  function words(element) {
    return element ? element.textContent.replace(/\s+/g, " ").trim().replace(/\s*:$/, "") : "";
  }

  function called(element) {
    if (element && !element.id) { number += 1; element.id = "named-" + number; }
    return element ? element.id : "";
  }

  // The label of a field, or the heading of its column, or the legend around it.
  function label(field) {
    var own = field.id && document.querySelector("label[for='" + CSS.escape(field.id) + "']");
    if (own) { return own; }
    var cell = field.closest("td"), column = cell && cell.className.match(/field-([\w-]+)/);
    var heading = column && cell.closest("table").querySelector("th.column-" + column[1]);
    var around = field.closest("fieldset");
    return heading || (around && around.querySelector("legend")) || null;
  }

  function nameSearchedLists() {
    document.querySelectorAll(".select2-container").forEach(function (widget) {
      var field = widget.parentNode.querySelector("select"), found = field && label(field);
      var box = widget.querySelector("[role=combobox]"), shown = widget.querySelector(".select2-selection__rendered");
      var typed = widget.querySelector(".select2-search__field");
      if (!found) { return; }
      if (box && shown && shown.id && box.dataset.named !== "yes") {
        shown.removeAttribute("role");  // it is no field of its own, only what the box holds
        shown.removeAttribute("aria-readonly");
        box.setAttribute("aria-labelledby", called(found) + " " + shown.id);
        box.dataset.named = "yes";
      } else if (box && !shown.id) {
        box.setAttribute("aria-label", words(found));
      }
      if (typed) { typed.setAttribute("aria-label", words(found)); }
    });
  }

  // In rows of a form each field is named by the heading of its column.
  function nameRows() {
    document.querySelectorAll(".tabular td").forEach(function (cell) {
      cell.querySelectorAll("input, select, textarea").forEach(function (field) {
        if (field.type === "hidden" || (field.labels && field.labels.length) || field.getAttribute("aria-label")
            || field.getAttribute("aria-labelledby") || field.classList.contains("select2-search__field")) { return; }
        var headings = cell.closest("table").querySelectorAll("thead th");
        var found = cell.classList.contains("delete") ? headings[headings.length - 1] : label(field);
        if (found) { field.setAttribute("aria-label", words(found)); }
      });
    });
  }

  function nameSearch() {
    var field = document.getElementById("searchbar"), picture = document.querySelector("label[for=searchbar] img[alt]");
    if (field && picture && picture.alt) { field.setAttribute("aria-label", picture.alt); }
  }

  function nameSigns() {
    document.querySelectorAll("span.help-tooltip[aria-label]").forEach(function (sign) { sign.setAttribute("role", "img"); });
  }

  // What moves sideways on a small screen is reached by keyboard, too.
  function reachScrolled() {
    document.querySelectorAll(".figure-table, .table-scroll, .conflict-table").forEach(function (place) {
      if (place.scrollWidth <= place.clientWidth) { place.removeAttribute("tabindex"); return; }
      var part = place.closest(".module, section"), heading = part && part.querySelector("h2, h3");
      place.tabIndex = 0;
      place.setAttribute("role", "group");
      place.setAttribute("aria-label", words(heading) || document.title);
    });
  }

  function nameEmptyHeadings() {
    document.querySelectorAll(".tabular th.original").forEach(function (heading) {
      if (heading.textContent.trim()) { return; }
      var said = document.createElement("span");
      said.className = "visually-hidden";
      said.textContent = words(heading.closest("fieldset").querySelector("h2, summary"));
      heading.appendChild(said);
    });
  }

  function prepare() {
    nameSearchedLists();
    nameRows();
    nameSearch();
    nameSigns();
    nameEmptyHeadings();
    reachScrolled();
  }

  window.addEventListener("resize", reachScrolled);
  window.addEventListener("load", function () {  // after the widgets are made; some of them come a moment later
    prepare();
    window.setTimeout(prepare, 200);
  });
  document.addEventListener("formset:added", function () { window.setTimeout(prepare, 0); });
})();
