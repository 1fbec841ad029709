// Its calls settle when the server has answered: there is nothing to flush. It knows no screen and
// no alias, and takes no time of the caller's.
import { jitsuAnalytics } from "@jitsu/js";
import { calls, host, key, start } from "./calls.mjs";

const analytics = jitsuAnalytics({ host, writeKey: key, s2s: true });
const verbs = {
  identify: ({ userId, traits }) => analytics.identify(userId, traits),
  track: ({ event, properties, context }) => analytics.track(event, properties, { context }),
  page: ({ name, properties }) => analytics.page(name, properties),
  group: ({ groupId, traits }) => analytics.group(groupId, traits),
};
analytics.setAnonymousId("a-1");
await start();
for (const { type, ...call } of calls) await verbs[type]?.(call);
