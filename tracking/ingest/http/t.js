// Hitstream in the browser: page views, events, and a queue that survives a dead network.
// Comments have lines of their own, and no string spans two: script.py takes them out.
(() => {
  const { src, dataset: { project, manual, optIn } } = document.currentScript;
  // .../t.js posts to .../collect, a token's own .../<path>.js to .../<path>.
  const url = project ? new URL("collect", src).href : src.replace(/\.js([?#].*)?$/, "");

  const visitor = "hitstream.id";
  const user = "hitstream.user";
  const queue = `hitstream.${project || url}.`;
  // No dot: it is not erased with the others.
  const choice = "hitstream-choice";
  // This page's hits: whether the browser itself carries one to the server, even after the page.
  const away = {};
  // What storage does not take is remembered for as long as the page lives.
  const memory = {};
  let storage = {};
  try { storage = localStorage || storage; } catch {}
  const get = (key) => storage[key] || memory[key];
  const put = (key, value) => {
    try {
      storage[key] = value;
    } catch {
      memory[key] = value;
    }
  };
  const remove = (key) => delete storage[key] && delete memory[key] && delete away[key];
  const keys = (prefix) =>
    [storage, memory].flatMap(Object.keys).filter((key) => key.startsWith(prefix)).sort();

  const signal = /1|yes/.test(navigator.doNotTrack) || navigator.globalPrivacyControl;
  // Asked each time: another tab may have opted out.
  const refused = () => signal || (get(choice) || (optIn == null ? "in" : "out")) == "out";
  const erase = () => keys("hitstream.").forEach(remove);

  // crypto.randomUUID is missing on http:// sites.
  const uuid = () =>
    "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () =>
      (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16));

  // With the time of sending: the server corrects the hit's own time by it, if the clock is wrong.
  const dated = (key) => `${get(key).slice(0, -1)},"sentAt":${JSON.stringify(new Date())}}`;

  let busy, last, failures;

  // One request at a time, the oldest hit first; after one that failed comes the next one's turn.
  const flush = async () => {
    const hits = keys(queue);
    const key = hits.find((key) => key > last) || hits[0];
    if (busy || !key || refused()) return;
    busy = last = key;
    const body = dated(key);
    // Browsers keep no more than 64 KiB alive.
    const keepalive = (away[key] = new Blob([body]).size < 6e4);
    let wait;
    try {
      const { status, headers } = await fetch(url, {
        method: "POST",
        body,
        keepalive,
        credentials: "omit",
        signal: AbortSignal.timeout?.(3e4),
      });
      if (/^2|^4(?!08|25|29)/.test(status)) {
        remove(key);
        failures = 0;
        return next();
      }
      wait = +headers.get("Retry-After");
    } catch {}
    away[key] = 0;
    failures = failures * 2 || 1;
    setTimeout(next, Math.min(wait || failures, 300) * (1e3 + Math.random() * 500));
  };
  const next = () => {
    busy = 0;
    flush();
  };

  // A beacon's answer is unknown: the hit stays queued, the server knows it again by its hitId.
  const leave = () => {
    for (const key in away)
      if (get(key) && !refused()) away[key] ||= navigator.sendBeacon(url, dated(key));
  };

  let here, path;
  let { referrer } = document;
  const page = (query) => ({
    url: location.href,
    path: location.pathname,
    [query]: location.search || undefined,
    hash: location.hash || undefined,
    title: document.title,
    referrer,
  });

  const track = (name, properties) => {
    if (refused()) return;
    const campaign = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      if (/^utm_/.test(name)) campaign[name.slice(4).replace("campaign", "name")] = value;
    });
    if (!get(visitor)) put(visitor, uuid());
    const hitId = uuid();
    const now = Date.now();
    const key = queue + now + hitId;
    away[key] = 0;
    put(key, JSON.stringify({
      projectId: project,
      hitId,
      type: "event",
      anonymousId: get(visitor),
      userId: get(user),
      timestamp: new Date(now),
      event: { ...properties, name },
      context: {
        page: page("search"),
        campaign,
        screenWidth: screen.width,
        screenHeight: screen.height,
        locale: navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      },
    }));
    // The newest are kept: about 100 hits, 600,000 characters, six days (the server knows a
    // repeated hit for seven).
    let room = 6e5;
    keys(queue).reverse().forEach((key) => {
      room -= get(key).length + 5e3;
      if (room < 0 || key < queue + (now - 5184e5)) remove(key);
    });
    flush();
    if (document.hidden) leave();
  };

  const view = (properties) => {
    if (here && here != location.href) referrer = here;
    here = location.href;
    path = location.pathname;
    track("Viewed Page", { page: { ...page("queryString"), ...properties } });
  };
  const arrive = (again) => {
    if (manual == null && (again || location.pathname != path)) view();
  };

  const verbs = {
    track,
    page: view,
    identify: (id) => id == null || refused() ? remove(user) : put(user, id),
    reset: () => remove(user) && remove(visitor),
    optOut() {
      erase();
      put(choice, "out");
    },
    optIn() {
      if (signal || !refused()) return;
      put(choice, "in");
      arrive(true);
    },
  };
  const run = (call) => {
    // The site's own script goes on.
    try {
      const [verb, ...values] = call;
      verbs[verb](...values);
    } catch (error) {
      console.warn(error);
    }
  };

  // Embedded twice, it does nothing.
  const api = (window.hitstream ||= []);
  if (api.track) return;
  for (const verb in verbs) api[verb] = (...values) => api.push([verb, ...values]);

  const start = () => {
    if (refused()) erase();
    api.push = run;
    // Before the page view, so that it knows a user named before this script was there.
    api.forEach(run);
    arrive();
    flush();
    // A single-page application sets the title a moment after the address.
    const moved = () => setTimeout(arrive, 100);
    for (const name of ["pushState", "replaceState"]) {
      const original = history[name];
      history[name] = function () {
        original.apply(this, arguments);
        moved();
      };
    }
    addEventListener("popstate", moved);
    addEventListener("pageshow", (event) => event.persisted && arrive(true));
    // Not all browsers say "hidden" when a page is left.
    for (const name of ["pagehide", "visibilitychange"])
      addEventListener(name, () => {
        arrive();
        leave();
      });
  };
  if (document.prerendering) document.addEventListener("prerenderingchange", start);
  else start();
})();
