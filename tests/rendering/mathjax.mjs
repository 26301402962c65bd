// Reads a JSON list of {tex, display} and prints, for each, null or what MathJax has against it.
// MathJax draws its errors into the page (merror) instead of throwing: here they are thrown.
import { readFileSync } from "node:fs";
import { liteAdaptor } from "mathjax-full/js/adaptors/liteAdaptor.js";
import { RegisterHTMLHandler } from "mathjax-full/js/handlers/html.js";
import { TeX } from "mathjax-full/js/input/tex.js";
import { mathjax } from "mathjax-full/js/mathjax.js";
import { SVG } from "mathjax-full/js/output/svg.js";
import "mathjax-full/js/input/tex/ams/AmsConfiguration.js";

RegisterHTMLHandler(liteAdaptor());
const InputJax = new TeX({
  packages: ["base", "ams"],
  formatError: (_jax, error) => {
    throw error;
  },
});
const page = mathjax.document("", { InputJax, OutputJax: new SVG({ fontCache: "none" }) });
const adaptor = page.adaptor;

const verdict = ({ tex, display }) => {
  try {
    const svg = adaptor.outerHTML(page.convert(tex, { display }));
    return /data-mml-node="merror"/.test(svg) ? "drawn as an error (merror)" : null;
  } catch (error) {
    return error.message;
  } finally {
    InputJax.reset();
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(verdict)));
