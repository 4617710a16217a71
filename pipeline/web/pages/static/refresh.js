// Asks a page that ends now again every minute, by htmx, and puts the new numbers in the place of the old ones.
//
// Never while somebody would lose something by it. A request that fails leaves the old content, says since when it is
// old and why, and is repeated until it succeeds. Afterwards the document gets the event "refreshed".
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const [asOf, told, failing] = ["as-of", "told", "failing"].map((id) => document.getElementById(id));
  const pause = document.getElementById("pause");
  const EVERY_MS = Number(live.dataset.every) * 1000;
  const LOOK_MS = 1000;
  const AGAIN_MS = [10_000, 20_000, 40_000, EVERY_MS]; // after the first, second ... failure
  const ANNOUNCE_MS = 60_000;

  const main = () => document.getElementById("main");
  let due = Date.now() + EVERY_MS;
  let failures = 0;
  let isAsking = false;
  let isForced = false;
  let announced = 0;
  let shown = main().dataset.asOf;
  let kept = null;
  const sections = () => [...document.querySelectorAll("main details, #state details, #freshness details")];
  let openAtFirst = new Set(sections().filter((each) => each.open)); // not by the reader

  const clock = (text) => `${text.slice(11, 16)} UTC`;

  // Why not now, as words for the reader; null: nothing is in the way.
  const held = () => {
    const focus = document.activeElement;
    if (pause.getAttribute("aria-pressed") === "true") return "paused";
    if (document.hidden) return "hidden";
    if (!document.getSelection().isCollapsed) return "waits: text is selected";
    if (sections().some((each) => each.open && !openAtFirst.has(each)))
      return "waits: a section is open";
    const written = [...document.querySelectorAll('main form[method="post"] input')];
    if (
      written.some((each) => each.value !== each.defaultValue) ||
      (focus && focus.matches("input, select, textarea, form button"))
    )
      return "waits: a form is in use";
    return null;
  };

  const tell = () => {
    const reason = held();
    const text = `as of ${clock(shown)}${reason && reason !== "hidden" ? `, ${reason}` : ""}`;
    if (asOf.textContent !== text) asOf.textContent = text;
  };

  const ask = () => {
    isAsking = true;
    main().setAttribute("aria-busy", "true");
    htmx.trigger(live, "again");
  };

  const look = () => {
    tell();
    if (!isAsking && Date.now() >= due && held() === null) ask();
  };

  const failed = (cause) => {
    due = Date.now() + AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)];
    failures += 1;
    failing.textContent = `As of ${clock(shown)}, not refreshed since. ${cause} It is tried again by itself.`;
    if (failing.hidden) told.textContent = failing.textContent; // said once, not at every attempt
    failing.hidden = false;
  };

  // The sentence of a problem document, else the status.
  const cause = (request) => {
    try {
      const problem = JSON.parse(request.responseText);
      return `${problem.title}: ${problem.detail} (request ${problem.instance}).`;
    } catch {
      return `The server answered ${request.status}.`;
    }
  };

  const totals = () =>
    new Map(
      [...document.querySelectorAll("main .tiles")].flatMap((tiles) =>
        [...tiles.querySelectorAll(".tile")].map((tile) => [
          `${tiles.querySelector("h2, h3").textContent} ${tile.querySelector(".label").textContent}`,
          tile.querySelector("b").textContent,
        ]),
      ),
    );

  const announce = (before) => {
    const changed = [...totals()].filter(([name, value]) => before.get(name) !== value);
    if (!changed.length || Date.now() - announced < ANNOUNCE_MS) return;
    announced = Date.now();
    told.textContent = `As of ${clock(shown)}: ${changed.map((pair) => pair.join(" ")).join(", ")}`;
  };

  // Where the reader is: focus by id or by address, scrolled boxes by their place.
  const addressed = (href) => [...main().querySelectorAll("a[href]")].filter((a) => a.getAttribute("href") === href);
  const titleOf = (details) => details.querySelector("summary").textContent;
  const boxes = () => [...main().querySelectorAll(".matrix, .wide")];
  const remember = () => {
    const focus = document.activeElement;
    const href = focus.getAttribute("href");
    kept = {
      focus: !main().contains(focus) ? null : focus.id ? { id: focus.id } : { href, place: addressed(href).indexOf(focus) },
      scrolled: boxes().map((box) => [box.scrollLeft, box.scrollTop]),
      page: [scrollX, scrollY],
      totals: totals(),
      closed: [...openAtFirst].filter((each) => !each.open).map(titleOf),
    };
  };
  const restore = () => {
    openAtFirst = new Set(sections().filter((each) => each.open));
    for (const each of openAtFirst) if (kept.closed.includes(titleOf(each))) each.open = false;
    boxes().forEach((box, place) => {
      const at = kept.scrolled[place];
      if (at) [box.scrollLeft, box.scrollTop] = at;
    });
    const { focus } = kept;
    const found = focus && (focus.id ? document.getElementById(focus.id) : addressed(focus.href)[focus.place]);
    if (found) found.focus({ preventScroll: true });
    scrollTo(...kept.page);
  };

  live.addEventListener("htmx:beforeRequest", () => {
    due = Date.now() + EVERY_MS;
  });
  live.addEventListener("htmx:afterRequest", () => {
    isAsking = false;
    main().removeAttribute("aria-busy");
    tell();
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status !== 200) return;
    if (!xhr.responseText.includes("data-as-of=")) {
      event.detail.shouldSwap = false; // from something between us and the server: would empty the page
      failed("The answer is not this page.");
    } else if (!isForced && held() !== null) {
      event.detail.shouldSwap = false; // the reader was faster than the server
      due = Date.now() + LOOK_MS;
    } else remember();
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== main()) return;
    shown = main().dataset.asOf;
    failures = 0;
    failing.hidden = true;
    restore();
    announce(kept.totals);
    document.dispatchEvent(new CustomEvent("refreshed"));
  });
  live.addEventListener("htmx:responseError", (event) => failed(cause(event.detail.xhr)));
  live.addEventListener("htmx:sendError", () => failed("The server cannot be reached."));
  live.addEventListener("htmx:timeout", () => failed("The server did not answer in time."));

  pause.addEventListener("click", () => {
    const isPaused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(isPaused));
    tell();
  });
  document.getElementById("again").addEventListener("click", () => {
    isForced = true;
    if (!isAsking) ask();
  });
  live.addEventListener("htmx:afterRequest", () => {
    isForced = false;
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_MS);
  live.hidden = false;
  tell();
})();
