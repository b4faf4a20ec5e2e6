// What pages do a little better with script: filter, the language kept in the address, print, sign-up.
"use strict";
(function () {
  var address = new URL(location.href);

  function remember(name, value) {
    if (value) { address.searchParams.set(name, value); } else { address.searchParams.delete(name); }
    address.hash = location.hash;
    history.replaceState(null, "", address);
  }

  // The language switch works by CSS; here it only survives a reload and a shared link.
  ["both", "zh", "en"].forEach(function (language) {
    var radio = document.getElementById("lang-" + language);
    if (!radio) { return; }
    if (address.searchParams.get("lang") === language) { radio.checked = true; }
    radio.addEventListener("change", function () {
      remember("lang", language === "both" ? "" : language);
    });
  });

  var filter = document.getElementById("filter");
  if (filter) {
    var count = document.getElementById("count");
    var papers = Array.from(document.querySelectorAll(".paper")).map(function (element) {
      var parts = element.querySelectorAll("h3, .tldr, .meta");
      var texts = Array.from(parts, function (part) { return part.textContent; });
      // The names that the block only counts.
      var text = texts.concat(element.dataset.authors || "").join(" ");
      return { element: element, text: text.toLowerCase() };
    });
    var apply = function () {
      var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      var shown = 0;
      papers.forEach(function (paper) {
        var hit = words.every(function (word) { return paper.text.includes(word); });
        paper.element.hidden = !hit;
        shown += hit ? 1 : 0;
      });
      document.querySelectorAll("main section").forEach(function (section) {
        section.hidden = !section.querySelector(".paper:not([hidden])");
        var closed = section.querySelector("details.section");
        if (closed && words.length) { closed.open = true; }
      });
      count.textContent = words.length ? shown + " / " + papers.length : "";
      remember("q", filter.value.trim());
    };
    filter.closest(".filter").hidden = false;
    filter.value = address.searchParams.get("q") || "";
    if (filter.value) { apply(); }
    filter.addEventListener("input", apply);
    document.addEventListener("keydown", function (event) {
      var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) &&
        document.activeElement.type !== "radio";
      if (event.key === "/" && !typing) { event.preventDefault(); filter.focus(); }
    });
  }

  function openTarget() {
    var target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.classList.contains("paper")) { return; }
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
    }
    var abstracts = target.querySelector("details");
    if (abstracts) { abstracts.open = true; }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (element) { element.open = true; });
  });

  var form = document.getElementById("subscribe");
  if (form) {
    var boxes = Array.from(form.querySelectorAll("[name=categories]"));
    var check = function () {
      var none = !boxes.some(function (box) { return box.checked; });
      boxes[0].setCustomValidity(none ? "请至少选一个分类 Choose at least one category" : "");
    };
    boxes.forEach(function (box) { box.addEventListener("change", check); });
    check();
  }
})();
