// With its defaults.
import { Analytics } from "@segment/analytics-node";
import { calls, host, key, start } from "./calls.mjs";

const analytics = new Analytics({ writeKey: key, host });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
await start();
for (const { type, ...call } of calls) analytics[type](call);
await analytics.closeAndFlush();
