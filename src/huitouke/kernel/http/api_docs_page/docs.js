"use strict";
/* Shows an OpenAPI document: operations by tag, their parameters, bodies and answers as examples of their shape. */

const SURFACES = ["console", "operator", "member", "visitor", "open"];
const MAX_DEPTH = 5;
let spec = null;

function make(tag, attributes, ...children) {
  const element = Object.assign(document.createElement(tag), attributes || {});
  element.append(...children.filter((child) => child !== null));
  return element;
}

function resolve(schema) {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.split("/").slice(1).reduce((node, key) => node[key], spec);
}

/* A value that shows the shape: types as words, enumerations with bars. */
function shape(schema, depth = 0) {
  const found = resolve(schema);
  if (depth > MAX_DEPTH) return "…";
  const variants = found.anyOf || found.oneOf;
  if (variants) {
    const some = variants.filter((variant) => variant.type !== "null");
    const shown = some.length === 1 ? shape(some[0], depth) : some.map((variant) => shape(variant, depth + 1));
    return some.length < variants.length && typeof shown === "string" ? shown + " | null" : shown;
  }
  if (found.allOf) return Object.assign({}, ...found.allOf.map((part) => shape(part, depth)));
  if (found.enum) return found.enum.join(" | ");
  if (found.const !== undefined) return String(found.const);
  if (found.type === "array") return [shape(found.items, depth + 1)];
  if (found.properties) {
    const entries = Object.entries(found.properties).map(([name, value]) => [name, shape(value, depth + 1)]);
    return Object.fromEntries(entries);
  }
  return [found.type || "any", found.format].filter(Boolean).join(" · ");
}

function block(title, content) {
  const schema = content && Object.values(content)[0] && Object.values(content)[0].schema;
  if (!schema) return null;
  return make("div", {}, make("h4", { textContent: title }), make("pre", { textContent: JSON.stringify(shape(schema), null, 2) }));
}

function parameters(list) {
  if (!list || !list.length) return null;
  const rows = list.map((item) =>
    make(
      "tr",
      {},
      make("td", {}, make("code", { textContent: item.name + (item.required ? " *" : "") })),
      make("td", { textContent: item.in }),
      make("td", { textContent: String(shape(item.schema)) }),
      make("td", { textContent: item.description || "" }),
    ),
  );
  return make("table", {}, ...rows);
}

function operation(path, method, details) {
  const answers = Object.entries(details.responses || {})
    .filter(([status]) => /^2/.test(status))
    .map(([status, answer]) => block(`${status} ${answer.description || ""}`, answer.content));
  const element = make(
    "details",
    { id: details.operationId || "" },
    make(
      "summary",
      {},
      make("span", { className: "method", textContent: method }),
      make("code", { textContent: path }),
      make("span", { className: "name", textContent: details.operationId || "" }),
    ),
    make("p", { textContent: details.description || details.summary || "" }),
    parameters(details.parameters),
    details.requestBody ? block("Body", details.requestBody.content) : null,
    ...answers,
  );
  element.dataset.words = `${path} ${method} ${details.operationId} ${details.description || ""}`.toLowerCase();
  return element;
}

function show() {
  const groups = new Map();
  for (const [path, methods] of Object.entries(spec.paths || {})) {
    for (const [method, details] of Object.entries(methods)) {
      const tag = (details.tags && details.tags[0]) || "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(path, method, details));
    }
  }
  const sections = [...groups].map(([tag, list]) => make("section", {}, make("h2", { textContent: tag }), ...list));
  document.getElementById("about").textContent = `${spec.info.description || ""} (${spec.info.version})`;
  document.getElementById("operations").replaceChildren(
    ...(sections.length ? sections : [make("p", { textContent: "This surface has no routes yet." })]),
  );
  filter();
  const chosen = location.hash && document.getElementById(location.hash.slice(1));
  if (chosen) chosen.open = true;
}

function filter() {
  const word = document.getElementById("filter").value.trim().toLowerCase();
  for (const section of document.querySelectorAll("section")) {
    const shown = [...section.querySelectorAll("details")].filter((element) => {
      element.hidden = !element.dataset.words.includes(word);
      return !element.hidden;
    });
    section.hidden = shown.length === 0;
  }
}

async function load(surface) {
  const address = `/openapi/${surface}.json`;
  document.getElementById("raw").href = address;
  spec = await (await fetch(address)).json();
  show();
}

const select = document.getElementById("surface");
select.append(...SURFACES.map((name) => make("option", { value: name, textContent: name })));
select.addEventListener("change", () => load(select.value));
document.getElementById("filter").addEventListener("input", filter);
load("console");
