// Draws the pictures of a page anew, by ECharts as SVG, from the values that each figure carries: with values under the
// pointer or by arrow keys, and the picture or its values as a file. Without it, and on paper, the server's SVG stays.
"use strict";
(() => {
  const LIBRARY = document.currentScript.dataset.library;
  const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];
  const drawn = new Map(); // figure -> its chart

  const scaled = (value, unit) => {
    let [size, step] = [Math.abs(value), 0];
    while (size >= (step ? 999.5 : 1000) && step < PREFIXES.length - 1) [size, step] = [size / 1000, step + 1];
    const digits = step === 0 ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    return `${value < 0 ? "-" : ""}${size.toFixed(digits)} ${PREFIXES[step]}${unit}`;
  };
  const WRITTEN = {
    rate: (value) => scaled(value, "B/s"),
    bytes: (value) => scaled(value, "B"),
    ratio: (value) => `${(value * 100).toFixed(1)} %`,
    ms: (value) => `${(value / 1000).toPrecision(3)} s`,
  };
  const GAP = "no data received";
  const UNITS = { rate: "B_s", bytes: "B", ms: "ms", ratio: "ratio", count: "count" };
  const written = (kind, value) => (value === null ? "no value" : (WRITTEN[kind] || String)(value));
  const iso = (ms) => new Date(ms).toISOString().slice(0, 16) + "Z";

  // A figure's values on all windows of its range, of the series that it shows: null is a gap.
  const read = (figure) => {
    const plot = JSON.parse(figure.dataset.plot);
    const starts = [];
    for (let at = plot.from; at < plot.to; at += plot.step) starts.push(at);
    const unknown = new Set(plot.unknown);
    const idle = (at) => (plot.stacked && !unknown.has(at) ? 0 : null);
    const keys = [...figure.querySelectorAll("table.legend svg.key :is(rect, path)")];
    const all = plot.series.map(({ name, values, hidden }, place) => {
      const known = new Map(values);
      const style = getComputedStyle(keys[place]);
      return {
        name,
        hidden,
        values: starts.map((at) => known.get(at) ?? idle(at)),
        colour: plot.stacked ? style.fill : style.stroke,
        dash: style.strokeDasharray === "none" ? "solid" : style.strokeDasharray.split(/[ ,]+/).map(parseFloat),
      };
    });
    const series = all.filter((each) => !each.hidden);
    return { ...plot, starts, series, named: new Map(plot.ticks), title: figure.querySelector("figcaption b").textContent };
  };

  const span = (plot, place) => {
    const [from, end] = [plot.starts[place], plot.starts[place] + plot.step];
    return end > plot.now ? `${iso(from)} to ${iso(plot.now)}, so far` : `${iso(from)} to ${iso(end)}`;
  };
  const values = (plot, place) => {
    const told = plot.series.map(({ name, values: own }) => `${name}: ${written(plot.kind, own[place])}`);
    return plot.silent.includes(plot.starts[place]) ? [GAP, ...told] : told;
  };

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, line, panel] = ["--ink", "--soft", "--line", "--panel"].map((name) => {
      const probe = document.createElement("i"); // a variable may still be a function of the theme
      probe.style.color = style.getPropertyValue(name);
      document.body.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    });
    return { ink, soft, line, panel };
  };

  const hatch = (color, width) => ({ color, dashArrayX: [1, 0], dashArrayY: [width, 4], rotation: -Math.PI / 4 });

  // Behind the values: hatched where nothing was received, and where lines run in a window that is not over; the levels.
  const behind = (plot, look) => {
    const silent = new Set(plot.silent);
    const edge = { borderColor: look.soft, borderWidth: 1, borderType: "dashed" };
    const band = (at) => {
      if (silent.has(at)) return { value: plot.top, itemStyle: { color: "transparent", decal: hatch(look.soft, 1) } };
      const isOpen = at <= plot.now && plot.now < at + plot.step;
      if (plot.stacked || !isOpen) return null;
      return { value: plot.top, itemStyle: { color: "transparent", decal: hatch(look.line, 1), ...edge } };
    };
    return {
      name: GAP,
      type: "bar",
      barGap: "-100%",
      barCategoryGap: 0,
      silent: true,
      emphasis: { disabled: true },
      itemStyle: { color: "transparent" },
      data: plot.starts.map(band),
      markLine: {
        silent: true,
        symbol: "none",
        data: Object.entries(plot.across).map(([name, yAxis]) => ({
          yAxis,
          label: {
            formatter: `${name} ${written(plot.kind, yAxis)}`,
            position: name === "mean" ? "insideStartTop" : "insideEndTop",
            color: look.ink,
            textBorderColor: look.panel,
            textBorderWidth: 3,
            fontSize: 11,
          },
          lineStyle: { type: name === "mean" ? "dotted" : "dashed", color: look.ink, width: 1.2 },
        })),
      },
    };
  };

  const item = (plot, value, place, own, look) => {
    if (plot.stacked) {
      const isOpen = plot.starts[place] + plot.step > plot.now;
      const edge = { borderColor: look.ink, borderWidth: 1, borderType: "dashed" };
      return isOpen && value ? { value, itemStyle: { decal: hatch(look.panel, 2), ...edge } } : value;
    }
    const isAlone = value !== null && (own[place - 1] ?? null) === null && (own[place + 1] ?? null) === null;
    return isAlone ? { value, symbol: "circle", symbolSize: 5 } : value;
  };

  const option = (plot, look) => ({
    animation: false,
    textStyle: { color: look.ink, fontFamily: "inherit" },
    grid: { left: 78, right: 16, top: 10, bottom: 26 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: look.panel,
      borderColor: look.soft,
      textStyle: { color: look.ink, fontSize: 12 },
      axisPointer: { type: plot.stacked ? "shadow" : "line" },
      formatter: ([first]) => [span(plot, first.dataIndex), ...values(plot, first.dataIndex)].join("\n"),
    },
    xAxis: {
      type: "category",
      data: plot.starts.map((at) => plot.named.get(at) ?? ""),
      axisLabel: {
        color: look.soft,
        fontSize: 11,
        interval: (place) => plot.named.has(plot.starts[place]),
        hideOverlap: true,
      },
      axisLine: { lineStyle: { color: look.line } },
      axisTick: { show: false },
    },
    yAxis: {
      type: "value",
      min: 0,
      max: plot.top, // as the server's picture has it: a bin that only began may not squeeze the others
      interval: plot.top / 4,
      axisLabel: { color: look.soft, fontSize: 11, formatter: (value) => written(plot.kind, value) },
      splitLine: { lineStyle: { color: look.line } },
    },
    series: [behind(plot, look), ...plot.series.map(({ name, values: own, colour, dash }) => ({
      name,
      data: own.map((value, place) => item(plot, value, place, own, look)),
      emphasis: { disabled: true },
      ...(plot.stacked
        ? { type: "bar", stack: "all", barGap: "-100%", barCategoryGap: 0 }
        : { type: "line", step: "middle", symbol: "none", showAllSymbol: true, connectNulls: false }),
      itemStyle: { color: colour, borderColor: look.panel, borderWidth: plot.stacked ? 0.4 : 0 },
      lineStyle: { color: colour, width: 1.8, type: dash },
    }))],
  });

  const fileName = (plot, ending) => {
    const words = [location.pathname, plot.title, iso(plot.from), iso(plot.to)].join(" ");
    return `transferscope-${words.replace(/[^\w.]+/g, "-").replace(/^-|-$/g, "")}.${ending}`;
  };
  const save = (plot, blob, ending) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = fileName(plot, ending);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  // On paper: its title, range, filters, legend, address and time.
  const complete = (plot, renderer) => {
    const box = document.createElement("div");
    const chart = echarts.init(box, null, { renderer, width: 1000, height: 420 });
    const filters = [...document.querySelectorAll(".chip")].map((chip) => chip.firstChild.data.trim());
    const lines = [
      `${iso(plot.from)} to ${iso(plot.to)}${filters.length ? `, ${filters.join(", ")}` : ""}`,
      `${location.href}, made ${iso(Date.now())}`,
    ];
    const look = { ink: "#000", soft: "#333", line: "#ccc", panel: "#fff" };
    chart.setOption({
      ...option(plot, look),
      backgroundColor: "#fff",
      textStyle: { color: "#000", fontFamily: "sans-serif" },
      title: { text: plot.title, subtext: lines.join("\n"), left: 10, textStyle: { fontSize: 15 } },
      legend: { bottom: 4, data: [...plot.series.map(({ name }) => name), ...(plot.silent.length ? [GAP] : [])] },
      grid: { left: 90, right: 20, top: 84, bottom: 62 },
    });
    return chart;
  };
  const SAVES = {
    PNG: (plot) => {
      const chart = complete(plot, "canvas");
      chart.renderToCanvas({ pixelRatio: 2 }).toBlob((blob) => save(plot, blob, "png"));
      chart.dispose();
    },
    SVG: (plot) => {
      const chart = complete(plot, "svg");
      save(plot, new Blob([chart.renderToSVGString()], { type: "image/svg+xml" }), "svg");
      chart.dispose();
    },
    CSV: (plot) => {
      const field = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
      const header = ["window_start", "unfinished", ...plot.series.map((each) => field(`${each.name}_${UNITS[plot.kind] || plot.kind}`))];
      const rows = plot.starts.map((at, place) => [
        iso(at),
        at + plot.step > plot.now,
        ...plot.series.map((each) => each.values[place] ?? ""),
      ]);
      save(plot, new Blob([[header, ...rows].map((row) => `${row.join(",")}\r\n`).join("")], { type: "text/csv" }), "csv");
    },
    JSON: (plot) => save(plot, new Blob([JSON.stringify(plot)], { type: "application/json" }), "json"),
  };

  const frame = (figure, plot) => {
    const picture = figure.querySelector("svg.plot").closest(".wide");
    picture.classList.add("replaced");
    const box = document.createElement("div");
    box.className = "drawn";
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `${plot.title}, picture: left and right arrow read the values`);
    const told = document.createElement("p");
    told.className = "unseen";
    told.setAttribute("role", "status");
    const saves = document.createElement("div");
    saves.className = "saves";
    for (const [name, write] of Object.entries(SAVES)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-label", `${plot.title} as ${name}`);
      button.addEventListener("click", () => write(read(figure)));
      saves.append(button);
    }
    picture.after(box, told, saves);
    return [box, told];
  };

  const keys = (chart, plot, told) => {
    let at = plot.starts.length;
    return (event) => {
      const last = plot.starts.length - 1;
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
      if (event.key === "Escape") chart.dispatchAction({ type: "hideTip" });
      if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      at = Math.max(0, Math.min(last, next));
      chart.dispatchAction({ type: "showTip", x: chart.convertToPixel({ xAxisIndex: 0 }, at), y: 30 });
      told.textContent = [span(plot, at), ...values(plot, at)].join("; ");
    };
  };

  const draw = (figure) => {
    const plot = read(figure);
    const [box, told] = frame(figure, plot);
    const chart = echarts.init(box, null, { renderer: "svg" });
    chart.setOption(option(plot, colours()));
    box.addEventListener("keydown", keys(chart, plot, told));
    drawn.set(figure, chart);
    sizes.observe(box);
  };
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) if (target.clientWidth) echarts.getInstanceByDom(target)?.resize();
  });

  // A figure in a closed section has no size: it is drawn when it is first seen.
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  });
  const start = () => {
    for (const figure of document.querySelectorAll("figure[data-plot]")) if (!drawn.has(figure)) seen.observe(figure);
  };
  const recolour = () => {
    for (const [figure, chart] of drawn) if (figure.isConnected) chart.setOption(option(read(figure), colours()));
  };

  const load = () => {
    if (!document.querySelector("figure[data-plot]")) return;
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.addEventListener("load", start);
    document.head.append(script);
  };
  load();
  document.addEventListener("refreshed", () => {
    for (const [figure, chart] of drawn) {
      if (figure.isConnected) continue;
      chart.dispose();
      drawn.delete(figure);
    }
    if (typeof echarts === "undefined") load();
    else start();
  });
  document.addEventListener("theme", recolour);

  // Links of a legend: the new pictures take the place of the old ones, the rest of the page stays as it is.
  const renew = (fresh) => {
    document.getElementById("state").replaceWith(fresh.getElementById("state"));
    const forms = [...fresh.querySelectorAll("form.filters")];
    document.querySelectorAll("form.filters").forEach((form, place) => {
      for (const old of form.querySelectorAll(":scope > input[type=hidden]")) old.remove();
      form.append(...forms[place].querySelectorAll(":scope > input[type=hidden]"));
      const ranges = forms[place].querySelectorAll(".ranges");
      form.querySelectorAll(".ranges").forEach((old, number) => old.replaceWith(ranges[number]));
    });
  };
  const figures = (page) => [...page.querySelectorAll("figure[data-plot]")];
  const links = (figure) => [...figure.querySelectorAll("table.legend a")];
  const choose = async (link, address) => {
    const [figure, isFocused] = [link.closest("figure"), document.activeElement === link];
    const [place, number] = [figures(document).indexOf(figure), links(figure).indexOf(link)];
    figure.setAttribute("aria-busy", "true");
    let fresh;
    try {
      const reply = await fetch(address);
      if (!reply.ok) throw new Error(reply.statusText);
      fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      if (figures(fresh).length !== figures(document).length) throw new Error("another page");
    } catch {
      location.assign(address);
      return;
    }
    const found = figures(fresh);
    renew(fresh);
    figures(document).forEach((old, at) => old.replaceWith(found[at]));
    history.replaceState(history.state, "", address);
    if (isFocused) links(found[place])[number]?.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("refreshed"));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("figure[data-plot] table.legend a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const alone = link.classList.contains("only") ? link : link.parentNode.querySelector("a.only");
    choose(link, (event.altKey ? alone : link).href);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
})();
