/* Names that Django's own widgets lack for those who hear the page: lists that are searched, and the empty heading over
   rows of a form. The words are those that others read beside them. */
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
    document.querySelectorAll("select + .select2").forEach(function (widget) {
      var field = widget.previousElementSibling, found = label(field);
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
    nameEmptyHeadings();
  }

  window.addEventListener("load", prepare);  // after the widgets are made
  document.addEventListener("formset:added", function () { window.setTimeout(prepare, 0); });
})();
