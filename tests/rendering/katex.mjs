// Reads a JSON list of {tex, display} and prints, for each, null or what KaTeX has against it.
// Strict: what is not LaTeX, or what KaTeX would only warn about, is an error too.
import { readFileSync } from "node:fs";
import katex from "katex";

const verdict = ({ tex, display }) => {
  try {
    katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: "error", trust: false });
    return null;
  } catch (error) {
    return error.message;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(verdict)));
