// With its defaults: a batch of the first event, then of the others, zipped.
import Analytics from "@rudderstack/rudder-sdk-node";
import { calls, host, key, start } from "./calls.mjs";

const client = new Analytics(key, { dataPlaneUrl: host });
await start();
const settled = calls.map(
  ({ type, ...call }) => new Promise((resolve) => client[type](call, resolve)),
);
await client.flush();
const errors = (await Promise.all(settled)).filter(Boolean);
if (errors.length > 0) {
  console.error(errors[0]);
  process.exitCode = 1;
}
