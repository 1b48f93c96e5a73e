// The sign-up form on a bad line: what was typed stays, and it is sent once, when it can be. Answers that are nobody's
// business (gender, age, consents) are not stored; the others for half an hour in this tab.
const STORED = ["webinars", "name", "email", "province", "regency", "phone", "organisation", "organisation_kind"];
const STORE = "kpt-sign-up";
let form, status, again;

const person = () => document.querySelector("meta[name=person]")?.content || "";
const say = (words) => {
  status.className = words ? "notice notice-warning" : "";
  status.textContent = words || "";
};

const store = () => {
  const data = new FormData(form);
  const values = Object.fromEntries(STORED.map((name) => [name, data.getAll(name)]));
  sessionStorage.setItem(STORE, JSON.stringify({ at: Date.now(), person: person(), values }));
};

// Into what the server left empty; where it shows errors it also shows what was sent.
const restore = () => {
  const { at, person: of, values } = JSON.parse(sessionStorage.getItem(STORE) || "{}");
  if (document.getElementById("errors")) return;
  if (of !== person() || Date.now() - at > 18e5) return sessionStorage.removeItem(STORE);
  for (const field of form.elements) {
    const typed = values[field.name] || [];
    if (field.type === "checkbox") field.checked ||= typed.includes(field.value);
    else if (typed[0] && !field.value) field.value = typed[0];
  }
};

const narrowRegencies = () => {
  const { province, regency } = form.elements;
  const groups = [...regency.querySelectorAll("optgroup")];
  const narrow = () => {
    const name = province.value && province.selectedOptions[0].text;
    const chosen = regency.value;
    regency.replaceChildren(regency.options[0], ...groups.filter((group) => !name || group.label === name));
    regency.value = chosen;
    if (!regency.value) regency.value = "";
  };
  province.addEventListener("change", narrow);
  narrow();
};

const openGuardian = () => {
  const { age_group: age, guardian_name: guardian } = form.elements;
  const details = guardian.closest("details");
  const open = () => (details.open ||= age.value === "under_18");
  age.addEventListener("change", open);
  open();
};

const busy = (is) => {
  if (is) form.setAttribute("aria-busy", "true");
  else form.removeAttribute("aria-busy");
  for (const field of form.elements) field.disabled = is;
};

const send = async () => {
  clearTimeout(again);
  const body = new URLSearchParams(new FormData(form));
  const { email } = form.elements;
  const focused = document.activeElement;
  const isSame = person() && email.value === email.defaultValue;
  busy(true);
  say(form.dataset.sending);
  // Another person's address: nothing of the one before stays readable.
  if (!isSame && window.caches) await caches.delete("mine-1").catch(() => {});
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      redirect: "manual",
      signal: AbortSignal.timeout?.(45e3),
    });
    if (answer.status > 501) throw new Error();
    if (answer.type === "opaqueredirect") {
      sessionStorage.removeItem(STORE);
      location.assign(isSame ? form.dataset.mine : form.dataset.code);
    } else await show(answer);
  } catch {
    busy(false);
    say(form.dataset.lost);
    focused.focus({ preventScroll: true });
    again = setTimeout(send, 2e4);
  }
};

const show = async (answer) => {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  document.dispatchEvent(new Event("newcontent"));
  begin();
  scrollTo(0, 0);
  document.getElementById("errors")?.focus();
};

const begin = () => {
  form = document.querySelector("[data-lost]");
  if (!form) return;
  status = form.querySelector("[role=status]");
  restore();
  narrowRegencies();
  openGuardian();
  form.addEventListener("input", () => {
    clearTimeout(again); // she is at it again: nothing is sent behind her back
    again = 0;
    store();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    store();
    if (!form.hasAttribute("aria-busy")) send();
  });
};

begin();
addEventListener("online", () => again && send());
addEventListener("pageshow", (event) => {
  if (!event.persisted || !form) return;
  busy(false);
  say();
});
