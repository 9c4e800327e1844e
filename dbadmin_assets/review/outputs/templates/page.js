(function () {
  "use strict";
  var collator = new Intl.Collator("en");

  function text(row, column) { return row.cells[column].textContent; }

  function compare(a, b, numbers) {
    return numbers ? Number(a.replace(/,/g, "")) - Number(b.replace(/,/g, "")) : collator.compare(a, b);
  }

  function sort(table, column) {
    var heads = table.tHead.rows[0].cells, head = heads[column], body = table.tBodies[0];
    var down = head.getAttribute("aria-sort") === "ascending", numbers = head.classList.contains("n");
    var rows = Array.from(body.rows, function (row) { return [text(row, column), row]; });
    rows.sort(function (a, b) { return down ? compare(b[0], a[0], numbers) : compare(a[0], b[0], numbers); });
    Array.from(heads, function (other) { other.setAttribute("aria-sort", "none"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var sorted = document.createDocumentFragment();
    rows.forEach(function (pair) { sorted.appendChild(pair[1]); });
    body.appendChild(sorted);
  }

  function makeSortable(table) {
    Array.from(table.tHead.rows[0].cells, function (head, column) {
      if (head.classList.contains("bar")) { return; }
      var button = document.createElement("span"); // Chromium leaves a real button out of the heads it repeats on paper
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.title = "Sort";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      button.addEventListener("click", function () { sort(table, column); });
      button.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(table, column); }
      });
      head.setAttribute("aria-sort", "none");
      head.appendChild(button);
    });
  }

  function makeFilter(tools) {
    var table = document.getElementById(tools.dataset.table), input = tools.querySelector("input");
    var count = tools.querySelector("[data-count]"), rows = Array.from(table.tBodies[0].rows), texts = null, waiting = 0;
    function filter() {
      var wanted = input.value.toLowerCase(), shown = 0;
      texts = texts || rows.map(function (row) {
        return Array.from(row.cells, function (cell) { return cell.textContent; }).join("\n").toLowerCase();
      });
      rows.forEach(function (row, place) {
        row.hidden = texts[place].indexOf(wanted) < 0;
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = wanted ? shown.toLocaleString("en") + " of " + count.dataset.count + " rows, filtered"
        : count.dataset.count + " rows";
    }
    input.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(filter, 100); });
    tools.querySelector("label").hidden = false;
  }

  document.querySelectorAll("table.rows").forEach(makeSortable);
  document.querySelectorAll(".tools").forEach(makeFilter);
  document.documentElement.dataset.ready = "yes";
})();
