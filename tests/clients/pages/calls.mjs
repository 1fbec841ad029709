// What every page is told: the server's address, its key, options for its SDK, and what to call.
const query = new URLSearchParams(location.search);

export const host = query.get("host");
export const key = query.get("key");
export const options = JSON.parse(query.get("options"));
export const calls = await (await fetch("/calls.json")).json();
