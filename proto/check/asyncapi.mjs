// Lets AsyncAPI's own parser judge a document: node asyncapi.mjs DOCUMENT
//
// Errors fail; warnings and hints are shown.

import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];
const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));

for (const { severity, code, message, path } of diagnostics) {
  console.log(`${SEVERITIES[severity]}: ${path.join(".")}: ${message} (${code})`);
}
if (!document || diagnostics.some(({ severity }) => severity === 0)) {
  console.log(`${file}: refused`);
  process.exit(1);
}
const messages = document.allMessages().all().length;
if (!document.version().startsWith("3.") || messages === 0) {
  console.log(`${file}: AsyncAPI ${document.version()} with ${messages} messages`);
  process.exit(1);
}
console.log(`AsyncAPI ${document.version()}: ${messages} messages, accepted`);
