// Reads feed files with feedsmith and prints [[[id, title], …], …] as JSON: one list a file.
import { readFileSync } from "node:fs";
import { parseFeed } from "feedsmith";

const read = (path) => {
  const { format, feed } = parseFeed(readFileSync(path, "utf8"));
  const entries = format === "atom" ? feed.entries : feed.items;
  const text = (title) => (typeof title === "object" && title ? title.value : title);
  return entries.map((e) => [e.guid?.value ?? e.id, text(e.title)]);
};
console.log(JSON.stringify(process.argv.slice(2).map(read)));
