// Completes names as they are typed into a form, from those that occur. Fields say what they hold: data-names="vo"; ends
// of transfers (data-names="end") begin with the kind of name, site:, host: or country:.
"use strict";
(() => {
  const PAUSE_MS = 150;
  const ENDS = ["site", "host", "country"];
  const list = document.createElement("datalist");
  list.id = "names";
  document.body.append(list);
  let waiting = 0;
  let asking = new AbortController();

  // What was typed as what stays, the kind of the name, and its beginning: "!site:CE" is "!site:", site, "CE".
  const parsed = (field) => {
    const [, not, kind, beginning] = /^(!?)(?:(site|host|country):)?(.*)$/.exec(field.value);
    if (field.dataset.names !== "end") return [not, field.dataset.names, field.value.slice(not.length)];
    return [`${not}${kind || "site"}:`, kind || "site", beginning];
  };

  const offer = (values) => {
    list.replaceChildren(...values.map((value) => Object.assign(document.createElement("option"), { value })));
  };

  const complete = async (field) => {
    const [stays, kind, prefix] = parsed(field);
    asking.abort();
    asking = new AbortController();
    const query = new URLSearchParams({ kind, prefix, limit: 20 });
    try {
      const reply = await fetch(`/api/v1/names?${query}`, { signal: asking.signal, headers: { Accept: "application/json" } });
      if (!reply.ok) return; // a form works without
      const kinds = field.dataset.names === "end" && !prefix ? ENDS.map((each) => `${each}:`) : [];
      offer([...kinds, ...(await reply.json()).rows.map(([name]) => stays + name)]);
    } catch {
      // typed on, or the server is away: the page says the latter itself
    }
  };

  const begin = (field) => {
    if (field.getAttribute("list") !== list.id) {
      offer([]);
      for (const other of document.querySelectorAll(`[list="${list.id}"]`)) other.removeAttribute("list");
      field.setAttribute("list", list.id);
      field.autocomplete = "off";
    }
    clearTimeout(waiting);
    waiting = setTimeout(complete, PAUSE_MS, field);
  };
  for (const kind of ["focusin", "input"])
    document.addEventListener(kind, (event) => event.target.matches?.("input[data-names]") && begin(event.target));
})();
