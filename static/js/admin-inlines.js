/* Rows of a form that stand in an order: a handle drags them, or moves them with the arrow keys, and the numbers follow.
   Without JavaScript the numbers are typed. Nothing is saved before the form is. */
(function () {
  "use strict";
  /* global django */

  var dragged = null;

  function group(row) { return row.closest(".inline-group"); }

  function rows(inside) {
    return Array.prototype.slice.call(inside.querySelectorAll(".inline-related[id], tr.form-row[id]"))
      .filter(function (row) { return !row.classList.contains("empty-form") && position(row); });
  }

  function position(row) { return row.querySelector("input[name$='-position']"); }

  function renumber(inside) {
    rows(inside).filter(function (row) { return !row.dataset.isEmpty; })
      .forEach(function (row, index) { position(row).value = index + 1; });
  }

  function put(row, before, parent) {
    parent.insertBefore(row, before);
    renumber(group(row));
  }

  function step(row, by) {
    var all = rows(group(row)), place = all.indexOf(row), other = all[place + by];
    if (!other) { return; }
    put(row, by < 0 ? other : other.nextElementSibling, other.parentNode);
    row.querySelector(".drag-handle").focus();
  }

  function over(event) {
    if (!dragged) { return; }
    if (event.clientY < 60) { window.scrollBy(0, -12); }
    if (event.clientY > window.innerHeight - 60) { window.scrollBy(0, 12); }
    var others = rows(group(dragged)).filter(function (row) { return row !== dragged; });
    if (!others.length) { return; }
    var before = others.filter(function (row) {
      var box = row.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    })[0];
    var last = others[others.length - 1];
    var next = before || last.nextElementSibling;
    if (next !== dragged && next !== dragged.nextElementSibling) { put(dragged, next, last.parentNode); }
  }

  function stop() {
    if (!dragged) { return; }
    dragged.classList.remove("is-dragged-inline");
    dragged = null;
  }

  function handle(row) {
    if (!position(row) || row.querySelector(".inline-handle")) { return; }
    var label = position(row).closest(".inline-group").dataset.drag || document.documentElement.dataset.drag || "";
    var button = document.createElement("button");
    button.type = "button";
    button.className = "drag-handle inline-handle";
    button.textContent = "⠿";
    button.setAttribute("aria-label", label || "↑ ↓");
    button.title = label;
    button.addEventListener("pointerdown", function (event) {
      if (event.button) { return; }
      dragged = row;
      row.classList.add("is-dragged-inline");
      event.preventDefault();
    });
    button.addEventListener("keydown", function (event) {
      if (event.key === "ArrowUp") { event.preventDefault(); step(row, -1); }
      if (event.key === "ArrowDown") { event.preventDefault(); step(row, 1); }
    });
    var place = row.matches("tr") ? row.querySelector("td.field-position") : row.querySelector("h3");
    if (place) { place.insertBefore(button, place.firstChild); }
  }

  function prepare() {
    var words = document.getElementById("drag-words");
    document.querySelectorAll(".inline-group").forEach(function (inside) {
      if (words) { inside.dataset.drag = words.textContent.trim(); }
      rows(inside).forEach(handle);
    });
  }

  // On the document: a row that moves in the page loses its hold on the pointer.
  document.addEventListener("pointermove", over);
  document.addEventListener("pointerup", stop);
  document.addEventListener("pointercancel", stop);

  // A row that was added gets the next number with the first thing that is entered: a row left empty must stay unchanged.
  document.addEventListener("formset:added", function (event) {
    var row = event.target;
    if (!position(row)) { return; }
    row.dataset.isEmpty = "yes";
    handle(row);
    django.jQuery(row).on("input change", function (change) {
      if (!row.dataset.isEmpty) { return; }
      delete row.dataset.isEmpty;
      if (change.target === position(row)) { return; }
      var others = rows(group(row)).filter(function (other) { return other !== row; });
      position(row).value = Math.max.apply(null, [0].concat(others.map(function (other) { return Number(position(other).value) || 0; }))) + 1;
    });
  });

  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", prepare); } else { prepare(); }
})();
