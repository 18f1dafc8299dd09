// The console's own script: what lights up, what refreshes, what comes live. Nothing here is needed to read a page.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- a value of one side lights up its places on the other ---------------------------------------------------------

const sides = $("[data-sides]");
if (sides) {
  const values = $$(".v[data-k]", sides);
  const places = new Map();
  for (const value of values) {
    for (const key of value.dataset.k.split(" ")) {
      if (!places.has(key)) places.set(key, []);
      places.get(key).push(value);
    }
  }
  let lit = [];
  const light = (value, isChosen) => {
    for (const one of lit) one.classList.remove("lit");
    lit = [];
    if (!value) return;
    const found = new Set([value]);
    for (const key of value.dataset.k.split(" ")) for (const other of places.get(key)) found.add(other);
    for (const one of found) {
      const line = one.closest("li");
      one.classList.add("lit");
      line.classList.add("lit");
      lit.push(one, line);
    }
    const mine = value.closest(".text");
    for (const text of $$(".text", sides)) {
      const first = [...found].find((one) => text.contains(one));
      if (first && (text !== mine || isChosen)) show(text, first);
    }
  };
  const show = (text, value) => {
    const line = value.closest("li");
    const isSeen = line.offsetTop >= text.scrollTop && line.offsetTop + line.offsetHeight <= text.scrollTop + text.clientHeight;
    if (!isSeen) text.scrollTop = line.offsetTop - text.clientHeight / 3;
  };
  let held = null;
  sides.addEventListener("pointerover", (event) => {
    const value = event.target.closest(".v[data-k]");
    if (!held && value) light(value, false);
  });
  sides.addEventListener("click", (event) => {
    held = event.target.closest(".v[data-k]");
    light(held, false);
  });
  sides.addEventListener("keydown", (event) => {
    const text = event.target.closest(".text");
    if (!text || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") {
      held = null;
      light(null);
      return;
    }
    const own = values.filter((value) => text.contains(value));
    const at = own.indexOf(held);
    held = own[Math.max(0, Math.min(own.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))];
    light(held, true);
    held.focus({ preventScroll: true });
  });
  const arrive = () => {
    const line = location.hash.match(/^#[sp]\d+$/) && $(location.hash);
    if (!line) return;
    show(line.closest(".text"), line);
    held = $(".v[data-k]", line);
    light(held, false);
    line.closest("section").scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", arrive);
  arrive();
}

// --- a page that shows what is now -------------------------------------------------------------------------------------

const main = $("main[data-refresh]");
if (main) {
  const refresh = async () => {
    if (document.hidden || main.contains(document.activeElement) && document.activeElement !== main) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      main.replaceChildren(...$("main", page).childNodes);
      $("footer").replaceChildren(...$("footer", page).childNodes);
    } catch {
      $("footer").textContent = "The console does not answer.";
    }
  };
  setInterval(refresh, 1000 * main.dataset.refresh);
}

// --- the live tail -----------------------------------------------------------------------------------------------------

const tail = $("[data-tail]");
if (tail) {
  const most = 500;
  const pause = $("[data-pause]"), filter = $("[data-filter]"), status = $("[data-status]");
  let waiting = [], leftOut = 0, seen = 0, isPaused = false;
  const cell = (row, text, link) => {
    const made = row.insertCell();
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link;
      anchor.textContent = text;
      made.append(anchor);
    } else made.textContent = text ?? "";
  };
  const rowOf = (event) => {
    const row = document.createElement("tr");
    cell(row, event.at.slice(11, 23));
    cell(row, event.event.replaceAll("_", " "));
    cell(row, event.message_id ? event.message_id.slice(0, 12) + "…" : "", event.message_id && `/documents/${event.message_id}`);
    cell(row, event.sender ?? event.by);
    cell(row, event.window);
    cell(row, [event.state, event.reason, ...event.codes].filter(Boolean).join(", "));
    return row;
  };
  const gap = (number) => {
    const row = document.createElement("tr");
    row.className = "gap";
    const only = row.insertCell();
    only.colSpan = 6;
    only.textContent = `${number} events were left out here: they came faster than they can be shown`;
    return row;
  };
  const matches = (row) => row.className === "gap" || row.textContent.toLowerCase().includes(filter.value.toLowerCase());
  const draw = () => {
    if (isPaused || !waiting.length) return;
    if (waiting.length > most) {
      const missed = waiting.length - most;
      leftOut += missed;
      waiting = [gap(missed), ...waiting.slice(-most)];
    }
    for (const row of waiting) row.hidden = !matches(row);
    tail.prepend(...waiting.reverse());
    waiting = [];
    while (tail.rows.length > most) tail.deleteRow(-1);
    status.textContent = `${seen} events${leftOut ? `, ${leftOut} of them left out` : ""}`;
  };
  setInterval(draw, 250);
  const source = new EventSource(tail.dataset.tail);
  source.onmessage = (message) => {
    seen += 1;
    waiting.push(rowOf(JSON.parse(message.data)));
  };
  source.addEventListener("left-out", (message) => {
    seen += Number(message.data);
    leftOut += Number(message.data);
    waiting.push(gap(message.data));
  });
  source.addEventListener("end", () => {
    source.close();
    status.textContent = "The console has ended.";
  });
  source.onerror = () => { status.textContent = "The console does not answer; it is asked again."; };
  source.onopen = () => { status.textContent = `${seen} events`; };
  pause.onclick = () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", isPaused);
  };
  filter.oninput = () => { for (const row of tail.rows) row.hidden = !matches(row); };
}

// --- small things ------------------------------------------------------------------------------------------------------

for (const box of $$("[data-all]")) {
  box.onchange = () => { for (const one of $$(`input[name="${box.dataset.all}"]`)) one.checked = box.checked; };
}
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, select, textarea") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $(".quick input")?.focus();
  }
});
