/* Keys of the organisers' admin: "/" goes to the search, "?" lists the keys, "g" and a number opens a group of the bar,
   Ctrl+Enter saves the form. Single keys do nothing while somebody writes, and can be switched off (WCAG 2.1.4); that
   choice alone is kept in the browser. Everything they do can be done without them. */
(function () {
  "use strict";

  var dialog = document.getElementById("house-keys");
  var opener = document.getElementById("house-keys-open");
  var choice = document.getElementById("house-keys-on");
  if (!dialog || !opener || !dialog.showModal) { return; }
  var NAME = "house-keys", goes = 0;

  function areOn() {
    try { return window.localStorage.getItem(NAME) !== "off"; } catch (error) { return true; }
  }

  function open() {
    choice.checked = areOn();
    dialog.showModal();
  }

  function isWriting(target) {
    return !!(target && target.closest && target.closest("input, textarea, select, [contenteditable]"));
  }

  function groups() {
    return Array.prototype.slice.call(document.querySelectorAll(".conference-groups > li"));
  }

  function goTo(number) {
    var group = groups()[number - 1];
    if (!group) { return; }
    var list = group.querySelector("details");
    if (list) { list.open = true; list.querySelector("summary").focus(); return; }
    group.querySelector("a").click();
  }

  /* Lists of the bar: one at a time; Escape and a click elsewhere close them. Without this they stay open until closed. */
  function openLists() {
    return Array.prototype.slice.call(document.querySelectorAll(".conference-groups details[open]"));
  }

  groups().forEach(function (group) {
    var list = group.querySelector("details");
    if (!list) { return; }
    list.addEventListener("toggle", function () {
      if (list.open) { openLists().forEach(function (one) { if (one !== list) { one.open = false; } }); }
    });
  });

  document.addEventListener("click", function (event) {
    openLists().forEach(function (one) { if (!one.contains(event.target)) { one.open = false; } });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape" || dialog.open) { return; }
    openLists().forEach(function (one) {
      var held = one.contains(document.activeElement);
      one.open = false;
      if (held) { one.querySelector("summary").focus(); }
    });
  });

  opener.hidden = false;
  opener.addEventListener("click", open);
  choice.addEventListener("change", function () {
    try { window.localStorage.setItem(NAME, choice.checked ? "on" : "off"); } catch (error) { choice.checked = true; }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      var form = event.target.closest && event.target.closest("#content form");
      var save = form && form.querySelector("input[type=submit].default, button[type=submit].default");
      if (save) { event.preventDefault(); save.click(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (dialog.open || isWriting(event.target) || !areOn()) { return; }
    if (event.key === "/") {
      var search = document.getElementById("admin-search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "?") {
      event.preventDefault();
      open();
    } else if (event.key === "g") {
      goes = Date.now();
    } else if (/^[1-9]$/.test(event.key) && Date.now() - goes < 1500) {
      goes = 0;
      goTo(Number(event.key));
    }
  });
})();
