"use strict";
// Fetches what is shown with the key of whoever looks, and sends what they ask for. What comes is markup in which
// everything foreign is escaped; the page's policy runs no script in it.
const element = (id) => document.getElementById(id);
const content = element("content");
const said = element("said");
const enter = element("enter");
const REFRESH = 30_000;
const LABELS = { reader: "Reader key", operator: "Operator key", approver: "Approver key" };
let asked = 0;

const keep = (name, value) => sessionStorage.setItem(`steward.${name}`, value);
const kept = (name) => sessionStorage.getItem(`steward.${name}`) ?? "";
const forget = (name) => sessionStorage.removeItem(`steward.${name}`);

const say = (text, wrong = false) => {
  said.textContent = text;
  said.classList.toggle("wrong", wrong);
  if (wrong) said.focus();
};

const call = async (path, key, options = {}) => {
  const headers = { "x-functions-key": key, ...options.headers };
  if (kept("by")) headers["X-Requested-By"] = kept("by");
  return await fetch(path, { ...options, headers, cache: "no-store", credentials: "same-origin" });
};

const problemOf = async (response) => {
  try {
    return (await response.json()).detail || `${response.status} ${response.statusText}`;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
};

const enterAgain = (text) => {
  forget("reader");
  enter.hidden = false;
  element("session").hidden = true;
  content.replaceChildren();
  if (text) say(text, true);
  element("reader").value = "";
  element("reader").focus();
};

const query = () => {
  const [what, id] = location.hash.replace(/^#/, "").split("/");
  return ["run", "plan"].includes(what) && id ? `?${what}=${encodeURIComponent(decodeURIComponent(id))}` : "";
};

const show = async (focus = true) => {
  const mine = ++asked;
  const key = kept("reader");
  if (!key) return enterAgain("");
  let response;
  try {
    response = await call(`/api/dashboard/content${query()}`, key);
  } catch {
    return say("Steward does not answer; what is shown may be old.", true);
  }
  if (mine !== asked) return;
  if (response.status === 401) return enterAgain("That key does not open this page.");
  if (!response.ok) return say(await problemOf(response), true);
  const markup = await response.text();
  if (mine !== asked) return;
  enter.hidden = true;
  element("session").hidden = false;
  const place = [scrollX, scrollY];
  content.innerHTML = markup;
  element("fresh").textContent = `Read at ${new Date().toISOString().slice(11, 19)}Z`;
  content.querySelectorAll("input[type=date]").forEach((input) => {
    input.min = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  });
  const title = content.querySelector("h1");
  document.title = title ? `${title.textContent} · Steward` : "Steward";
  if (focus) {
    scrollTo(0, 0);
    title?.focus();
  } else {
    scrollTo(...place);
  }
  content.querySelectorAll("table.sortable").forEach(makeSortable);
  content.querySelectorAll("table.stack").forEach(label);
  content.querySelectorAll("[data-frame]").forEach(frame);
};

// On a narrow screen each row is a card, and the names of the columns stand beside the values.
const label = (table) => {
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent);
  for (const row of table.tBodies[0].rows) {
    [...row.cells].forEach((cell, column) => {
      cell.dataset.label = heads[column] ?? "";
    });
  }
};

const frame = async (holder) => {
  try {
    const response = await call(holder.dataset.frame, kept("reader"));
    if (!response.ok) {
      holder.textContent = await problemOf(response);
      return;
    }
    const made = document.createElement("iframe");
    made.title = holder.dataset.title;
    made.setAttribute("sandbox", "allow-scripts");
    made.srcdoc = await response.text();
    holder.replaceChildren(made);
  } catch {
    holder.textContent = `${holder.dataset.title}: Steward does not answer.`;
  }
};

const ask = (name, why) =>
  new Promise((resolve) => {
    const dialog = element("ask");
    element("ask-title").textContent = LABELS[name];
    element("ask-label").textContent = LABELS[name];
    element("ask-why").textContent = why;
    const input = element("ask-key");
    input.value = "";
    dialog.returnValue = "cancel";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "use" ? input.value.trim() : ""), { once: true });
    dialog.showModal();
    input.focus();
  });

const keyFor = async (name, why) => {
  if (!kept(name)) {
    const given = await ask(name, why);
    if (given) keep(name, given);
  }
  return kept(name);
};

const act = async (form) => {
  const { method, path, key: name, digest, done } = form.dataset;
  const body = Object.fromEntries(new FormData(form));
  if (digest) {
    const typed = form.querySelector("[data-typed]").value.trim().toLowerCase();
    if (typed.length < 8 || !digest.startsWith(typed)) {
      return say("What you typed is not how the digest of this plan begins; nothing was sent.", true);
    }
    body.digest = digest;
  }
  const key = await keyFor(name, `This takes the ${name}'s key. It stays in this tab.`);
  if (!key) return say("Nothing was sent.");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const sends = method !== "DELETE" && Object.keys(body).length > 0;
    const options = { method, ...(sends && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }) };
    const response = await call(path, key, options);
    if (response.status === 401) {
      forget(name);
      return say(`That is not the ${name}'s key; nothing was done.`, true);
    }
    if (!response.ok) return say(await problemOf(response), true);
    const answer = await response.json();
    if (answer.links?.self?.startsWith("/api/runs/") && !path.endsWith("/cancel")) {
      say(`Run ${answer.id} is ${answer.status}.`);
      location.hash = `run/${answer.id}`;
    } else {
      say(done ?? "Done.");
      await show(false);
    }
  } catch {
    say("Steward does not answer; nobody can tell whether it was done.", true);
  } finally {
    button.disabled = false;
  }
};

const download = async (button) => {
  try {
    const response = await call(button.dataset.download, kept("reader"));
    if (!response.ok) return say(await problemOf(response), true);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch {
    say("Steward does not answer, so there is nothing to save.", true);
  }
};

enter.addEventListener("submit", (event) => {
  event.preventDefault();
  keep("reader", element("reader").value.trim());
  keep("by", element("by").value.trim());
  say("");
  show();
});
content.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.target);
});
content.addEventListener("click", (event) => {
  const button = event.target.closest("[data-download]");
  if (button) download(button);
});
element("refresh").addEventListener("click", () => show(false));
element("leave").addEventListener("click", () => {
  ["reader", "operator", "approver", "by"].forEach(forget);
  say("The keys are forgotten.");
  enterAgain("");
});
addEventListener("hashchange", () => {
  if (location.hash !== "#main") show();
});
setInterval(() => {
  // Whoever is at something in the page must not have it replaced under their hands.
  const at = document.activeElement;
  const filtered = [...content.querySelectorAll("input[type=search]")].some((input) => input.value);
  const busy = element("ask").open || filtered || (content.contains(at) && at.tagName !== "H1");
  const ended = location.hash.startsWith("#plan") || content.querySelector("[data-frame]");
  if (document.visibilityState === "visible" && kept("reader") && !busy && !ended) show(false);
}, REFRESH);
show();
