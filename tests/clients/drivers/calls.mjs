// What every driver is told: the server's address, its key, and what to call. It says that it is
// ready and then waits for a line.
import { once } from "node:events";
import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../calls.json", import.meta.url));

export const [host, key] = process.argv.slice(2);
export const calls = JSON.parse(text, (name, value) =>
  name === "timestamp" ? new Date(value) : value,
);

export async function start() {
  console.log("ready");
  await once(process.stdin, "data");
  process.stdin.destroy();
}
