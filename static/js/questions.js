/* Questions of the organisers that depend on a choice further up: shown when they are asked, hidden when they are not.
   Without this script all of them show, each with a sentence that says whom it is for; the server decides in any case. */
(function () {
  "use strict";

  var questions = Array.prototype.slice.call(
    document.querySelectorAll(".question[data-session-field], .question[data-source-field]"));
  if (!questions.length) { return; }

  function answers(name) {
    var found = [];
    document.getElementsByName(name).forEach(function (field) {
      if (field.type === "radio" || field.type === "checkbox") {
        if (field.checked) { found.push(field.value); }
      } else if (field.value) {
        found.push(field.value);
      }
    });
    return found;
  }

  function isAsked(question) {
    var source = question.dataset.sourceField;
    if (question.dataset.sessionField && !answers(question.dataset.sessionField).some(Boolean)) { return false; }
    if (!source) { return true; }
    var field = document.getElementsByName(source)[0];
    var above = field && field.closest(".question");
    if (!field || (above && above.hidden)) { return false; }  // in form order, so what stands above is settled
    var wanted = question.dataset.sourceAnswers.split(" ");
    return answers(source).some(function (answer) { return wanted.indexOf(answer) >= 0; });
  }

  function settle() {
    questions.forEach(function (question) { question.hidden = !isAsked(question); });
  }

  questions.forEach(function (question) {
    var when = question.querySelector(".question-when");
    if (when) { when.hidden = true; }
  });
  document.addEventListener("change", settle);
  window.addEventListener("pageshow", settle);  // the browser fills fields in again when people come back
  settle();
})();
