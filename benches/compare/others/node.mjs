// The series of an exposition in Node's prom-client, and a server for them.
//
//     node node.mjs FILE PORT          (prom-client beside it)

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

const client = createRequire(process.cwd() + "/")("prom-client");
const registry = new client.Registry();
const families = new Map();
for (const line of readFileSync(process.argv[2], "utf8").split("\n")) {
  const sample = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (line.startsWith("#") || !sample) continue;
  const labels = {};
  for (const [, key, value] of (sample[2] ?? "").matchAll(/([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"/g)) labels[key] = value;
  let family = families.get(sample[1]);
  if (!family) {
    family = new client.Gauge({ name: sample[1], help: sample[1], labelNames: Object.keys(labels), registers: [registry] });
    families.set(sample[1], family);
  }
  family.set(labels, Number(sample[3]));
}
createServer(async (request, response) => {
  let body = Buffer.from(await registry.metrics());
  response.setHeader("Content-Type", registry.contentType);
  if ((request.headers["accept-encoding"] ?? "").includes("gzip")) {
    body = gzipSync(body);
    response.setHeader("Content-Encoding", "gzip");
  }
  response.setHeader("Content-Length", body.length);
  response.end(body);
}).listen(Number(process.argv[3]), "127.0.0.1", () => console.log("ready"));
