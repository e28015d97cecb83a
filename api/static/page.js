// Answers without leaving the page, and filters in the table; the page works without all of this.
"use strict";

const root = document.documentElement;
const status = document.getElementById("status");
let latest = null;

root.classList.add("scripting");

function say(text) {
  status.textContent = text;
}

function fail(form, text) {
  const box = document.createElement("div");
  box.className = "fault card";
  const heading = document.createElement("h2");
  heading.textContent = form.dataset.fault;
  const words = document.createElement("p");
  words.textContent = text;
  box.append(heading, words);
  const into = document.getElementById(form.dataset.into);
  into.replaceChildren(box);
  say(text);
  bringIntoView(into);
}

// the list goes on where an answer was given
function goOn(section, row) {
  const rows = section.querySelectorAll("ol > li");
  const next = rows[Math.min(row, rows.length - 1)];
  (next ? next.querySelector("button") : section).focus();
}

function bringIntoView(element) {
  const place = element.getBoundingClientRect();
  if (place.top < 0 || place.top > window.innerHeight * 0.6) element.scrollIntoView();
}

async function answer(form, submitter) {
  const keeps = "keeps" in form.dataset; // what shall be kept is never given up
  if (keeps && form.hasAttribute("aria-busy")) return;
  if (latest) latest.abort();
  const own = new AbortController();
  if (!keeps) latest = own;
  const item = submitter && submitter.closest("li");
  const row = item ? [...item.parentElement.children].indexOf(item) : -1;
  form.setAttribute("aria-busy", "true");
  say(form.dataset.working);
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new FormData(form, submitter),
      signal: own.signal,
    });
    const text = await response.text();
    const found = new DOMParser().parseFromString(text, "text/html");
    const fresh = found.getElementById(form.dataset.into);
    if (!fresh) {
      fail(form, response.status === 413 ? form.dataset.large : form.dataset.failed);
      return;
    }
    if (submitter && submitter.name === "try") {
      form.elements.title.value = submitter.value;
      form.elements.description.value = "";
    }
    document.getElementById(form.dataset.into).replaceWith(fresh);
    document.title = found.title;
    say(fresh.dataset.said);
    if (row < 0) bringIntoView(fresh);
    else goOn(fresh, row);
  } catch (error) {
    if (error.name !== "AbortError") fail(form, form.dataset.failed);
  } finally {
    if (keeps || own === latest) form.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.matches("[data-filters]")) return event.preventDefault();
  if (!form.dataset.into || (submitter && submitter.name === "switch")) return;
  const file = form.elements.file && form.elements.file.files[0];
  if (file && file.size > Number(form.dataset.max) - 2048) {
    event.preventDefault();
    return fail(form, form.dataset.large);
  }
  if (submitter && submitter.name === "as") return;
  event.preventDefault();
  answer(form, submitter);
});

// what was typed is taken along into the other language
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-language]");
  const form = document.getElementById("posting");
  if (link && (form.elements.title.value || form.elements.description.value)) {
    event.preventDefault();
    form.action = link.href;
    form.submit();
  }
});

function filter(form) {
  const wanted = new FormData(form);
  const text = wanted.get("text").toLocaleLowerCase();
  const rows = form.parentElement.querySelectorAll("tbody tr");
  let shown = 0;
  for (const row of rows) {
    const fits =
      ["category", "department", "status"].every(
        (name) => !wanted.get(name) || wanted.get(name) === row.dataset[name],
      ) && row.cells[1].textContent.toLocaleLowerCase().includes(text);
    row.hidden = !fits;
    shown += fits;
  }
  const said = form.querySelector("[data-shown]");
  said.textContent = said.dataset.shown.replace("{shown}", shown).replace("{all}", rows.length);
}

for (const kind of ["input", "reset"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest("[data-filters]");
    if (form) setTimeout(() => filter(form)); // a reset has emptied the fields by then
  });
}

// only the roles of the department that is chosen, and the department of the role
document.addEventListener("change", (event) => {
  const { target } = event;
  const form = target.closest("form");
  const department = form && form.querySelector("[data-department]");
  if (!department) return;
  const role = form.querySelector("[data-role]");
  role.groups ||= [...role.querySelectorAll("optgroup")];
  if (target === role && role.value && !department.value)
    department.value = role.selectedOptions[0].parentElement.dataset.of;
  const fits = (group) => !department.value || group.dataset.of === department.value;
  role.replaceChildren(role.options[0], ...role.groups.filter(fits));
});
