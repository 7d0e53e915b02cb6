/* The programme page of the admin: rows are dragged by a handle, with mouse, finger or arrow keys.
   Without JavaScript the buttons of each row do the same. Nothing is changed before the server has said yes. */
(function () {
  "use strict";

  var form = document.getElementById("programme-form");
  if (!form || !form.querySelector("button[name=up]")) { return; }
  var lists = Array.prototype.slice.call(form.querySelectorAll(".programme-rows"));
  var dragged = null, home = null;

  function rows(list) { return Array.prototype.slice.call(list.querySelectorAll(".programme-row")); }

  function order() {
    return JSON.stringify(lists.map(function (list) {
      return { day: list.dataset.day, sessions: rows(list).map(function (row) { return row.dataset.session; }) };
    }));
  }

  function save(row) {
    form.elements.order.value = order();
    form.elements.moved.value = row.dataset.session;
    form.submit();
  }

  function start(event, row) {
    if (event.button) { return; }
    dragged = row;
    home = { list: row.parentNode, next: row.nextElementSibling, order: order() };
    row.classList.add("is-dragged");
    event.preventDefault();
  }

  function over(event) {
    if (!dragged) { return; }
    if (event.clientY < 60) { window.scrollBy(0, -12); }
    if (event.clientY > window.innerHeight - 60) { window.scrollBy(0, 12); }
    var day = document.elementFromPoint(event.clientX, event.clientY);
    day = day && day.closest(".programme-day");
    var list = day && day.querySelector(".programme-rows");
    if (!list) { return; }
    var before = rows(list).filter(function (row) {
      var box = row.getBoundingClientRect();
      return row !== dragged && event.clientY < box.top + box.height / 2;
    })[0] || null;
    if (before !== dragged.nextElementSibling || dragged.parentNode !== list) { list.insertBefore(dragged, before); }
  }

  function stop() {
    if (!dragged) { return; }
    var row = dragged;
    dragged = null;
    row.classList.remove("is-dragged");
    if (order() !== home.order) { save(row); }
  }

  function back() {
    if (!dragged) { return; }
    home.list.insertBefore(dragged, home.next);
    dragged.classList.remove("is-dragged");
    dragged = null;
  }

  function press(row, name) {
    var button = row.querySelector("button[name=" + name + "]");
    if (!button.disabled) { button.click(); }
  }

  lists.forEach(function (list) {
    rows(list).forEach(function (row) {
      var handle = document.createElement("button");
      handle.type = "button";
      handle.className = "drag-handle";
      handle.textContent = "⠿";
      handle.setAttribute("aria-label", form.dataset.drag + ": " + row.querySelector("a").textContent);
      handle.title = form.dataset.drag;
      handle.addEventListener("pointerdown", function (event) { start(event, row); });
      handle.addEventListener("keydown", function (event) {
        if (event.key === "ArrowUp") { event.preventDefault(); press(row, "up"); }
        if (event.key === "ArrowDown") { event.preventDefault(); press(row, "down"); }
      });
      row.insertBefore(handle, row.firstChild);
    });
  });

  // On the document: a row that moves in the page loses its hold on the pointer.
  document.addEventListener("pointermove", over);
  document.addEventListener("pointerup", stop);
  document.addEventListener("pointercancel", back);
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { back(); } });

  // The row that was moved, once the browser is done with the fragment: going there takes the focus away.
  window.addEventListener("load", function () {
    window.setTimeout(function () {
      var shown = window.location.hash && document.getElementById(window.location.hash.slice(1));
      if (!shown || !shown.classList.contains("programme-row")) { return; }
      shown.classList.add("is-shown");
      shown.querySelector(".drag-handle").focus({ preventScroll: true });
    }, 50);
  });
})();
