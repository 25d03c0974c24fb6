// The live page: the overview as it stands, and each change of it, from server-sent events.
// Text is only ever set as text; what is not in these lists of words is shown as it came.

const SILENCE = 45_000; // ms without any event: the server speaks every 15 s
const AGAIN = 3_000; // ms until another try where the browser itself gives up
const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR; // in seconds

const OUTCOMES = {
  own_administration: "Egen forvaltning", advise: "Rådgivning", police_only: "Politiet alene",
  close: "Lukket ved visitering", resolved: "Løst", no_basis: "Intet grundlag", moved: "Flyttet",
  declined: "Takket nej", handed_over: "Overdraget",
};

// How long a case has been where it is. `%` is the time in words.
const SINCE = {
  new: "Ventet %", awaiting: "Ventet %", screened: "Visiteret for % siden", coordinated: "Koordineret i %", measure: "I gang i %",
  closed: "Lukket for % siden",
};

const zone = "Europe/Copenhagen";
const longDate = new Intl.DateTimeFormat("da-DK", { timeZone: zone, day: "numeric", month: "long" });
const fullDate = new Intl.DateTimeFormat("da-DK", { timeZone: zone, day: "numeric", month: "long", year: "numeric" });
const year = new Intl.DateTimeFormat("da-DK", { timeZone: zone, year: "numeric" });
const moment = new Intl.DateTimeFormat("da-DK", { timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const isoDate = new Intl.DateTimeFormat("sv-SE", { timeZone: zone });

const cases = new Map(); // case id -> row
const cards = new Map(); // case id -> element
let parties = {}, deadlines = {}; // id -> name
let now = new Date();
let source, silence;

const find = (selector, within = document) => within.querySelector(selector);

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

function duration(from) {
  const seconds = Math.max(0, (now - new Date(from)) / 1000);
  if (seconds < MINUTE) return "";
  if (seconds < HOUR) return count(Math.floor(seconds / MINUTE), "minut", "minutter");
  if (seconds < DAY) return count(Math.floor(seconds / HOUR), "time", "timer");
  if (seconds < 60 * DAY) return count(Math.floor(seconds / DAY), "dag", "dage");
  return count(Math.floor(seconds / (30 * DAY)), "måned", "måneder");
}

function date(instant) {
  const day = new Date(instant);
  return (year.format(day) === year.format(now) ? longDate : fullDate).format(day);
}

// A deadline of days is over at midnight: people know it by the day before.
function lastDay(instant) {
  return date(new Date(instant) - 1000);
}

function named(party) {
  return parties[party] ?? party;
}

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function marks(row) {
  const list = [];
  const mark = (text, kind) => list.push(element("li", text, kind));
  if (row.relative) mark("Pårørende");
  if ((row.stage === "screened" || row.stage === "closed") && row.outcome) mark(OUTCOMES[row.outcome] ?? row.outcome);
  if (row.measures) mark(count(row.measures, "indsats i gang", "indsatser i gang"));
  if (row.meeting) mark(`Møde ${moment.format(new Date(row.meeting))}`);
  if (row.handover) {
    const late = row.handover.due < isoDate.format(now);
    const due = date(`${row.handover.due}T12:00:00Z`);
    mark(`Overdrages til ${named(row.handover.to)}, ${late ? "frist overskredet" : "frist"} ${due}`, late ? "late" : "waits");
  }
  for (const missed of row.missed ?? []) {
    // A hand-over that is late says so itself, above.
    if (missed.deadline === "transfer" && row.handover) continue;
    const name = deadlines[missed.deadline] ?? missed.deadline;
    mark(`Frist overskredet ${lastDay(missed.due)}: ${name} (${named(missed.responsible)})`, "late");
  }
  if (row.corrections) mark(count(row.corrections, "berigtigelse at kvittere", "berigtigelser at kvittere"), "waits");
  for (const recall of row.recalls ?? []) {
    const what = recall.reason === "wrong_fact" ? "Berigtigelse" : "Tilbagekaldelse";
    mark(`${what} afventer: ${recall.waiting.map(named).join(", ")}`, "waits");
  }
  if (row.hold) mark(`Slettestop (legal hold) siden ${date(row.hold)}`, "held");
  return list;
}

function fill(card, row) {
  const short = element("code", row.case.slice(0, 8));
  find(".name", card).replaceChildren("Sag ", short);
  find(".name", card).title = `Sag ${row.case}`;
  const owner = find(".owner", card);
  owner.textContent = row.owner ? named(row.owner) : "Ingen ansvarlig endnu";
  owner.classList.toggle("nobody", !row.owner);
  find(".marks", card).replaceChildren(...marks(row));
  age(card, row);
}

function age(card, row) {
  const waited = duration(row.since);
  find(".waited", card).textContent = waited ? SINCE[row.stage].replace("%", waited) : "Lige nu";
  const opened = date(row.opened), changed = date(row.changed);
  find(".dates", card).textContent = opened === changed ? `Oprettet ${opened}` : `Oprettet ${opened}, ændret ${changed}`;
}

function card(row) {
  let made = cards.get(row.case);
  if (!made) {
    made = find("#case").content.firstElementChild.cloneNode(true);
    made.dataset.case = row.case;
    cards.set(row.case, made);
  }
  fill(made, row);
  return made;
}

// Longest waiting first: the order of a queue. The newest closed one first.
function inOrder(stage) {
  const rows = [...cases.values()].filter((row) => row.stage === stage);
  const turn = stage === "closed" ? -1 : 1;
  return rows.sort((a, b) => turn * (a.since.localeCompare(b.since) || a.case.localeCompare(b.case)));
}

function arrange(stages) {
  for (const list of document.querySelectorAll("[data-stage]")) {
    if (!stages.has(list.dataset.stage)) continue;
    inOrder(list.dataset.stage).forEach((row, place) => {
      const made = cards.get(row.case);
      // Only what is out of place is moved, so that focus, selection and highlights stay.
      if (list.children[place] !== made) list.insertBefore(made, list.children[place] ?? null);
    });
  }
}

function highlight(made) {
  made.classList.remove("fresh");
  void made.offsetWidth; // begins the animation anew
  made.classList.add("fresh");
  made.addEventListener("animationend", () => made.classList.remove("fresh"), { once: true });
}

function tell(told) {
  now = new Date(told.now);
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = told.counts[place.dataset.count];
  find("#empty").hidden = cases.size > 0;
  find("#cases").removeAttribute("aria-busy");
  for (const [id, row] of cases) age(cards.get(id), row);
}

function remove(id) {
  cards.get(id)?.remove();
  cards.delete(id);
  cases.delete(id);
}

function showAll(told) {
  ({ parties, deadlines } = told);
  now = new Date(told.now);
  const shown = new Set(told.cases.map((row) => row.case));
  for (const id of [...cases.keys()]) if (!shown.has(id)) remove(id);
  const other = told.cases.filter((row) => cases.size && JSON.stringify(cases.get(row.case)) !== JSON.stringify(row));
  for (const row of told.cases) {
    cases.set(row.case, row);
    card(row);
  }
  arrange(new Set(Object.keys(told.counts)));
  other.forEach((row) => highlight(cards.get(row.case)));
  tell(told);
}

function showChanges(told) {
  now = new Date(told.now);
  const stages = new Set();
  told.gone.forEach(remove);
  for (const row of told.cases) {
    const before = cases.get(row.case);
    if (before && before.stage !== row.stage) cards.get(row.case).remove();
    cases.set(row.case, row);
    card(row);
    stages.add(row.stage);
  }
  arrange(stages);
  told.cases.forEach((row) => highlight(cards.get(row.case)));
  tell(told);
  const changed = told.cases.length + told.gone.length;
  find("#news").textContent = count(changed, "sag er ny eller ændret", "sager er nye eller ændret");
}

function connection(state, text) {
  const place = find("#connection");
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.textContent = text;
  document.body.classList.toggle("stale", state === "broken");
}

const live = () => connection("live", "Live");
const broken = () => connection("broken", "Forbindelsen er afbrudt, prøver igen");

function heard(handle) {
  return (event) => {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE);
    handle(JSON.parse(event.data));
  };
}

async function again() {
  source.close();
  broken();
  try {
    // A session that is over needs the sign-in form; anything else is worth another try.
    const answer = await fetch("/overview", { cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) return location.reload();
  } catch {
    // The server is away: the next try tells.
  }
  setTimeout(follow, AGAIN);
}

function follow() {
  clearTimeout(silence);
  source = new EventSource("/overview/stream");
  source.addEventListener("overview", heard((told) => { showAll(told); live(); }));
  source.addEventListener("changes", heard((told) => { showChanges(told); live(); }));
  source.addEventListener("clock", heard((told) => {
    now = new Date(told.now);
    for (const [id, row] of cases) age(cards.get(id), row);
    live();
  }));
  source.addEventListener("lost", heard(broken));
  source.addEventListener("ended", () => location.reload());
  source.addEventListener("error", () => (source.readyState === EventSource.CLOSED ? again() : broken()));
}

follow();
